"""The arms of a study as schedules of bits: what each does, and what that costs.

Costs are those that the runs tell, of the steps that they took; see `sixteen.precision.bits`.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from sixteen.precision.bits import BitSchedule, Cyclic
from sixteen.precision.entry import Quantized, precision_of
from sixteen.reporting.study import Study
from sixteen.study.sentence import parse

# By what they save, arXiv:2403.02243 (papers/2403.02243.yaml says what of it was found).
GROUPS = ("large", "medium", "small")


@dataclass(frozen=True)
class Scheduled:
    """The phases of an arm whose layers are quantized, without those before another one.

    `precision` is that of the last; they train from epoch `first` for `epochs`, with the forward `bits` [steps].
    """

    arm: str
    precision: Quantized
    first: int
    epochs: int
    bits: np.ndarray

    @property
    def group(self) -> str | None:
        """The group by savings; None for what isn't one of the cyclic schedules."""
        return group(self.precision.bits)


def scheduled(study: Study, network: str) -> dict[str, Scheduled]:
    """The arms of a network whose last phase is quantized, by name."""
    found = {}
    for arm in study.arms:
        phrases = parse(study.parameters["arms"][arm])
        ends = [0, *(phrase.until for phrase in phrases if phrase.until)]
        spans = reversed(list(itertools.pairwise(ends)))
        phases = zip(study.phases(network, arm), spans, strict=True)
        few = list(itertools.takewhile(lambda phase: _quantized(phase[0]), phases))
        if few and (precision := _quantized(few[0][0])):
            first = few[-1][1][0]
            bits = np.concatenate([_bits(record, *span) for record, span in reversed(few)])
            found[arm] = Scheduled(arm, precision, first, ends[-1] - first, bits)
    return found


def _quantized(record: dict[str, Any]) -> Quantized | None:
    """The precision of a phase, if its layers are quantized."""
    precision = precision_of(record["parameters"]["precision"])
    return precision if isinstance(precision, Quantized) else None


def _bits(record: dict[str, Any], first: int, last: int) -> np.ndarray:
    """The forward bits [steps] of a phase; the parts of a batch are steps with the bits of one."""
    parts = record["parameters"]["recipe"]["gradient_accumulation"]
    steps = record["facts"]["steps"] // (last - first) // parts
    return precision_of(record["parameters"]["precision"]).forward_bits(first, last, steps)


def group(schedule: BitSchedule) -> str | None:
    """By what a schedule saves against the most bits throughout: much, little, or in between; None if it isn't cyclic.

    REX stays low for long and the exponential high, as they grow and as they fall mirrored; upside down each makes up in
    its decay for what its growth saves.
    """
    if not isinstance(schedule, Cyclic):
        return None
    alike = schedule.form != "triangular-v"
    return {"rex": "large", "exponential": "small"}.get(schedule.profile if alike else "", "medium")


def costs(study: Study, network: str) -> dict[str, float]:
    """The cost in bit operations of each arm, as a share of that of the reference."""
    runs = study.runs[study.runs["network"] == network]
    by_arm = runs.groupby("arm")["bit_cost"].first()
    return {arm: float(by_arm[arm] / by_arm[study.arms[0]]) for arm in study.arms}
