"""Schedules of bits as they were run: a small panel each, with its own cost."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sixteen.reporting.figures.plate import LOOKS, NEUTRAL, WIDTH, legend, save, style
from sixteen.reporting.numbers import number
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.schedules import GROUPS, Scheduled, costs, scheduled
from sixteen.reporting.study import Study

COLUMNS = 4
COLOURS: dict[str | None, str] = dict(
    zip((*GROUPS, None), (LOOKS[3][0], LOOKS[0][0], LOOKS[2][0], NEUTRAL), strict=True)
)
POINTS = 2000  # of a schedule in the data beside the figure, at most


def schedules(study: Study) -> Html:
    """Forward bits over the training of each arm that ends on a grid of few bits, of the first network."""
    title, network = "Schedules of bits", study.networks[0]
    shown, relative = scheduled(study, network), costs(study, network)
    if not shown:
        return nothing(title, "no arm of this study computes with few bits")
    with style():
        rows = -(-len(shown) // COLUMNS)
        figure = Figure(figsize=(WIDTH, 0.5 + 1.45 * rows), layout="constrained")
        axes = figure.subplots(rows, COLUMNS, squeeze=False, sharey=True).ravel()
        for axis, one in zip(axes, shown.values(), strict=False):
            _draw(axis, one)
            axis.set_title(f"{one.arm}: {number(relative[one.arm])}")
        for i, axis in enumerate(axes):
            if i >= len(shown):
                axis.set_axis_off()
            if i % COLUMNS == 0:
                axis.set_ylabel("forward bits")
            if i + COLUMNS >= len(shown):
                axis.set_xlabel("epoch")
                axis.tick_params(labelbottom=True)
        legend(figure, handles({one.group for one in shown.values()}))
        others = [arm for arm in study.arms if arm not in shown]
        beside = f" Not drawn: {', '.join(others)}, without such layers." if others else ""
        return save(
            study,
            "schedules",
            title,
            figure,
            _data(shown),
            f"Bits of weights and inputs of the quantized layers in each step, as it was run on {network}; the gradients of "
            "their outputs keep theirs. Beside the name the cost: bit operations of the whole training, "
            f"over those of {study.arms[0]}; a schedule that is cut to few steps costs other than the paper's, which has "
            f"64,000.{beside}",
        )


def handles(groups: set[str | None]) -> list[Line2D]:
    """Legend entries of the groups by savings that are drawn."""
    return [
        Line2D(
            [], [], color=colour, linewidth=2.2, label=f"{name} savings" if name else "no cycles"
        )
        for name, colour in COLOURS.items()
        if name in groups
    ]


def _draw(axis: Axes, one: Scheduled) -> None:
    epochs = one.first + np.arange(len(one.bits) + 1) * one.epochs / len(one.bits)
    axis.stairs(one.bits, epochs, color=COLOURS[one.group], linewidth=1.3, baseline=None)
    axis.set_ylim(0, max(one.precision.high, one.precision.low) + 1)
    axis.set_xlim(one.first, one.first + one.epochs)
    for line in (axis.xaxis, axis.yaxis):
        line.set_major_locator(MaxNLocator(integer=True, nbins=4))


def _data(shown: dict[str, Scheduled]) -> pd.DataFrame:
    """Every so many steps of each schedule."""
    tables = []
    for one in shown.values():
        every = max(1, len(one.bits) // POINTS)
        steps = np.arange(0, len(one.bits), every)
        tables.append(pd.DataFrame({"arm": one.arm, "step": steps, "bits": one.bits[::every]}))
    return pd.concat(tables, ignore_index=True)
