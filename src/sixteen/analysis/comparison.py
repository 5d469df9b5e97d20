"""One comparison of two arms at one network: the estimate, the decision, the record."""

from dataclasses import dataclass
from typing import Any

from sixteen.analysis import statistics, wording
from sixteen.analysis.criterion import Criterion
from sixteen.analysis.pairs import Pairs, Sample, pair
from sixteen.analysis.statistics import Estimate


@dataclass(frozen=True)
class Decision:
    """What an estimate says of a criterion.

    `lenient` where it refutes at its own level, but not at the `strict` confidence of several tests at once; `mute`
    where seeds that all agree show no spread to test against.
    """

    estimate: Estimate
    verdict: str
    strict: float
    lenient: bool
    mute: bool


def compare(
    criterion: Criterion,
    sample: Sample,
    network: str,
    arms: tuple[str, ...],
    family: int,
    wanted_power: float | None,
) -> dict[str, Any]:
    """One test at one network; refutes at the level divided by `family`, the tests at once.

    Without `wanted_power` nothing is said about how many seeds would decide: none would.
    """
    pairs = pair(sample, arms, criterion.name, criterion.metric, criterion.kind)
    decision = _decide(criterion, pairs, family)
    estimate = decision.estimate
    needed = None if wanted_power is None else _needed(criterion, decision, wanted_power)
    why = wording.told(criterion, arms, estimate, pairs, sample.by)
    if decision.lenient:
        why += f", but not at the level that {family} tests at once ask for (Bonferroni)"
    if decision.mute:
        why += wording.mute(sample.by)
    elif decision.verdict == "inconclusive" and wanted_power is not None and not pairs.left_out:
        why += wording.needed(estimate, needed, wanted_power, sample.by)
    brief = wording.briefly(criterion, estimate, None if pairs.left_out else needed, sample.by)
    basis = "counted" if criterion.metric.spread == "fixed" else "tested"
    return {
        **{"network": network, "verdict": decision.verdict, "why": why, "brief": brief},
        **{
            "metric": criterion.metric.words,
            "basis": basis,
            "n": estimate.n,
            **_shown(criterion, estimate),
        },
        **{"needed_n": needed, "left_out": pairs.left_out},
    }


def _shown(criterion: Criterion, estimate: Estimate) -> dict[str, Any]:
    """The numbers of an estimate in the unit that is shown."""
    ends = {"estimate": estimate.mean, "low": estimate.low, "high": estimate.high}
    return {
        **{name: None if end is None else criterion.shown(end) for name, end in ends.items()},
        "confidence": criterion.confidence,
        "margin": criterion.margin,
        "unit": criterion.unit,
    }


def _decide(criterion: Criterion, pairs: Pairs, family: int) -> Decision:
    # Refuting, not supporting, is done by any of the family (Bonferroni).
    strict = 1 - (1 - criterion.confidence) / family
    estimate, stricter = (
        _estimate(criterion, pairs, level) for level in (criterion.confidence, strict)
    )
    if estimate.sd == 0 and criterion.metric.spread not in ("allocated", "fixed"):
        return Decision(estimate, "inconclusive", strict, lenient=False, mute=True)
    verdict = statistics.decide(estimate, criterion.region)
    lenient = verdict == "refuted" and statistics.decide(stricter, criterion.region) != "refuted"
    verdict = "inconclusive" if lenient else verdict
    return Decision(estimate, verdict, strict, lenient, mute=False)


def _needed(criterion: Criterion, decision: Decision, wanted_power: float) -> int | None:
    """Seeds that would decide, None if it is decided or no number would."""
    if decision.verdict != "inconclusive" or decision.mute:
        return None
    mean = decision.estimate.mean
    outside = mean is not None and criterion.region.excludes(mean, mean)
    level = decision.strict if outside else criterion.confidence
    return statistics.needed_n(decision.estimate, criterion.region, level, wanted_power)


def _estimate(criterion: Criterion, pairs: Pairs, confidence: float) -> Estimate:
    values = (pairs.first, pairs.second)
    if criterion.kind == "ratio":
        return statistics.paired_log_ratio(*values, confidence, pairs.least_sd)
    return statistics.paired_difference(*values, confidence, pairs.least_sd)
