"""What came out: what was reached, and the error of rounding the weights."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sixteen.reporting.figures.arms import arm_axis, arm_room
from sixteen.reporting.figures.plate import (
    CROSS,
    LOOKS,
    NEUTRAL,
    WIDTH,
    how_to_read,
    legend,
    logarithmic,
    look,
    panels,
    save,
    style,
    within_percent,
)
from sixteen.reporting.page import Html
from sixteen.reporting.study import Study
from sixteen.tasks.measured.parts.metric import POINTS

EXACT = {
    "color": NEUTRAL,
    "linestyle": "",
    "marker": "o",
    "markersize": 4,
    "markerfacecolor": "white",
}


def final(study: Study) -> Html:
    """The main metric of the task after the last epoch: every seed, pairs joined, mean and interval."""
    main, metric = study.main, study.metrics[study.main]
    runs = study.runs[["network", "arm", "seed", "outcome", main]].copy()
    runs[main] *= metric.scale
    means = study.table("summary").query("metric == @main")
    with style():
        columns = min(3, len(study.networks))
        figure, axes = panels(study.networks, 1, 2.9 + arm_room(study, columns))
        for network, (axis,) in zip(study.networks, axes, strict=True):
            mine = runs[runs["network"] == network]
            _paired_points(study, axis, mine, main)
            _mean_bars(study, axis, means[means["network"] == network], metric.scale)
            _mark_diverged(study, axis, mine)
            axis.set_title(f"{network}: {study.seeds(network)}")
            axis.set_ylabel(study.main_label)
            if mine[main].isna().all():
                axis.set_yticks([])  # crosses alone stand at no value
            elif metric.unit == POINTS:
                _widen(axis, 0.5)
                within_percent(axis)
        legend(figure, _point_handles(runs))
        return save(
            study,
            f"final-{main.replace('_', '-')}",
            f"{metric.words[0].upper()}{metric.words[1:]} after the last epoch",
            figure,
            runs,
            f"On the test set of {study.runs['test_items'].max():,} {study.item}s. Each small point is a "
            "seed; lines join the runs of one seed, which began from the same weights. "
            f"{how_to_read(study)} Axes differ and don't begin at zero.",
        )


def quantization_error(study: Study) -> Html:
    """Relative error of every tensor at the switch and its bound, in the order of their names."""
    tensors = study.table("quantization")
    title = "Error of rounding the weights"
    if tensors.empty:
        return Html(f"<p>{title}: no run of this study is quantized.</p>", f"{title}: none")
    if tensors["arm"].nunique() > 1:  # several formats to cast to, each a panel of its own
        tensors["network"] += ", " + tensors["arm"]
    data = _by_tensor(tensors)
    networks = list(dict.fromkeys(tensors["network"]))
    seeds = tensors.groupby("network")["seed"].nunique()
    kinds = sorted(data.loc[data["relative_error"] > 0, "tensor"].map(_kind).unique())
    colours = dict(zip(kinds, (LOOKS[i % len(LOOKS)][:2] for i in range(len(kinds))), strict=True))
    with style():
        figure = Figure(figsize=(WIDTH, 0.9 + 2.3 * len(networks)), layout="constrained")
        for axis, network in zip(
            np.atleast_1d(figure.subplots(len(networks))), networks, strict=True
        ):
            mine = data[data["network"] == network]
            _draw_errors(axis, mine, colours)
            axis.set_title(f"{network}: {len(mine)} tensors, n = {seeds[network]} seeds")
            axis.set_ylabel("relative error")
            axis.set_xlabel("tensor, in the order of their names")
        legend(figure, _error_handles(data, colours))
        outside = int((~tensors["within_bound"].astype(bool)).sum())
        lost = int(tensors["relative_error"].isna().sum())
        beyond = (
            f" {lost} casts to an infinite weight have no error, and are in no mean."
            if lost
            else ""
        )
        return save(
            study,
            "quantization-error",
            title,
            figure,
            data,
            "Norm of the rounding error of each tensor over the norm of the tensor, at the switch, mean "
            "over seeds, logarithmic axis; the bar is the largest value that rounding to nearest allows. "
            f"Tensors outside their bound: {outside} of {len(tensors)} (tensors x seeds).{beyond}",
        )


def _by_tensor(tensors: pd.DataFrame) -> pd.DataFrame:
    """Mean errors over seeds of each tensor, with its bound and its place in the network."""
    # error / relative error is the norm of the tensor; what has no error is exact, and has no place on a
    # logarithmic axis.
    tensors["relative_bound"] = (
        tensors["bound_norm"] * tensors["relative_error"] / tensors["error_norm"]
    )
    keep = ["relative_error", "relative_bound", "elements", "underflowed", "within_bound"]
    data = tensors.groupby(["network", "tensor"], sort=False)[keep].mean().reset_index()
    data["place"] = data.groupby("network").cumcount() + 1
    return data


def _draw_errors(axis: Axes, mine: pd.DataFrame, colours: dict[str, tuple[str, str]]) -> None:
    """The errors of the tensors of a network, each below its bound; exact ones at the bottom edge."""
    drawn = mine[mine["relative_error"] > 0]
    axis.hlines(drawn["relative_bound"], drawn["place"] - 0.4, drawn["place"] + 0.4,
                color="#1c2126", linewidth=1.6)  # fmt: skip
    for kind, group in drawn.groupby(drawn["tensor"].map(_kind)):
        colour, marker = colours[kind]
        axis.plot(group["place"], group["relative_error"], marker, color=colour, markersize=5)
    logarithmic(axis)
    exact = mine[mine["relative_error"] == 0]
    axis.plot(exact["place"], np.full(len(exact), 0.06), **EXACT,
              transform=axis.get_xaxis_transform())  # fmt: skip
    if len(drawn):
        axis.set_ylim(axis.get_ylim()[0] / 1.3, axis.get_ylim()[1] * 1.1)
    axis.set_xlim(0, len(mine) + 1)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))


def _error_handles(data: pd.DataFrame, colours: dict[str, tuple[str, str]]) -> list[Line2D]:
    handles = [
        Line2D([], [], color=c, marker=m, linestyle="", label=kind)
        for kind, (c, m) in colours.items()
    ]
    handles.append(Line2D([], [], color="#1c2126", linewidth=1.6, label="bound"))
    if (data["relative_error"] == 0).any():
        handles.append(Line2D([], [], **EXACT, label="exact, no error"))
    return handles


def _paired_points(study: Study, axis: Axes, runs: pd.DataFrame, column: str) -> None:
    wide = runs.pivot(index="seed", columns="arm", values=column).reindex(columns=study.arms)
    places = np.arange(len(study.arms))
    for values in wide.to_numpy():
        axis.plot(places, values, color="#aab3ba", linewidth=0.9, zorder=1)
    for x, arm in enumerate(study.arms):
        colour, marker, _ = look(study, arm)
        axis.plot(
            np.full(len(wide), x), wide[arm], marker, color=colour, alpha=0.55, markersize=4.5
        )


def _mean_bars(study: Study, axis: Axes, means: pd.DataFrame, scale: float) -> None:
    for x, arm in enumerate(study.arms):
        for _, row in means[(means["arm"] == arm) & (means["n"] > 1)].iterrows():
            colour, marker, _ = look(study, arm)
            place = x + (0.2 if x else -0.2)
            axis.vlines(place, row["low"] * scale, row["high"] * scale, color=colour, linewidth=2.4)
            axis.plot(place, row["mean"] * scale, marker, color=colour, markersize=8)
    arm_axis(study, axis)


def _mark_diverged(study: Study, axis: Axes, runs: pd.DataFrame) -> None:
    for arm in runs.loc[runs["outcome"] == "diverged", "arm"].unique():
        axis.plot(
            study.arms.index(arm),
            0.04,
            **CROSS,
            transform=axis.get_xaxis_transform(),
            clip_on=False,
        )


def _point_handles(runs: pd.DataFrame) -> list[Line2D]:
    return (
        [Line2D([], [], **CROSS, label="diverged")] if (runs["outcome"] == "diverged").any() else []
    )


def _widen(axis: Axes, least: float) -> None:
    """No axis shorter than ``least``, so that noise doesn't look like an effect."""
    low, high = axis.get_ylim()
    missing = max(0.0, least - (high - low)) / 2
    axis.set_ylim(low - missing, high + missing)


def _kind(tensor: str) -> str:
    """What a tensor is, by the last word of its name: kernel, bias, gamma, moving_mean."""
    return tensor.replace(".", "/").rpartition("/")[2]
