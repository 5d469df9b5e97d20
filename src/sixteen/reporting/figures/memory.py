"""Memory of training: counted from shapes and formats, measured at its peak, and the batch that would fit."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from sixteen.reporting.figures.arms import arm_axis, arm_room
from sixteen.reporting.figures.plate import (
    LOOKS,
    legend,
    look,
    panels,
    save,
    style,
)
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study

STATE = {
    "weight_bytes": "weights",
    "master_bytes": "float32 master weights",
    "gradient_bytes": "gradients",
    "optimizer_bytes": "optimizer state",
}
COUNTED = {**STATE, "batch_activation_bytes": "activations of a batch"}
COLOURS = ("#1c2126", LOOKS[3][0], LOOKS[1][0], LOOKS[2][0], "#9fc5e3")
UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))
GIB = 2**30
BUDGETS = (1, 2, 4, 8, 16, 24, 40, 80)  # GiB: from a small board to one large accelerator
TICKS = (1, 2, 4, 8, 16, 40, 80)  # without 24, that they fit side by side


def memory(study: Study) -> Html:
    """Bytes that training needs (counted), with the ratio to the reference, and the peak (measured)."""
    runs = _counted(study)
    columns = [*COUNTED, "training_bytes", "peak_bytes"]
    mean = runs.groupby(["network", "arm"])[columns].mean()
    scale, unit = _unit(float(mean["training_bytes"].max()))
    peak_scale, peak_unit = _unit(float(mean["peak_bytes"].max()))
    of = " and ".join(sorted(set(runs["peak_bytes_of"].dropna().astype(str)))) or "process"
    with style():
        columns = min(3, len(study.networks)) if len(study.networks) > 1 else 2
        figure, axes = panels(study.networks, 2, 2.6 + arm_room(study, columns))
        for network, (counted, peak) in zip(study.networks, axes, strict=True):
            _stack(counted, mean.loc[network].reindex(study.arms), scale)
            counted.set_title(network)
            counted.set_ylabel(f"counted ({unit})")
            mine = runs[runs["network"] == network]
            for x, arm in enumerate(study.arms):
                colour, marker, _ = look(study, arm)
                value = mine.loc[mine["arm"] == arm, "peak_bytes"] / peak_scale
                places = np.full(len(value), x)
                peak.plot(places, value, marker, color=colour, alpha=0.6, markersize=5)
                peak.hlines(value.mean(), x - 0.22, x + 0.22, color=colour, linewidth=2.2)
            peak.set_ylim(0, mine["peak_bytes"].max() / peak_scale * 1.2)
            peak.set_ylabel(f"peak of the {of} ({peak_unit})")
            for axis in (counted, peak):
                arm_axis(study, axis)
        legend(figure, [Patch(color=colour, label=text)
                        for text, colour in zip(COUNTED.values(), COLOURS, strict=True)])  # fmt: skip
        return save(
            study,
            "memory",
            "Memory",
            figure,
            runs,
            "Bars: bytes counted from shapes and formats, the same for every seed, at the batch of the recipe; "
            f"activations are the outputs of all layers, for every {study.item} of the batch. Above each bar its total and, in "
            f"brackets, the total over that of {study.arms[0]}. Points: peak memory of the {of}, measured on "
            f"{study.device}, a point a seed, the line their mean; it holds the program and its libraries as well. "
            f"1 {unit} is {scale:,.0f} bytes.",
        )


def largest_batch(study: Study) -> Html:
    """Items of the largest batch within a memory budget, arm by arm, from counted bytes."""
    title = "Largest batch that fits"
    counted = _counted(study).query("activation_bytes > 0")
    if counted.empty:
        return nothing(title, "no activations were counted")
    first = counted.groupby(["network", "arm"], sort=False)[[*STATE, "activation_bytes"]].first()
    data = first.reset_index().merge(pd.Series(BUDGETS, name="budget_gib"), how="cross")
    left = data["budget_gib"] * GIB - data[[*STATE]].sum(axis=1)
    data["batch"] = np.floor(left / data["activation_bytes"])
    data = data[data["batch"] >= 1]
    networks = [network for network in study.networks if network in set(data["network"])]
    groups = _same_bytes(study, first)
    with style():
        figure, axes = panels(networks, 1, 3.2)
        for network, (axis,) in zip(networks, axes, strict=True):
            for arms in groups:
                mine = data.query("network == @network and arm == @arms[0]")
                colour, marker, line = look(study, arms[0])
                axis.plot(mine["budget_gib"], mine["batch"], color=colour, linestyle=line,
                          marker=marker, markersize=5)  # fmt: skip
            _budget_axes(axis)
            axis.set_title(network)
            axis.set_xlabel("memory (GiB)")
            axis.set_ylabel(f"{study.item}s in a batch")
        looks = [(look(study, arms[0]), ", ".join(arms)) for arms in groups]
        legend(figure, [Line2D([], [], color=colour, marker=marker, linestyle=line, label=label)
                        for (colour, marker, line), label in looks])  # fmt: skip
        return save(
            study,
            "largest-batch",
            title,
            figure,
            data,
            "Counted, not measured: what is left of a memory budget after weights, masters, gradients and optimizer "
            f"state, divided by the outputs of all layers for one {study.item}; both axes logarithmic; arms of the same bytes "
            "share a line. Work space, gradients of activations and the program itself are not counted, and what a "
            "compiler fuses away is: real limits differ, the ratio between the arms is what this shows.",
        )


def _same_bytes(study: Study, first: pd.DataFrame) -> list[list[str]]:
    """The arms in groups that need the same bytes for every network."""
    groups: dict[tuple[float, ...], list[str]] = {}
    for arm in study.arms:
        mine = first[first.index.get_level_values("arm") == arm]
        if len(mine):
            totals = (mine[[*STATE]].sum(axis=1), mine["activation_bytes"])
            groups.setdefault(tuple(pd.concat(totals)), []).append(arm)
    return list(groups.values())


def _counted(study: Study) -> pd.DataFrame:
    columns = [*STATE, "activation_bytes", "batch", "training_bytes", "peak_bytes"]
    runs = study.runs[["network", "arm", "seed", "peak_bytes_of", *columns]].copy()
    runs["batch_activation_bytes"] = runs["activation_bytes"] * runs["batch"]
    return runs


def _stack(axis: Axes, mean: pd.DataFrame, scale: float) -> None:
    """One bar an arm, its parts stacked, its total and the ratio to the first arm above it."""
    bottom = np.zeros(len(mean))
    for column, colour in zip(COUNTED, COLOURS, strict=True):
        value = np.nan_to_num(mean[column].to_numpy(dtype=float)) / scale
        axis.bar(range(len(value)), value, 0.6, bottom, color=colour)
        bottom += value
    size = 8 if len(mean) > 3 else 10
    for x, total in enumerate(bottom):
        text = f"{total:.3g}" + (f"\n({total / bottom[0]:.2g})" if bottom[0] else "")
        axis.annotate(
            text, (x, total), (0, 3), textcoords="offset points", ha="center", fontsize=size
        )
    axis.margins(y=0.24)


def _budget_axes(axis: Axes) -> None:
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.xaxis.set_major_locator(FixedLocator(TICKS))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _unit(largest: float) -> tuple[float, str]:
    return next(((scale, unit) for scale, unit in UNITS if largest >= scale), (1, "bytes"))
