"""Claims of papers as data: what is compared, and by which test it is decided."""

from typing import Annotated, Literal

from pydantic import Field

from sixteen.entry import Entry, Listed, Name, NotNegative, Positive, Text


class _Claim(Entry):
    """What all claims say.

    `says` is our paraphrase, `source` where the paper says it. `arms` are compared, the first with the second.
    `only` is the one network that the claim is about, or null; `hardware` the kind of device, or null.
    """

    id: Name
    says: Text
    source: Text
    arms: Annotated[Listed[Name], Field(min_length=2, max_length=2)]
    only: Name | None
    hardware: Literal["gpu"] | None


class Exact(_Claim):
    """Decided without statistics: that every tensor keeps its bound, or that the lemma of arXiv:2305.10947 holds."""

    test: Literal["bounded", "lemma"]
    metric: None


class Compared(_Claim):
    """One arm has more or less of a metric than the other, as a difference or as a ratio."""

    test: Literal["greater", "less", "ratio_greater", "ratio_less"]
    metric: Text


class Equivalence(_Claim):
    """Two arms differ by at most `margin`, in the metric's own numbers."""

    test: Literal["equivalence"]
    metric: Text
    margin: Positive


class StartsLowerEndsEqual(_Claim):
    """One arm has less of `start_metric`, and in `metric` they differ by at most `margin`."""

    test: Literal["starts_lower_ends_equal"]
    metric: Text
    start_metric: Text
    margin: Positive


class RatioAtMost(_Claim):
    """The ratio of two arms is at most `value`, with a relative `tolerance`."""

    test: Literal["ratio_at_most"]
    metric: Text
    value: Positive
    tolerance: NotNegative


Claim = Annotated[
    Exact | Compared | Equivalence | StartsLowerEndsEqual | RatioAtMost, Field(discriminator="test")
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
