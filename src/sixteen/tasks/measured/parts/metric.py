"""What a metric is: its words, its unit, which way is better, and how two arms are compared by it."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

POINTS = "percentage points"
SHARE, COSINE = (0.0, 1.0), (-1.0, 1.0)
Better = Literal["more", "less"] | None  # None: neither
Kind = Literal["difference", "ratio"]


@dataclass(frozen=True)
class Metric:
    """A metric in words. `scale` turns a value (a share, say) into `unit` (percentage points).

    `kind` says how two arms are compared: by the `difference` or the `ratio` of paired runs. `spread` says what it
    means that seeds agree: a `measured` metric then shows no spread to test against; what is counted in test `items`
    varies by less than one of them, which is worth 1 / n and is taken for its spread; what was `tried` comes in steps, see
    sixteen.timing.largest, which are taken for it likewise; memory that is `allocated` may
    well be the same each time, which decides; a `fixed` one is counted from shapes, the same for every seed, and
    decides exactly. What is a `clock` depends on what else the machine does: claims on it are decided from timings.
    `ends` are those of what is a share or a cosine, before scaling: the interval of its mean stays between them.
    """

    words: str
    unit: str
    scale: float
    better: Better
    kind: Kind
    spread: Literal["measured", "items", "tried", "allocated", "fixed"]
    clock: bool
    ends: tuple[float, float] | None = None


def share_of_items(words: str, better: Better, kind: Kind) -> Metric:
    """A share of the test items."""
    return Metric(words, POINTS, 100, better, kind, "items", clock=False, ends=SHARE)


def share(words: str, better: Better) -> Metric:
    """Any other share."""
    return dataclasses.replace(percentage(words, better), ends=SHARE)


def percentage(words: str, better: Better) -> Metric:
    """A part of something that may be more than the whole of it: an error in percent."""
    return Metric(words, POINTS, 100, better, "difference", "measured", clock=False)


def measured(words: str, unit: str, better: Better, kind: Kind) -> Metric:
    """A number in the unit in which it is shown."""
    return Metric(words, unit, 1, better, kind, "measured", clock=False)
