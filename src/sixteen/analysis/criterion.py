"""What a claim asks of a comparison: of which metric, on which scale, and for which effects it holds."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from sixteen.analysis.statistics import Region
from sixteen.errors import UserError
from sixteen.study.claim import (
    Compared,
    Equivalence,
    Levels,
    RatioAtMost,
    StartsLowerEndsEqual,
)
from sixteen.tasks.measured.parts.metric import Kind, Metric
from sixteen.tasks.measured.parts.metrics import TIMED

Statistical = Compared | Equivalence | RatioAtMost | StartsLowerEndsEqual

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
    the claim names, in the unit that is shown, and `words` say the region in that unit.
    """

    name: str
    metric: Metric
    kind: Kind
    region: Region
    margin: float
    words: str
    confidence: float

    @property
    def unit(self) -> str:
        """Unit in which estimates are shown."""
        return "times" if self.kind == "ratio" else self.metric.unit

    def shown(self, value: float) -> float:
        """A mean or an end of an interval in the unit that is shown."""
        return math.exp(value) if self.kind == "ratio" else value * self.metric.scale


def criteria_of(
    claim: Statistical, metrics: Mapping[str, Metric], levels: Levels
) -> list[Criterion]:
    """The comparisons that all have to hold for a claim; the last that decides is the one whose numbers are shown.

    Raises UserError for a metric that isn't one of `metrics`, and for a clock that isn't measured alone.
    """
    confidence = 1 - 2 * levels.alpha  # this interval decides each one-sided test at level alpha

    def criterion(name: str, kind: Kind, region: Region, margin: float, words: str) -> Criterion:
        if name not in metrics:
            raise UserError(
                f"expected a metric in claim {claim.id!r}, came {name!r}; choose from "
                f"{', '.join(metrics)}"
            )
        if metrics[name].clock and name not in TIMED:
            raise UserError(
                f"expected a clock that is measured alone in claim {claim.id!r}, came {name!r}, by which training runs "
                f"tell their time, which share their machine; choose from {', '.join(TIMED)}"
            )
        return Criterion(name, metrics[name], kind, region, margin, words, confidence)

    match claim:
        case Compared():
            return [criterion(claim.metric, *SIDES[claim.test])]
        case RatioAtMost():
            limit = math.log(claim.value * (1 + claim.tolerance))
            region = Region(-math.inf, limit, closed=True)
            words = f"at most {number(claim.value)} with a tolerance of {100 * claim.tolerance:g} %"
            return [criterion(claim.metric, "ratio", region, claim.value, words)]
        case Equivalence() | StartsLowerEndsEqual():
            region = Region(-claim.margin, claim.margin, closed=True)
            equal = criterion(claim.metric, "difference", region, claim.margin, "")
            margin = equal.shown(claim.margin)
            words = f"within ±{number(margin)} {equal.unit}"
            equal = dataclasses.replace(equal, margin=margin, words=words)
            if isinstance(claim, Equivalence):
                return [equal]
            return [criterion(claim.start_metric, *SIDES["less"]), equal]


NOTHING = 1e-12  # below it a mean of differences is 0 but for rounding


def number(value: float) -> str:
    """A number for a sentence: three significant digits, thousands in full; what adding up leaves of 0 is 0."""
    if abs(value) < NOTHING:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
