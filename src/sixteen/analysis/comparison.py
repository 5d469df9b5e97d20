"""One comparison of two arms at one network: the criterion, the estimate, the decision, the sentence.

The kinds of tests and what each needs stand in `criteria_of`.
"""

import math
from dataclasses import dataclass
from typing import Any

from sixteen.analysis import statistics
from sixteen.analysis.metrics import METRICS, Pairs, Run, pair
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
        value, tolerance = claim["value"], claim["tolerance"]
        region = Region(-math.inf, math.log(value * (1 + tolerance)), closed=True)
        words = f"at most {number(value)} with a tolerance of {100 * tolerance:g} %"
        return [Criterion(metric, "ratio", region, one_sided, value, words)]
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
    pairs = pair(runs, network, arms, criterion.metric, criterion.kind)
    # Refuting, not supporting, is done by any of the family (Bonferroni).
    strict = 1 - (1 - criterion.confidence) / family
    estimate, stricter = (
        _estimate(criterion, pairs, level) for level in (criterion.confidence, strict)
    )
    fixed = METRICS[criterion.metric].spread == "fixed"
    mute = estimate.sd == 0 and not fixed
    verdict = "inconclusive" if mute else statistics.decide(estimate, criterion.region)
    lenient = verdict == "refuted" and statistics.decide(stricter, criterion.region) != "refuted"
    if lenient:
        verdict = "inconclusive"
    needed = None
    if verdict == "inconclusive" and not mute and wanted_power is not None:
        mean = estimate.mean
        outside = mean is not None and criterion.region.excludes(mean, mean)
        level = strict if outside else criterion.confidence
        needed = statistics.needed_n(estimate, criterion.region, level, wanted_power)
    why = _say(criterion, arms, estimate, pairs)
    if lenient:
        why += f", but not at the level that {family} tests at once ask for (Bonferroni)"
    if mute:
        why += "; seeds that all agree show no spread to test against, more seeds may"
    elif verdict == "inconclusive" and wanted_power is not None and not pairs.left_out:
        why += f"; {_say_needed(estimate, needed, wanted_power)}"
    ends = (estimate.mean, estimate.low, estimate.high)
    shown = [None if value is None else criterion.shown(value) for value in ends]
    return {
        "network": network,
        "verdict": verdict,
        "why": why,
        "brief": _say_briefly(criterion, estimate, None if pairs.left_out else needed),
        "basis": "counted" if fixed else "tested",
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


def _estimate(criterion: Criterion, pairs: Pairs, confidence: float) -> Estimate:
    if criterion.kind == "ratio":
        return statistics.paired_log_ratio(pairs.first, pairs.second, confidence)
    return statistics.paired_difference(pairs.first, pairs.second, confidence, pairs.least_sd)


def _say(criterion: Criterion, arms: list[str], estimate: Estimate, pairs: Pairs) -> str:
    """What was measured, as a clause."""
    metric = METRICS[criterion.metric]
    if estimate.mean is None:
        return f"no seed has the {metric.words} in both arms"
    value = number(criterion.shown(estimate.mean))
    what = (
        f"the {metric.words} of {arms[0]} is {value} times that of {arms[1]}"
        if criterion.kind == "ratio"
        else f"the {metric.words} of {arms[0]} minus that of {arms[1]} is {value} {criterion.unit}"
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
    agreeing = " (the seeds agree to less than a test image, which is taken for their spread)"
    return (
        f"over {estimate.n} seeds {what}, {100 * criterion.confidence:g} % interval {low} to {high}"
        f"{agreeing if pairs.least_sd and estimate.sd == pairs.least_sd else ''}, "
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
