"""Estimates with their intervals, a row each: filled where significant, open where not."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from sixteen.reporting.figures.plate import NEUTRAL

_SHAPE: dict[str, Any] = {"linestyle": "", "marker": "o", "color": NEUTRAL, "markersize": 6}
FILLED = {**_SHAPE, "label": "significant"}
OPEN = {**_SHAPE, "markerfacecolor": "white", "label": "not significant"}


def estimate(
    axis: Axes,
    row: pd.Series,
    place: float,
    scale: float,
    colour: str,
    marker: str,
    significant: bool,
) -> None:
    """Draw ``mean``, ``low`` and ``high`` of a row at height ``place``; no bar without an interval."""
    if pd.notna(row["low"]):
        axis.hlines(
            place, row["low"] * scale, row["high"] * scale, color=colour, linewidth=1.8, zorder=2
        )
    axis.plot(
        row["mean"] * scale,
        place,
        marker,
        color=colour,
        markersize=6,
        markerfacecolor=colour if significant else "white",
        zorder=3,
    )
