"""What is reached against what it costs: each arm beside the reference, and the front that no arm beats in both."""

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sixteen.analysis.pairs import pair
from sixteen.analysis.statistics import exponential
from sixteen.reporting.figures.bits import COLOURS, handles
from sixteen.reporting.figures.plate import NEUTRAL, WIDTH, legend, save, style
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.schedules import costs, scheduled
from sixteen.reporting.study import Study

NEAR, TINY = 0.05, 1e-9  # of the range of costs: what is nearly the same
FRONT: dict[str, Any] = {"color": "#1c2126", "linewidth": 1.0, "linestyle": (0, (4, 2))}
REFERENCE: dict[str, Any] = {"color": "#1c2126", "marker": "P", "markersize": 9, "linestyle": ""}


def pareto(study: Study) -> Html:
    """The main metric against the cost in bit operations, both against the reference, with paired intervals."""
    metric, reference = study.metrics[study.main], study.arms[0]
    title = f"{metric.words[0].upper()}{metric.words[1:]} against cost"
    points = pd.concat([gaps(study, network) for network in study.networks], ignore_index=True)
    if points["scheduled"].sum() < 2:
        return nothing(title, "no arms of this study differ in their bits")
    if points.loc[points["arm"] != reference, "mean"].isna().all():
        return nothing(title, f"no seed finished both in {reference} and in another arm")
    ratio = metric.kind == "ratio"
    label = f"{metric.words}, {'over' if ratio else 'minus'} {reference}"
    with style():
        # A row each: schedules of almost the same cost need the whole width.
        figure = Figure(figsize=(WIDTH, 0.6 + 3.7 * len(study.networks)), layout="constrained")
        axes = figure.subplots(len(study.networks), 1, squeeze=False).ravel()
        for network, axis in zip(study.networks, axes, strict=True):
            mine = points[points["network"] == network]
            axis.axhline(1 if ratio else 0, color=NEUTRAL, linewidth=1.0)
            _draw(axis, mine, reference)
            axis.set_title(f"{network}: {study.seeds(network)}")
            axis.set_xlabel(f"bit operations, over those of {reference}")
            axis.set_ylabel(f"{label}\n({'times' if ratio else metric.unit})")
        groups = set(points.loc[points["scheduled"], "group"].dropna())
        rest = {None} if points["group"].isna().any() else set()
        legend(figure, [*handles(groups | rest), *_handles(reference)])
        return save(
            study,
            "pareto",
            title,
            figure,
            points,
            f"Mean over the seeds that both finished, paired by seed, and its {study.confidence:.0%} interval (a point "
            f"without a bar has one seed). Better is {'higher' if metric.better == 'more' else 'lower'}, cheaper is left. "
            "The front joins the arms than which none is both cheaper and better by its mean: means alone, of which "
            "the intervals say how sure they are. Dotted across: arms without layers of few bits.",
        )


def gaps(study: Study, network: str) -> pd.DataFrame:
    """Cost and main metric of each arm of a network against the reference: in the unit that is shown, a row an arm."""
    metric, main, reference = study.metrics[study.main], study.main, study.arms[0]
    shown, relative, rows = scheduled(study, network), costs(study, network), []
    for arm in study.arms:
        sample = study.evidence.sample(network, (arm, reference), metric)
        found = pair(sample, (arm, reference), main, metric, metric.kind).estimate(study.confidence)
        scale = metric.scale
        if metric.kind == "ratio":
            found, scale = exponential(found), 1
        ends = {"mean": found.mean, "low": found.low, "high": found.high}
        if arm == reference:  # the same runs: there is nothing to be unsure of
            ends |= {"low": None, "high": None}
        rows.append(
            {"network": network, "arm": arm, "cost": relative[arm], "n": found.n}
            | {key: math.nan if end is None else end * scale for key, end in ends.items()}
            | {"scheduled": arm in shown, "group": shown[arm].group if arm in shown else None}
        )
    table = pd.DataFrame(rows)
    table["front"] = _front(table, 1 if metric.better == "more" else -1)
    return table


def _front(table: pd.DataFrame, side: int) -> list[bool]:
    """Whether no other arm is at least as cheap and as good, and one of the two more."""
    known = [(row["cost"], -side * row["mean"]) for _, row in table.iterrows()]
    return [
        bool(mine == mine and cost == cost)
        and not any(c <= cost and m <= mine and (c, m) != (cost, mine) for c, m in known)
        for cost, mine in known
    ]


def _draw(axis: Axes, points: pd.DataFrame, reference: str) -> None:
    on_grid = points[points["scheduled"] | (points["arm"] == reference)].dropna(subset="mean")
    for _, row in on_grid.iterrows():
        colour = COLOURS[row["group"] if isinstance(row["group"], str) else None]
        mark: dict[str, Any] = {"color": colour, "marker": "o", "linestyle": ""}
        mark = REFERENCE if row["arm"] == reference else mark
        if pd.notna(row["low"]) and row["arm"] != reference:
            axis.vlines(row["cost"], row["low"], row["high"], color=colour, linewidth=1.6)
        axis.plot(row["cost"], row["mean"], **mark)
    _names(axis, on_grid)
    front = on_grid[on_grid["front"]].sort_values("cost")
    axis.plot(front["cost"], front["mean"], **FRONT, zorder=1)
    for _, row in points[~points.index.isin(on_grid.index)].dropna(subset="mean").iterrows():
        axis.axhline(row["mean"], color=NEUTRAL, linewidth=1.2, linestyle=":")
        away = "top" if row["mean"] < 0 else "bottom"  # from the line at zero
        axis.annotate(row["arm"], (0.01, row["mean"]), xycoords=("axes fraction", "data"),
                      ha="left", va=away, fontsize=9, color=NEUTRAL)  # fmt: skip
    axis.margins(x=0.12)


def _names(axis: Axes, points: pd.DataFrame) -> None:
    """The names of arms of nearly the same cost side by side below all their intervals, each with a line to its own."""
    rows = points.sort_values(["cost", "mean"])
    width = max(rows["cost"].max() - rows["cost"].min(), TINY)
    bottom, top = axis.get_ylim()
    for _, cluster in rows.groupby((rows["cost"].diff() > NEAR * width).cumsum()):
        lowest, middle = float(cluster[["low", "mean"]].min().min()), (len(cluster) - 1) / 2
        for i, (_, row) in enumerate(cluster.iterrows()):
            axis.annotate(
                row["arm"],
                (row["cost"], row["low"] if pd.notna(row["low"]) else row["mean"]),
                xytext=(
                    cluster["cost"].mean() + NEAR * width * (i - middle),
                    lowest - 0.06 * (top - bottom),
                ),
                ha="center",
                va="top",
                fontsize=9,
                arrowprops={"arrowstyle": "-", "color": NEUTRAL, "linewidth": 0.6},
            )
    axis.set_ylim(bottom - 0.12 * (top - bottom), top)


def _handles(reference: str) -> list[Line2D]:
    return [
        Line2D([], [], **REFERENCE, label=f"{reference}, the reference"),
        Line2D([], [], **FRONT, label="front"),
    ]
