"""Claims of papers as data: what is compared, and by which test it is decided."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from sixteen.entry import Count, Entry, Listed, Name, NotNegative, Positive, Text
from sixteen.errors import UserError

FEWEST = 3  # arms of which several things can be said together


class _Claim(Entry):
    """What all claims say.

    `says` is our paraphrase, `source` where the paper says it. `only` is the one network that the claim is about, or
    null; `hardware` the kind of device, or null. `needs` is the id of a claim of the same set without which this one
    can't be supported: that arms are equally good says nothing where even a bad one isn't seen to lose (assay
    sensitivity, ICH E10, 1.5).
    """

    id: Name
    says: Text
    source: Text
    only: Name | None
    hardware: Literal["gpu"] | None
    needs: Name | None = Field(default=None)


class Pair(_Claim):
    """`arms` are compared, the first with the second."""

    arms: Annotated[Listed[Name], Field(min_length=2, max_length=2)]

    def among(self, arms: Sequence[str]) -> tuple[str, ...]:
        """The arms of a study that the claim compares. Raises UserError if the study lacks one."""
        return _all_of(self.id, self.arms, arms)


class Exact(Pair):
    """Decided without statistics: that every tensor keeps its bound, or that the lemma of arXiv:2305.10947 holds."""

    test: Literal["bounded", "lemma"]
    metric: None


class Compared(Pair):
    """One arm has more or less of a metric than the other, as a difference or as a ratio."""

    test: Literal["greater", "less", "ratio_greater", "ratio_less"]
    metric: Text


class Equivalence(Pair):
    """Two arms differ by at most `margin`, in the metric's own numbers."""

    test: Literal["equivalence"]
    metric: Text
    margin: Positive


class NonInferior(Pair):
    """The first arm has not less (not more) of a metric than the second, but for `margin`.

    The margin is in the metric's own numbers, or a share of the second arm's where the metric is compared by ratio.
    """

    test: Literal["not_less", "not_more"]
    metric: Text
    margin: Positive


class StartsLowerEndsEqual(Pair):
    """One arm has less of `start_metric`, and in `metric` they differ by at most `margin`."""

    test: Literal["starts_lower_ends_equal"]
    metric: Text
    start_metric: Text
    margin: Positive


class RatioAtMost(Pair):
    """The ratio of two arms is at most `value`, with a relative `tolerance`."""

    test: Literal["ratio_at_most"]
    metric: Text
    value: Positive
    tolerance: NotNegative


class EqualEffects(_Claim):
    """The first arm minus the second differs by at most `margin` from the third minus the fourth."""

    test: Literal["equal_effects"]
    metric: Text
    arms: Annotated[Listed[Name], Field(min_length=4, max_length=4)]
    margin: Positive

    def among(self, arms: Sequence[str]) -> tuple[str, ...]:
        """The arms of a study that the claim compares. Raises UserError if the study lacks one."""
        return _all_of(self.id, self.arms, arms)


class _Several(_Claim):
    """`arms` are looked at together; a study may lack some of them, as long as it has three."""

    arms: Annotated[Listed[Name], Field(min_length=FEWEST)]

    def among(self, arms: Sequence[str]) -> tuple[str, ...]:
        """The arms of a study that the claim compares, in its order. Raises UserError if there are too few."""
        held = tuple(arm for arm in self.arms if arm in arms)
        if len(held) < FEWEST:
            raise _lacking(self.id, f"at least {FEWEST} of the arms {', '.join(self.arms)}", arms)
        return held


class SeveralNonInferior(_Several):
    """At least `least` of the arms cost less than the last of them, and each of these is `NonInferior` to it.

    What is proved of one arm is proved at the level of all (Holm); the cost is that in bit operations.
    """

    test: Literal["several_not_less", "several_not_more"]
    metric: Text
    margin: Positive
    least: Count

    def among(self, arms: Sequence[str]) -> tuple[str, ...]:
        """See `_Several`; the last arm has to be there, and `least` others."""
        held = super().among(arms)
        if self.arms[-1] not in held or len(held) <= self.least:
            what = f"the arm {self.arms[-1]!r} with at least {self.least} of {', '.join(self.arms[:-1])}"
            raise _lacking(self.id, what, arms)
        return held


class RankCorrelation(_Several):
    """Over the arms, a metric rises (falls) with the cost in bit operations: Kendall's tau-b, one for each seed."""

    test: Literal["rank_correlation_greater", "rank_correlation_less"]
    metric: Text


class Trend(_Claim):
    """A metric rises (falls) along a series of arms: the slope of a line through them, one for each seed.

    The arms of `series` are those named by it and a number, deficit-0, deficit-2, deficit-4 (0_5 is a half), whose unit
    is that of which the slope is told, `per`: an epoch, say.
    """

    test: Literal["trend_greater", "trend_less"]
    metric: Text
    series: Name
    per: Text

    def among(self, arms: Sequence[str]) -> tuple[str, ...]:
        """The arms of the series that a study has, by their numbers. Raises UserError if there are too few."""
        held = sorted((at, arm) for arm in arms if (at := place(self.series, arm)) is not None)
        if len(held) < FEWEST:
            raise _lacking(self.id, f"at least {FEWEST} arms like {self.series}-2", arms)
        return tuple(arm for _, arm in held)


def place(series: str, arm: str) -> float | None:
    """The number of an arm in a series, `deficit-0_5` has 0.5; None for an arm that is of no such name."""
    number = re.fullmatch(rf"{re.escape(series)}-(\d+(?:_\d+)?)", arm)
    return float(number[1].replace("_", ".")) if number else None


def _all_of(claim: str, wanted: tuple[str, ...], arms: Sequence[str]) -> tuple[str, ...]:
    for arm in wanted:
        if arm not in arms:
            raise _lacking(claim, f"the arm {arm!r}", arms)
    return wanted


def _lacking(claim: str, what: str, arms: Sequence[str]) -> UserError:
    return UserError(
        f"claim {claim!r} compares {what}, and the study has only {', '.join(arms)}; add the arm or choose another set "
        "of claims"
    )


Claim = Annotated[
    Exact
    | Compared
    | Equivalence
    | NonInferior
    | StartsLowerEndsEqual
    | RatioAtMost
    | EqualEffects
    | SeveralNonInferior
    | RankCorrelation
    | Trend,
    Field(discriminator="test"),
]


class Table(Entry):
    """A table of a paper that a report shows beside ours.

    Accuracy in % with the spread that the paper gives, or null; seconds on the paper's device; numbers of parameters
    (null: not found), each by network and arm; `notes` say how ours differs.
    """

    source: Text
    accuracy: dict[
        Name, dict[Name, Annotated[tuple[NotNegative, NotNegative | None], Field(strict=False)]]
    ]
    seconds: dict[Name, dict[Name, Positive]]
    parameters: dict[Name, int | None]
    notes: dict[Name, Text]


class Levels(Entry):
    """`confidence` of intervals in tables and figures, `alpha` of every test, `power` of "how many seeds would do"."""

    confidence: Annotated[float, Field(ge=0.5, lt=1)]
    alpha: Annotated[float, Field(ge=1e-6, lt=0.5)]
    power: Annotated[float, Field(ge=0.5, lt=1)]
