"""Heat maps of a network: its tensors from first to last, each a row."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from sixteen.reporting.figures.plate import WIDTH
from sixteen.reporting.numbers import signed

NAMED = 26  # tensors of which each can have its name on the axis


def sheets(grids: dict[str, pd.DataFrame]) -> tuple[Figure, dict[str, Axes]]:
    """A figure with one heat map below the other, as high as their rows ask for."""
    heights = [max(1.9, 0.17 * min(len(grid), NAMED)) + 0.5 for grid in grids.values()]
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.3), layout="constrained")
    axes = figure.subplots(len(grids), height_ratios=heights, squeeze=False).ravel()
    return figure, dict(zip(grids, axes, strict=True))


def heat(axis: Axes, grid: pd.DataFrame, label: str, largest: float) -> QuadMesh:
    """Draw ``grid`` [tensors, places], values from 0 to ``largest``; NaN (not measured) stays white."""
    axis.set_facecolor("white")
    axis.grid(visible=False)
    mesh = axis.pcolormesh(
        np.arange(len(grid.columns) + 1) - 0.5,
        np.arange(len(grid) + 1) - 0.5,
        np.ma.masked_invalid(grid.to_numpy(dtype=float)),
        cmap="viridis",
        vmin=0,
        vmax=largest or 1,
        rasterized=True,
    )
    step = -(-len(grid.columns) // 20)
    axis.set_xticks(
        range(0, len(grid.columns), step), [signed(f"{place}") for place in grid.columns[::step]]
    )
    every = -(-len(grid) // NAMED)
    axis.set_yticks(range(0, len(grid), every), grid.index[::every], fontsize=7)
    axis.invert_yaxis()
    bar = axis.get_figure().colorbar(mesh, ax=axis, pad=0.01, aspect=30)  # pyright: ignore
    bar.set_label(label)
    return mesh
