"""What a claim asks of a comparison: of which metric, on which scale, and for which effects it holds."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sixteen.analysis.statistics import Region, ratio_of
from sixteen.errors import UserError
from sixteen.study.claim import (
    Compared,
    EqualEffects,
    Equivalence,
    Levels,
    NonInferior,
    Pair,
    RankCorrelation,
    RatioAtMost,
    SeveralNonInferior,
    StartsLowerEndsEqual,
    Trend,
)
from sixteen.tasks.measured.parts.metric import COSINE, Kind, Metric
from sixteen.tasks.measured.parts.metrics import TIMED

Paired = Compared | Equivalence | NonInferior | RatioAtMost | StartsLowerEndsEqual
Statistical = Paired | SeveralNonInferior | RankCorrelation | Trend | EqualEffects

ABOVE, BELOW = Region(0, math.inf, closed=False), Region(-math.inf, 0, closed=False)
SIDES: dict[str, tuple[Kind, Region, float, str]] = {
    "greater": ("difference", ABOVE, 0, "above 0"),
    "less": ("difference", BELOW, 0, "below 0"),
    "ratio_greater": ("ratio", ABOVE, 1, "above 1"),
    "ratio_less": ("ratio", BELOW, 1, "below 1"),
}


@dataclass(frozen=True)
class Criterion:
    """One comparison: of which metric, on which scale, and for which effects the claim holds.

    `region` is in the metric's own numbers, of logarithms for a ratio; `margin` is the number that
    the claim names, in the unit that is shown, and `words` say the region in that unit. `noun` is what is estimated.
    """

    name: str
    metric: Metric
    kind: Kind
    region: Region
    margin: float
    words: str
    confidence: float
    noun: Literal["difference", "value"]

    @property
    def unit(self) -> str:
        """Unit in which estimates are shown."""
        return "times" if self.kind == "ratio" else self.metric.unit

    def shown(self, value: float) -> float:
        """A mean or an end of an interval in the unit that is shown."""
        return ratio_of(value) if self.kind == "ratio" else value * self.metric.scale


def criteria_of(
    claim: Statistical, metrics: Mapping[str, Metric], levels: Levels
) -> list[Criterion]:
    """The comparisons that all have to hold for a claim; the last that decides is the one whose numbers are shown.

    Raises UserError for a metric that isn't one of `metrics`, and for a clock that isn't measured alone.
    """
    confidence = 1 - 2 * levels.alpha  # this interval decides each one-sided test at level alpha

    def criterion(name: str, kind: Kind, region: Region, margin: float, words: str) -> Criterion:
        metric = _known(claim, name, metrics)
        return Criterion(name, metric, kind, region, margin, words, confidence, "difference")

    match claim:
        case Compared():
            return [criterion(claim.metric, *SIDES[claim.test])]
        case RatioAtMost():
            limit = math.log(claim.value * (1 + claim.tolerance))
            region = Region(-math.inf, limit, closed=True)
            words = f"at most {number(claim.value)} with a tolerance of {100 * claim.tolerance:g} %"
            return [criterion(claim.metric, "ratio", region, claim.value, words)]
        case Equivalence() | StartsLowerEndsEqual() | EqualEffects():
            region = Region(-claim.margin, claim.margin, closed=True)
            equal = criterion(claim.metric, "difference", region, claim.margin, "")
            margin = equal.shown(claim.margin)
            words = f"within ±{number(margin)} {equal.unit}"
            equal = dataclasses.replace(equal, margin=margin, words=words)
            if isinstance(claim, EqualEffects):
                words = f"difference of two effects on the {equal.metric.words}"
                of = dataclasses.replace(equal.metric, words=words)
                return [dataclasses.replace(equal, metric=of)]
            if isinstance(claim, Equivalence):
                return [equal]
            return [criterion(claim.start_metric, *SIDES["less"]), equal]
        case NonInferior() | SeveralNonInferior():
            return [_non_inferior(claim, criterion(claim.metric, *SIDES["greater"]))]
        case RankCorrelation() | Trend():
            return [_over_arms(claim, criterion(claim.metric, *SIDES["greater"]))]


def _known(claim: Statistical, name: str, metrics: Mapping[str, Metric]) -> Metric:
    """The metric of that name, if the claim can be decided by it."""
    if name not in metrics:
        raise UserError(
            f"expected a metric in claim {claim.id!r}, came {name!r}; choose from {', '.join(metrics)}"
        )
    if metrics[name].clock and name not in TIMED:
        raise UserError(
            f"expected a clock that is measured alone in claim {claim.id!r}, came {name!r}, by which training runs "
            f"tell their time, which share their machine; choose from {', '.join(TIMED)}"
        )
    if metrics[name].clock and not isinstance(claim, Pair):
        raise UserError(
            f"expected a metric of runs in claim {claim.id!r}, came {name!r}, which is measured of two arms in turns"
        )
    return metrics[name]


def _non_inferior(claim: NonInferior | SeveralNonInferior, base: Criterion) -> Criterion:
    """Not less (more) but for the margin, on the scale on which the metric is compared."""
    less = claim.test.endswith("less")
    limit = -claim.margin if less else claim.margin
    if base.metric.kind == "ratio":
        limit = math.log1p(limit)
    region = Region(limit, math.inf, closed=True) if less else Region(-math.inf, limit, closed=True)
    made = dataclasses.replace(base, kind=base.metric.kind, region=region)
    shown = made.shown(limit)
    words = f"at {'least' if less else 'most'} {number(shown)}"
    words += "" if made.kind == "ratio" else f" {made.unit}"
    return dataclasses.replace(made, margin=shown, words=words)


def _over_arms(claim: RankCorrelation | Trend, base: Criterion) -> Criterion:
    """A number of several arms together is a metric of its own, which is above (below) nothing."""
    of = base.metric
    if isinstance(claim, RankCorrelation):
        words = f"rank correlation of the {of.words} with the cost of training"
        one = dataclasses.replace(of, words=words, unit=TAU, scale=1, ends=COSINE)
    elif of.kind == "ratio":
        words, unit = f"growth of the {of.words}", f"% per {claim.per} (in logarithms)"
        one = dataclasses.replace(of, words=words, unit=unit, scale=100, ends=None)
    else:
        unit = f"{of.unit} per {claim.per}"
        one = dataclasses.replace(of, words=f"slope of the {of.words}", unit=unit, ends=None)
    one = dataclasses.replace(one, spread="measured")
    kind, region, margin, words = SIDES[claim.test.rpartition("_")[2]]
    return Criterion(base.name, one, kind, region, margin, words, base.confidence, "value")


TAU = "(Kendall's tau)"
NOTHING = 1e-12  # below it a mean of differences is 0 but for rounding


def number(value: float) -> str:
    """A number for a sentence: three significant digits, thousands in full; what adding up leaves of 0 is 0.

    What isn't 1 has the digits that tell so: a ratio of 1.0045 isn't "1 times" another.
    """
    if abs(value) < NOTHING:
        return "0"
    from_one = abs(abs(value) - 1)
    if NOTHING < from_one < 0.005:
        return f"{value:.{1 - math.floor(math.log10(from_one))}f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
