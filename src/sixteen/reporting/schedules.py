"""The arms of a study as schedules of bits: what each does in its last phase, and what that costs.

Costs are those that the runs tell, of the steps that they took; see `sixteen.precision.bits`.
"""

from dataclasses import dataclass

import numpy as np

from sixteen.precision.bits import BitSchedule, Cyclic
from sixteen.precision.entry import Quantized, precision_of
from sixteen.reporting.study import Study
from sixteen.study.sentence import parse

# By what they save, arXiv:2403.02243 (papers/2403.02243.yaml says what of it was found).
GROUPS = ("large", "medium", "small")


@dataclass(frozen=True)
class Scheduled:
    """The last phase of an arm whose layers are quantized, of `epochs` and of `bits` [steps], the forward bits of each."""

    arm: str
    precision: Quantized
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
        record = study.trained(network, arm)
        precision = precision_of(record["parameters"]["precision"])
        if not isinstance(precision, Quantized):
            continue
        phrases = parse(study.parameters["arms"][arm])
        first, last = ([0] + [phrase.until for phrase in phrases if phrase.until])[-2:]
        # The parts of a batch are steps with the bits of one.
        parts = record["parameters"]["recipe"]["gradient_accumulation"]
        steps = record["facts"]["steps"] // (last - first) // parts
        bits = precision.forward_bits(first, last, steps)
        found[arm] = Scheduled(arm, precision, last - first, bits)
    return found


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
