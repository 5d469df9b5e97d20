"""One comparison of two arms at one network: the estimate, the decision, the record."""

import math
from dataclasses import dataclass
from typing import Any

from sixteen.analysis import statistics, wording
from sixteen.analysis.contrast import Contrast
from sixteen.analysis.criterion import Criterion
from sixteen.analysis.detectable import least_seen
from sixteen.analysis.pairs import Pairs, is_guess
from sixteen.analysis.statistics import Estimate

Measured = Pairs | Contrast


@dataclass(frozen=True)
class Decision:
    """What an estimate says of a criterion.

    `lenient` where it refutes at its own level, but not at the `strict` confidence of several tests at once; `mute`
    where seeds that all agree show no spread to test against; `guessed` where the spread, or a part of the values, is
    a substitute for one that was too small to be believed.
    """

    estimate: Estimate
    verdict: str
    strict: float
    lenient: bool
    mute: bool
    guessed: bool


def compare(
    criterion: Criterion,
    pairs: Measured,
    by: str,
    arms: tuple[str, ...],
    family: int,
    wanted_power: float | None,
) -> dict[str, Any]:
    """One test at one network; refutes at the level divided by `family`, the tests at once.

    `by` is what was paired, seed or turn.

    `detectable` is the least true effect that would show with `wanted_power`, see `_detectable`. Without that power
    nothing is said about it, nor about how many seeds would decide: none would.
    """
    decision = _decide(criterion, pairs, family)
    estimate = decision.estimate
    needed = seen = None
    why = wording.told(criterion, arms, estimate, pairs, by)
    if decision.lenient:
        why += f", but not at the level that {family} tests at once ask for (Bonferroni)"
    if decision.mute:
        why += wording.mute(by)
    elif wanted_power is not None and not pairs.left_out:
        needed = _needed(criterion, decision, wanted_power)
        seen = _detectable(criterion, decision, pairs, wanted_power)
        if seen is not None:
            why += wording.detectable(criterion, seen, wanted_power, family)
        if decision.verdict == "inconclusive":
            why += wording.needed(estimate, needed, wanted_power, by, decision.guessed)
    brief = wording.briefly(criterion, estimate, needed, by)
    basis = "counted" if criterion.metric.spread == "fixed" else "tested"
    return {
        **{"verdict": decision.verdict, "why": why, "brief": brief},
        **{"metric": criterion.metric.words, "basis": basis, "n": estimate.n},
        **shown(criterion, estimate),
        **{"needed_n": needed, "detectable": None if seen is None else criterion.shown(seen)},
        "left_out": pairs.left_out,
    }


def shown(criterion: Criterion, estimate: Estimate) -> dict[str, Any]:
    """The numbers of an estimate in the unit that is shown."""
    ends = {"estimate": estimate.mean, "low": estimate.low, "high": estimate.high}
    return {
        **{name: None if end is None else criterion.shown(end) for name, end in ends.items()},
        "confidence": criterion.confidence,
        "margin": criterion.margin,
        "unit": criterion.unit,
    }


def _decide(criterion: Criterion, pairs: Measured, family: int) -> Decision:
    # Refuting, not supporting, is done by any of the family (Bonferroni).
    strict = 1 - (1 - criterion.confidence) / family
    estimate, stricter = (pairs.estimate(level) for level in (criterion.confidence, strict))
    guessed = is_guess(estimate, pairs.raised, pairs.least_sd)
    if estimate.sd == 0 and criterion.metric.spread not in ("allocated", "fixed"):
        return Decision(estimate, "inconclusive", strict, lenient=False, mute=True, guessed=guessed)
    verdict = statistics.decide(estimate, criterion.region)
    lenient = verdict == "refuted" and statistics.decide(stricter, criterion.region) != "refuted"
    verdict = "inconclusive" if lenient else verdict
    return Decision(estimate, verdict, strict, lenient, mute=False, guessed=guessed)


def _needed(criterion: Criterion, decision: Decision, wanted_power: float) -> int | None:
    """Seeds that would decide, None if it is decided, no number would, or the spread is only a guess."""
    if decision.verdict != "inconclusive" or decision.guessed:
        return None
    mean = decision.estimate.mean
    outside = mean is not None and criterion.region.excludes(mean, mean)
    level = decision.strict if outside else criterion.confidence
    return statistics.needed_n(decision.estimate, criterion.region, level, wanted_power)


def _detectable(
    criterion: Criterion, decision: Decision, pairs: Measured, wanted_power: float
) -> float | None:
    """The true effect nearest to the limit that would be told from it: what a claim that is open, or that
    holds within a margin, can't have missed; in the metric's own numbers, of logarithms for a ratio.

    On the side where a claim of a direction holds, beyond the margin of one of equivalence. None where that is
    decided, and where values are substitutes, whose spread says nothing of the metric's.
    """
    region, bounded = criterion.region, math.isfinite(criterion.region.low + criterion.region.high)
    decided = decision.verdict == "refuted" or (decision.verdict == "supported" and not bounded)
    if decided or pairs.raised:
        return None
    level = decision.strict if bounded else criterion.confidence
    distance = least_seen(decision.estimate, (1 - level) / 2, wanted_power)
    if distance is None:
        return None
    if bounded:
        found = region.high + distance
    else:
        found = region.low + distance if math.isfinite(region.low) else region.high - distance
    ends = (
        criterion.metric.ends
    )  # of a share or a correlation, beyond which there is nothing to be seen
    return None if criterion.kind == "difference" and ends and abs(found) > ends[1] else found
