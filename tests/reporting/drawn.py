"""What figures draw, read back from their axes: places, numbers, colours, words."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up_project import Project, study
from made_up_studies import CAST
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy import special, stats

from sixteen.reporting.page import Html
from sixteen.reporting.study import Study

NETWORKS, SEEDS = ("resnet8", "resnet14"), 4
LOST = ("resnet14", "float16", 2)  # the run that diverges
# Three, so that a legend shifted by one is seen; all of a seed share their first phase.
ARMS = {
    "float32": "trained-in-float32-by-sgd-until-3/continued-in-float32-by-sgd-until-6",
    "float16": CAST(3, 6),
    "mixed": "trained-in-float32-by-sgd-until-3/continued-in-mixed-by-sgd-until-6",
}
TIMED = (("float16", "float32"), ("mixed", "float32"))


@dataclass(frozen=True)
class Shown:
    """A study, and by name the figures that were drawn of it and what stands below them."""

    study: Study
    figures: dict[str, Figure]
    texts: dict[str, str]

    def finished(self, network: str, arm: str, column: str) -> pd.Series:
        """A column of runs.csv, by seed, of the runs that finished."""
        rows = pd.read_csv(self.study.summary / "runs.csv").set_index("seed")
        chosen = (rows["network"] == network) & (rows["arm"] == arm)
        return rows.loc[chosen & (rows["outcome"] == "finished"), column]

    def panel(self, name: str, network: str) -> Axes:
        """The first panel of a network in a figure: that which says its name."""
        return next(
            axis
            for axis in self.figures[name].axes
            if axis.get_title().replace("\n", " ").partition(":")[0].partition(",")[0] == network
        )


def make(folder: Path, **told: Any) -> Study:
    """A made-up study with a diverged run."""
    usual = {"arms": ARMS, "diverged": LOST, "timed": TIMED, "reach": 0.7} | told
    return study(folder, Project(folder).summarize("demo", NETWORKS, SEEDS, **usual))


def draw(of: Study, made: Iterable[Callable[[Study], Html]]) -> Shown:
    """Draw figures of a study, without writing images."""
    figures: dict[str, Figure] = {}
    texts: dict[str, str] = {}

    def keep(figure: Figure, path: Path, **_: Any) -> None:
        figures[path.stem] = figure
        path.write_bytes(b"")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", keep)
        for function in made:
            before = set(figures)
            text = function(of).text
            texts |= dict.fromkeys(set(figures) - before, text)
    return Shown(of, figures, texts)


def legend(figure: Figure) -> dict[str, str]:
    """The colours of a legend by what it says of them."""
    (box,) = figure.legends
    return {
        text.get_text().replace("\n", " "): _colour(handle)
        for text, handle in zip(box.get_texts(), box.legend_handles, strict=True)
    }


def _colour(handle: Any) -> str:
    return to_hex(handle.get_color() if isinstance(handle, Line2D) else handle.get_facecolor())


def lines(axis: Axes, colour: str, thick: bool) -> list[tuple[list[float], list[float]]]:
    """The lines through several points in a colour, the thick or the thin ones: their x and y."""
    return [
        (list(line.get_xdata()), list(line.get_ydata()))
        for line in axis.lines
        if to_hex(line.get_color()) == colour
        and line.get_linestyle() != "None"
        and (line.get_linewidth() > 2) == thick
        and len(line.get_xdata()) > 1
    ]


def points(axis: Axes, colour: str | None = None, least: float = 0) -> list[tuple[float, float]]:
    """Marks of a colour, from a size up, that stand in the units of both axes."""
    found = []
    for line in axis.lines:
        marks = line.get_linestyle() == "None" and line.get_transform() == axis.transData
        if not marks or line.get_markersize() < least:
            continue
        if colour is None or to_hex(line.get_color()) == colour:
            found += zip(np.ravel(line.get_xdata()), np.ravel(line.get_ydata()), strict=True)
    return [(float(x), float(y)) for x, y in found if np.isfinite([x, y]).all()]


def bars(axis: Axes, colour: str) -> list[list[list[float]]]:
    """Bars in a colour: the two ends of each, as [x, y]."""
    found = []
    for made in axis.collections:
        if isinstance(made, LineCollection) and to_hex(made.get_colors()[0]) == colour:
            found += [np.asarray(part).tolist() for part in made.get_segments()]
    return found


def interval(values: Iterable[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean and ends of the t interval, by another way than the figures take."""
    known = np.asarray(list(values), float)
    low, high = stats.ttest_1samp(known, 0).confidence_interval(confidence)
    return float(known.mean()), float(low), float(high)


def share_interval(values: Iterable[float]) -> tuple[float, float, float]:
    """Mean and ends of the interval of shares in percent: of its log odds, by the slope of the odds there."""
    mean, _, high = (value / 100 for value in interval(values))
    half = (high - mean) / (mean * (1 - mean))
    low, high = special.expit(special.logit(mean) + np.array([-half, half]))
    return 100 * mean, 100 * float(low), 100 * float(high)
