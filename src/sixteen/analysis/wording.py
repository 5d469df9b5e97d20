"""Comparisons in words."""

import math

from sixteen.analysis import statistics
from sixteen.analysis.contrast import Contrast
from sixteen.analysis.criterion import Criterion, number
from sixteen.analysis.pairs import Pairs
from sixteen.analysis.statistics import Estimate

PARTS = {"supported": "all of it", "refuted": "none of it", "inconclusive": "only a part of it"}


def told(
    criterion: Criterion,
    arms: tuple[str, ...],
    estimate: Estimate,
    pairs: Pairs | Contrast,
    by: str,
) -> str:
    """What was measured, as a clause; `by` is what was paired, seed or turn."""
    words = criterion.metric.words
    if estimate.mean is None:
        return f"no {by} has the {words} in {'both' if len(arms) == 2 else 'all'} arms"
    value = number(criterion.shown(estimate.mean))
    if isinstance(pairs, Contrast):
        what = f"the {words} over {', '.join(arms)} is {value} {criterion.unit}"
    elif criterion.kind == "ratio":
        what = f"the {words} of {arms[0]} is {value} times that of {arms[1]}"
    else:
        what = f"the {words} of {arms[0]} minus that of {arms[1]} is {value} {criterion.unit}"
    raised = _raised(criterion, pairs) if isinstance(pairs, Pairs) else ""
    if estimate.low is None or estimate.high is None:
        return f"{what} for one {by}, which gives no interval{raised}"
    if estimate.sd == 0:
        negation = "" if criterion.region.holds(estimate.low, estimate.high) else "not "
        each = f"for each of {estimate.n} {by}s, without spread{raised}"
        return f"{what} {each}: {negation}{criterion.words}"
    low, high = (number(criterion.shown(end)) for end in (estimate.low, estimate.high))
    step = "a test item" if by == "seed" else "the steps in which it was tried"
    step = pairs.step if isinstance(pairs, Contrast) else step
    agreeing = f" (the {by}s agree to less than {step}, which is taken for their spread)"
    return (
        f"over {estimate.n} {by}s {what}, {100 * criterion.confidence:g} % interval {low} to {high}"
        f"{agreeing if pairs.least_sd and estimate.sd == pairs.least_sd else ''}"
        f"{raised}, {PARTS[statistics.decide(estimate, criterion.region)]} {criterion.words}"
    )


def _raised(criterion: Criterion, pairs: Pairs) -> str:
    """How many values stand at their floor, in brackets."""
    if not pairs.raised:
        return ""
    metric, every = criterion.metric, len(pairs.first) + len(pairs.second)
    return (
        f" ({pairs.raised} of {every} deviations are less than what whole test items bring by themselves, and stand at "
        f"that: {number(pairs.floor * metric.scale)} {metric.unit})"
    )


def detectable(criterion: Criterion, effect: float, power: float, family: int) -> str:
    """The least true effect that would be told, as the end of a sentence; `effect` is in the metric's own numbers.

    What lies beyond a margin is told at the level that `family` tests at once ask for, as `comparison` decides.
    """
    region, shown = criterion.region, criterion.shown(effect)
    if bounded := math.isfinite(region.low + region.high):
        what = f"a true difference of {number(shown)} {criterion.unit} or more"
    elif criterion.kind == "ratio":
        what = (
            f"a true ratio of {number(shown)} or {'more' if math.isfinite(region.low) else 'less'}"
        )
    elif criterion.margin:
        which = "more" if math.isfinite(region.low) else "less"
        what = f"a true difference of {number(shown)} {criterion.unit} or {which}"
    else:
        side, noun = "above" if math.isfinite(region.low) else "below", criterion.noun
        what = f"a true {noun} of {number(abs(shown))} {criterion.unit} or more {side} 0"
    told = "told from the margin" if bounded else "told"
    level = f" at the level of {family} tests at once" if bounded and family > 1 else ""
    return f"; with this spread {what} would be {told} with power {power:g}{level}"


def mute(by: str) -> str:
    """That those which all agree decide nothing, as the end of a sentence."""
    return f"; {by}s that all agree show no spread to test against, more {by}s may"


def needed(estimate: Estimate, n: int | None, power: float, by: str, guessed: bool) -> str:
    """How many would decide, as the end of a sentence; not told where the spread is only a guess."""
    if estimate.n < 2:
        return f"; at least 2 {by}s are needed"
    if guessed:
        return f"; how many {by}s would decide can't be said from what is put in place of too small a spread"
    if n is None:
        return f"; the effect is so close to the limit that {statistics.LARGEST_N:,} {by}s wouldn't decide"
    return f"; if this effect and spread are the true ones, {n} {by}s decide with power {power:g}"


def briefly(criterion: Criterion, estimate: Estimate, n: int | None, by: str) -> str:
    """What was measured in a few words, for a list; `n` would decide."""
    words = criterion.metric.words
    if estimate.mean is None:
        return f"{words} not measured"
    text = f"{words} {number(criterion.shown(estimate.mean))} {criterion.unit}"
    if estimate.low is not None and estimate.high is not None:
        low, high = (number(criterion.shown(end)) for end in (estimate.low, estimate.high))
        text += f", {100 * criterion.confidence:g} % interval {low} to {high}"
    text += f", {estimate.n} {by}{'s' if estimate.n > 1 else ''}"
    return f"{text}, {n} would decide" if n else text


def left_out(runs: list[str]) -> str:
    """What isn't counted, as the end of a sentence."""
    return f"; not counted: {', '.join(runs)}" if runs else ""
