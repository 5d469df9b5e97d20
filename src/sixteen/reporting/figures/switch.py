"""What was reached against the epoch of the switch to 16 bit, from 0 (16 bit from scratch) to never."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from sixteen.reporting.figures.plate import (
    NEUTRAL,
    how_to_read,
    legend,
    look,
    panels,
    save,
    style,
    within_percent,
)
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study, interval
from sixteen.study.sentence import parse
from sixteen.tasks.measured.parts.metric import POINTS

KEY = ["network", "arm"]


def sweep(study: Study) -> Html:
    """The main metric of the task after the last epoch by switch epoch: every seed, mean and interval."""
    main, metric = study.main, study.metrics[study.main]
    title = f"{metric.words[0].upper()}{metric.words[1:]} against the epoch of the switch"
    runs = study.runs.query("outcome == 'finished'").dropna(subset=[main])
    points = runs[[*KEY, "seed", main]].merge(_switches(study), on=KEY)
    points[main] *= metric.scale
    ends = metric.ends and (metric.ends[0] * metric.scale, metric.ends[1] * metric.scale)
    if points.empty or points.groupby("network")["switch_epoch"].nunique().max() < 2:
        return nothing(title, "the arms of this study don't differ in the epoch of their switch")
    means = points.groupby([*KEY, "switch_epoch", "never"])[main].apply(
        lambda values: pd.Series(
            interval(values, study.confidence, ends), index=["n", "mean", "low", "high"]
        )
    )
    means = means.unstack().reset_index()
    networks = [network for network in study.networks if network in set(points["network"])]
    with style():
        figure, axes = panels(networks, 1, 3.3)
        for network, (axis,) in zip(networks, axes, strict=True):
            mine = means[means["network"] == network]
            _draw(study, axis, points[points["network"] == network], mine)
            _ticks(axis, mine)
            axis.set_title(f"{network}: {study.seeds(network)}")
            axis.set_xlabel("epochs before the switch to 16 bit")
            axis.set_ylabel(study.main_label)
            if metric.unit == POINTS:
                within_percent(axis)
        legend(figure, [_handle(study, arm) for arm in study.arms if arm in set(means["arm"])])
        return save(
            study,
            "switch-epoch",
            title,
            figure,
            points.merge(means, on=[*KEY, "switch_epoch", "never"]),
            f"{metric.words[0].upper()}{metric.words[1:]} after the last epoch, by the epochs that were trained in "
            "32 bit first: 0 is 16 bit from scratch; never, at the last epoch, is 32 bit to the end (dashed: its "
            f"mean). Small points: seeds. {how_to_read(study)} Arms of one epoch stand side by side. The vertical "
            "axis doesn't begin at zero.",
        )


def _switches(study: Study) -> pd.DataFrame:
    """Epoch at which each arm of a network first computes in 16 bit, its last epoch if it never does."""
    compute = {name: p["compute"] for name, p in study.parameters["precisions"].items()}
    epochs = study.table("curves").groupby([*KEY, "phase"])["epoch"].agg(["min", "max"])
    rows = []
    for network, arm in dict.fromkeys(zip(study.runs["network"], study.runs["arm"], strict=True)):
        phrases = [p for p in parse(study.parameters["arms"][arm]) if p.recipe is not None]
        short = [i for i, p in enumerate(phrases) if compute[p.precision] != "float32"]
        mine = epochs.loc[(network, arm)]
        epoch = mine.loc[short[0], "min"] if short else mine["max"].max()
        rows.append((network, arm, int(epoch), not short))
    return pd.DataFrame(rows, columns=[*KEY, "switch_epoch", "never"])


def _draw(study: Study, axis: Axes, points: pd.DataFrame, means: pd.DataFrame) -> None:
    end = means["switch_epoch"].max()
    for level in means.loc[means["never"], "mean"].head(1):
        axis.axhline(level, color=NEUTRAL, linewidth=1, linestyle=(0, (4, 2)), zorder=1)
    for epoch, group in means.groupby("switch_epoch"):
        # Beside each other in the order of the study, the seeds left of their mean.
        arms = [arm for arm in study.arms if arm in set(group["arm"])]
        for i, arm in enumerate(arms):
            place = float(epoch) + 0.05 * end * (i - (len(arms) - 1) / 2)  # pyright: ignore
            row = group[group["arm"] == arm].iloc[0]
            seeds = points.loc[points["arm"] == arm, study.main]
            colour, marker, _ = look(study, arm)
            axis.plot(np.full(len(seeds), place - 0.012 * end), seeds, marker, color=colour,
                      alpha=0.45, markersize=4)  # fmt: skip
            if row["n"] > 1:
                axis.vlines(
                    place + 0.008 * end, row["low"], row["high"], color=colour, linewidth=2.2
                )
                axis.plot(place + 0.008 * end, row["mean"], marker, color=colour, markersize=7.5)


def _ticks(axis: Axes, means: pd.DataFrame) -> None:
    epochs = sorted(set(means["switch_epoch"]))
    never = set(means.loc[means["never"], "switch_epoch"])
    axis.set_xticks(
        epochs, [f"never\n({epoch})" if epoch in never else f"{epoch}" for epoch in epochs]
    )
    axis.set_xlim(-0.12 * epochs[-1], 1.12 * epochs[-1])
    axis.grid(axis="x", visible=False)


def _handle(study: Study, arm: str) -> Line2D:
    colour, marker, _ = look(study, arm)
    return Line2D([], [], color=colour, marker=marker, linestyle="", label=arm)
