"""Arms by name along an axis: names may be sentences of their own, and many may stand side by side."""

import math
from dataclasses import dataclass

from matplotlib.axes import Axes

from sixteen.reporting.figures.plate import WIDTH, wrapped
from sixteen.reporting.study import Study

LETTER, LINE = 0.085, 0.17  # inches
LONG = 32  # letters of a name that may stand in one line
SLANT = 40  # degrees


@dataclass(frozen=True)
class _Names:
    """The names as they are written, and the angle in degrees at which they don't run into each other."""

    texts: list[str]
    angle: float

    @property
    def height(self) -> float:
        """Inches that they take more than a line does."""
        longest = max(len(line) for text in self.texts for line in text.split("\n"))
        return 0.075 * longest * (self.angle / 90) ** 0.5


def arm_axis(study: Study, axis: Axes) -> None:
    """Arms by name along the x axis, in lines and slanted where they would run into each other."""
    cell = axis.get_subplotspec()
    names = _names(study, cell.get_gridspec().ncols if cell else 1)
    axis.set_xticks(range(len(study.arms)), names.texts)
    if names.angle:
        axis.tick_params(axis="x", rotation=names.angle)
        for label in axis.get_xticklabels() if names.angle < 90 else ():
            label.set(ha="right", rotation_mode="anchor")
    axis.set_xlim(-0.6, len(study.arms) - 0.4)
    axis.grid(axis="x", visible=False)


def arm_room(study: Study, columns: int) -> float:
    """Inches that a panel has to be higher for the names of the arms, with so many panels in a row."""
    return _names(study, columns).height


def _names(study: Study, columns: int) -> _Names:
    slot = (WIDTH / columns - 0.8) / len(study.arms)
    longest = max(map(len, study.arms))
    if longest * LETTER <= slot:
        return _Names(study.arms, 0)
    if longest <= LONG and slot > 0.35:
        return _Names(study.arms, SLANT)
    # Upright, in as many lines as an arm has room for; a line has to hold the longest word.
    lines = max(1, int(slot / LINE) - 1)
    return _Names(
        [wrapped(arm, max(LONG, math.ceil(longest / lines) + 4)) for arm in study.arms], 90
    )
