"""Ratios of times: of training, by the clocks of its runs, against a reference and against what the paper claims."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from sixteen.reporting.figures.plate import NEUTRAL, WIDTH, how_to_read, look, save, style
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study

PAPER = (
    " The open diamond is the number of the paper, for that network and the device of its authors "
    "alone."
)


@dataclass(frozen=True)
class Ratio:
    """A line of the figure: ratios one by one, their mean with its interval, and the look of the arm."""

    label: str
    values: pd.Series
    mean: float
    low: float  # NaN for one pair alone, which has no interval
    high: float
    colour: str
    marker: str


def speed(study: Study, arm: str, reference: str) -> Html:
    """Training time of an arm over that of the reference, a network a row, and what the paper claims."""
    title = f"Training time of {arm} relative to {reference}"
    ratios = study.table("differences").query(
        "metric == 'train_seconds' and kind == 'ratio' and arm == @arm and reference == @reference"
    )
    ratios = ratios.dropna(subset="mean").set_index("network")
    if ratios.empty:
        return nothing(title, "no pair of runs in this study")
    times = study.runs.query("outcome == 'finished'").pivot_table(
        index=["network", "seed"], columns="arm", values="train_seconds"
    )
    pairs = (times[arm] / times[reference]).dropna().rename("ratio").reset_index()
    colour, marker, _ = look(study, arm)
    rows = []
    for network in (name for name in study.networks if name in ratios.index):
        row = ratios.loc[network]
        values = pairs.loc[pairs["network"] == network, "ratio"]
        label, ends = f"{network}, n = {int(row['n'])}", (row["mean"], row["low"], row["high"])
        rows.append(Ratio(label, values, *ends, colour, marker))
    paper = published(study, arm, reference)
    with style():
        figure = draw(rows, paper, f"training time {arm} / {reference}, without compilation")
        figure.axes[0].set_title(f"on {study.device}", loc="left", fontweight="normal")
        return save(
            study,
            f"speed-{arm}",
            title,
            figure,
            pairs.merge(ratios[["n", "mean", "low", "high"]].reset_index(), on="network"),
            "Ratio of the training times of the last phase, paired by seed, by the clocks of the runs themselves, which "
            f"may have shared their machine: for information. Measured on {study.device}; "
            f"logarithmic axis. Small points: pairs. {how_to_read(study)}"
            + (PAPER if paper else ""),
        )


def published(study: Study, arm: str, reference: str) -> dict[str, float]:
    """The ratios of times that claims of the study name for two arms, by what they are about."""
    return {
        f"{claim['only'] or 'every network'}, paper": claim["value"]
        for claim in study.parameters["claims"]
        if claim["metric"] == "step_seconds"
        and claim["test"] == "ratio_at_most"
        and claim["arms"] == [arm, reference]
    }


def draw(rows: list[Ratio], paper: dict[str, float], label: str) -> Figure:
    """Ratios below each other on a logarithmic axis; those of the paper have lines of their own."""
    figure = Figure(figsize=(WIDTH, 1.3 + 0.5 * (len(rows) + len(paper))), layout="constrained")
    axis = figure.subplots()
    axis.axvline(1, color=NEUTRAL, linewidth=1.2)
    for y, row in enumerate(rows):
        places = np.full(len(row.values), y + 0.22)
        axis.plot(row.values, places, "o", color=row.colour, alpha=0.55, markersize=4)
        if pd.notna(row.low):
            axis.hlines(y, row.low, row.high, color=row.colour, linewidth=2.4)
        axis.plot(row.mean, y, row.marker, color=row.colour, markersize=8)
        _number(axis, row.mean, y, row.colour)
    for y, ratio in enumerate(paper.values(), start=len(rows)):
        axis.plot(ratio, y, "D", color=NEUTRAL, markerfacecolor="white", markersize=7)
        _number(axis, ratio, y, NEUTRAL)
    ticks = [*(row.label for row in rows), *paper]
    axis.set_yticks(range(len(ticks)), ticks)
    axis.set_ylim(len(ticks) - 0.45, -0.75)
    axis.set_xscale("log")
    _plain_log_axis(axis)
    axis.set_xlabel(f"{label} (below 1: faster)")
    return figure


def _number(axis: Axes, ratio: float, y: float, colour: str) -> None:
    axis.annotate(f"{ratio:.3g}", (ratio, y), (0, 8), textcoords="offset points", ha="center",
                  color=colour)  # fmt: skip


def _plain_log_axis(axis: Axes) -> None:
    """Ticks that read as ratios (0.5, 0.7, 1), not as powers of ten."""
    low, high = axis.get_xlim()
    low, high = min(low, 0.9) / 1.05, max(high, 1.1) * 1.05
    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50)
    axis.xaxis.set_major_locator(FixedLocator([step for step in steps if low <= step <= high]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_xlim(low, high)
