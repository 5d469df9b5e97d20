"""Training time against a reference, and against what the paper claims."""

import numpy as np
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


def speed(study: Study, arm: str, reference: str) -> Html:
    """Training time of an arm over that of the reference, a network a row, and what the paper claims.

    A ratio that a claim of the study names has a row of its own, since it was measured on another device.
    """
    published = {
        f"{claim['only'] or 'every network'}, paper": claim["value"]
        for claim in study.parameters["claims"]
        if claim["metric"] == "train_seconds"
        and claim["test"] == "ratio_at_most"
        and claim["arms"] == [arm, reference]
    }
    name, title = f"speed-{arm}", f"Training time of {arm} relative to {reference}"
    ratios = study.table("differences").query(
        "metric == 'train_seconds' and kind == 'ratio' and arm == @arm and reference == @reference"
    )
    ratios = ratios.dropna(subset="mean")
    if ratios.empty:
        return nothing(title, "no pair of runs in this study")
    times = study.runs.query("outcome == 'finished'").pivot_table(
        index=["network", "seed"], columns="arm", values="train_seconds"
    )
    pairs = (times[arm] / times[reference]).dropna().rename("ratio").reset_index()
    colour, marker, _ = look(study, arm)
    rows = [n for n in study.networks if n in set(ratios["network"])]
    ticks = [f"{n}, n = {int(ratios.loc[ratios['network'] == n, 'n'].iloc[0])}" for n in rows]
    with style():
        figure = Figure(
            figsize=(WIDTH, 1.3 + 0.5 * (len(rows) + len(published))), layout="constrained"
        )
        axis = figure.subplots()
        axis.axvline(1, color=NEUTRAL, linewidth=1.2)
        for y, network in enumerate(rows):
            row = ratios[ratios["network"] == network].iloc[0]
            seeds = pairs.loc[pairs["network"] == network, "ratio"]
            axis.plot(
                seeds, np.full(len(seeds), y + 0.22), "o", color=colour, alpha=0.55, markersize=4
            )
            axis.hlines(y, row["low"], row["high"], color=colour, linewidth=2.4)
            axis.plot(row["mean"], y, marker, color=colour, markersize=8)
            axis.annotate(f"{row['mean']:.3g}", (row["mean"], y), (0, 8), textcoords="offset points",
                          ha="center", color=colour)  # fmt: skip
        for y, (label, ratio) in enumerate(published.items(), start=len(rows)):
            axis.plot(ratio, y, "D", color=NEUTRAL, markerfacecolor="white", markersize=7)
            axis.annotate(f"{ratio:.3g}", (ratio, y), (0, 8), textcoords="offset points",
                          ha="center", color=NEUTRAL)  # fmt: skip
            ticks.append(label)
        axis.set_yticks(range(len(ticks)), ticks)
        axis.set_ylim(len(ticks) - 0.45, -0.75)
        axis.set_xscale("log")
        _plain_log_axis(axis)
        axis.set_xlabel(f"training time {arm} / {reference}, without compilation (below 1: faster)")
        axis.set_title(f"on {study.device}", loc="left", fontweight="normal")
        return save(
            study,
            name,
            title,
            figure,
            pairs.merge(ratios[["network", "n", "mean", "low", "high"]], on="network"),
            f"Ratio of the training times of the last phase, paired by seed, measured on {study.device}; "
            f"logarithmic axis. Small points: pairs. {how_to_read(study)}"
            + (PAPER if published else ""),
        )


def _plain_log_axis(axis: Axes) -> None:
    """Ticks that read as ratios (0.5, 0.7, 1), not as powers of ten."""
    low, high = axis.get_xlim()
    low, high = min(low, 0.9) / 1.05, max(high, 1.1) * 1.05
    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50)
    axis.xaxis.set_major_locator(FixedLocator([step for step in steps if low <= step <= high]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_xlim(low, high)
