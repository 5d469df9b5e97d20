"""One comparison of two arms at one network: the criterion, the estimate, the decision, the sentence.

The kinds of tests and what each needs stand in `criteria_of`.
"""

import math
from dataclasses import dataclass
from typing import Any

from sixteen.analysis import statistics
from sixteen.analysis.metrics import METRICS, Run, pair
from sixteen.analysis.statistics import Estimate, Region
from sixteen.errors import UserError


@dataclass(frozen=True)
class Criterion:
    """One comparison: of which metric, on which scale, and for which effects the claim holds.

    ``region`` is in the metric's own numbers, of logarithms for a ratio; ``margin`` is the number that
    the claim names, in the unit that is shown, and ``words`` say the region in that unit.
    """

    metric: str
    kind: str
    region: Region
    confidence: float
    margin: float
    words: str

    @property
    def unit(self) -> str:
        """Unit in which estimates are shown."""
        return "times" if self.kind == "ratio" else METRICS[self.metric].unit

    def shown(self, value: float) -> float:
        """A mean or an end of an interval in the unit that is shown."""
        return math.exp(value) if self.kind == "ratio" else value * METRICS[self.metric].scale


def criteria_of(claim: dict[str, Any], levels: dict[str, float]) -> list[Criterion]:
    """The comparisons that all have to hold for a claim; the last is the one whose numbers are shown."""
    kind = claim["test"]
    one_sided = 1 - 2 * levels["alpha"]  # this interval decides each test at level alpha
    if kind == "starts_lower_ends_equal":
        start = {**claim, "test": "less", "metric": claim["start_metric"]}
        return criteria_of(start, levels) + criteria_of({**claim, "test": "equivalence"}, levels)
    metric = claim["metric"]
    if metric not in METRICS:
        raise UserError(
            f"expected a metric in claim {claim['id']!r}, came {metric!r}; choose from "
            f"{', '.join(METRICS)}"
        )
    unit, scale = METRICS[metric].unit, METRICS[metric].scale
    if kind == "equivalence":
        margin = claim["margin"]
        region = Region(-margin, margin, closed=True)
        words = f"within ±{number(margin * scale)} {unit}"
        return [Criterion(metric, "difference", region, one_sided, margin * scale, words)]
    if kind == "greater":
        return [
            Criterion(metric, "difference", Region(0, math.inf, False), one_sided, 0, "above 0")
        ]
    if kind == "less":
        return [
            Criterion(metric, "difference", Region(-math.inf, 0, False), one_sided, 0, "below 0")
        ]
    if kind == "ratio_at_most":
        value = claim["value"]
        region = Region(-math.inf, math.log(value), closed=True)
        return [Criterion(metric, "ratio", region, one_sided, value, f"at most {number(value)}")]
    if kind == "ratio_greater":
        return [Criterion(metric, "ratio", Region(0, math.inf, False), one_sided, 1, "above 1")]
    if kind == "ratio_less":
        return [Criterion(metric, "ratio", Region(-math.inf, 0, False), one_sided, 1, "below 1")]
    raise UserError(
        f"expected a test in claim {claim['id']!r}, came {kind!r}; choose from equivalence, greater, "
        "less, ratio_at_most, ratio_greater, ratio_less, bounded, lemma, starts_lower_ends_equal"
    )


def compare(
    criterion: Criterion,
    runs: list[Run],
    network: str,
    arms: list[str],
    family: int,
    wanted_power: float | None,
) -> dict[str, Any]:
    """One test at one network; refutes at the level divided by ``family``, the tests at once.

    Without ``wanted_power`` nothing is said about how many seeds would decide: none would.
    """
    strict = 1 - (1 - criterion.confidence) / family
    pairs = pair(runs, network, arms, criterion.metric, criterion.kind)
    ratio = criterion.kind == "ratio"
    compared = statistics.paired_log_ratio if ratio else statistics.paired_difference
    estimate = compared(pairs.first, pairs.second, criterion.confidence)
    # Accuracies are multiples of one test image, so that a few seeds can agree by chance. Counted ratios
    # (bytes) have no spread, and decide.
    mute = criterion.kind == "difference" and estimate.sd == 0
    verdict = "inconclusive" if mute else statistics.decide(estimate, criterion.region)
    lenient = verdict == "refuted"
    if lenient:
        verdict = statistics.decide(compared(pairs.first, pairs.second, strict), criterion.region)
    needed = None
    if verdict == "inconclusive" and not mute and wanted_power is not None:
        level = strict if lenient else criterion.confidence
        needed = statistics.needed_n(estimate, criterion.region, level, wanted_power)
    why = _say(criterion, arms, estimate)
    if lenient and verdict == "inconclusive":
        why += f", but not at the level that {family} tests at once ask for (Bonferroni)"
    if mute:
        why += "; seeds that all agree show no spread to test against, more seeds may"
    elif verdict == "inconclusive" and wanted_power is not None:
        why += f"; {_say_needed(estimate, needed, wanted_power)}"
    ends = (estimate.mean, estimate.low, estimate.high)
    shown = [None if value is None else criterion.shown(value) for value in ends]
    return {
        "network": network,
        "verdict": verdict,
        "why": why,
        "brief": _say_briefly(criterion, estimate, needed),
        "n": estimate.n,
        "estimate": shown[0],
        "low": shown[1],
        "high": shown[2],
        "confidence": criterion.confidence,
        "margin": criterion.margin,
        "unit": criterion.unit,
        "needed_n": needed,
        "left_out": pairs.left_out,
    }


def _say(criterion: Criterion, arms: list[str], estimate: Estimate) -> str:
    """What was measured, as a clause."""
    if estimate.mean is None:
        return f"no seed has the {METRICS[criterion.metric].words} in both arms"
    words, value = METRICS[criterion.metric].words, number(criterion.shown(estimate.mean))
    what = (
        f"the {words} of {arms[0]} is {value} times that of {arms[1]}"
        if criterion.kind == "ratio"
        else f"the {words} of {arms[0]} minus that of {arms[1]} is {value} {criterion.unit}"
    )
    if estimate.low is None or estimate.high is None:
        return f"{what} for one seed, which gives no interval"
    if estimate.sd == 0:
        negation = "" if criterion.region.holds(estimate.low, estimate.high) else "not "
        each = f"for each of {estimate.n} seeds, without spread"
        return f"{what} {each}: {negation}{criterion.words}"
    low, high = (number(criterion.shown(end)) for end in (estimate.low, estimate.high))
    verdict = statistics.decide(estimate, criterion.region)
    part = {"supported": "all of it", "refuted": "none of it", "inconclusive": "only a part of it"}
    return (
        f"over {estimate.n} seeds {what}, {100 * criterion.confidence:g} % interval {low} to {high}, "
        f"{part[verdict]} {criterion.words}"
    )


def _say_needed(estimate: Estimate, needed: int | None, power: float) -> str:
    if estimate.n < 2:
        return "at least 2 seeds are needed"
    if needed is None:
        return f"the effect is so close to the limit that {statistics.LARGEST_N:,} seeds wouldn't decide"
    return (
        f"if this effect and spread are the true ones, {needed} seeds decide with power {power:g}"
    )


def _say_briefly(criterion: Criterion, estimate: Estimate, needed: int | None) -> str:
    """What was measured in a few words, for a list."""
    words = METRICS[criterion.metric].words
    if estimate.mean is None:
        return f"{words} not measured"
    text = f"{words} {number(criterion.shown(estimate.mean))} {criterion.unit}"
    if estimate.low is not None and estimate.high is not None:
        low, high = (number(criterion.shown(end)) for end in (estimate.low, estimate.high))
        text += f", {100 * criterion.confidence:g} % interval {low} to {high}"
    text += f", {estimate.n} seed{'s' if estimate.n > 1 else ''}"
    return f"{text}, {needed} would decide" if needed else text


def number(value: float) -> str:
    """A number for a sentence: three significant digits, thousands in full."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
