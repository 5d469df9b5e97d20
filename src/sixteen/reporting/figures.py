"""The figures of the study of continuous 16-bit training (arXiv:2311.18587), curves apart.

Every function draws one figure from a summary, writes it as PNG, SVG, data and lineage, and returns what
the notebook shows. Where nothing was measured it returns a sentence instead.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from sixteen.reporting.page import Html
from sixteen.reporting.plate import CROSS, LOOKS, NEUTRAL, WIDTH, legend, look, panels, save, style
from sixteen.reporting.study import Study

EXACT = {"color": NEUTRAL, "linestyle": "", "marker": "o", "markersize": 4, "markerfacecolor": "white"}
COUNTED = {"weight_bytes": "weights", "gradient_bytes": "gradients", "optimizer_bytes": "optimizer state"}
STRENGTHS = (1, 0.6, 0.3)  # of the colours of what is counted
UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))


def final_accuracy(study: Study) -> Html:
    """Accuracy (%) after the last epoch: every seed, pairs joined, mean and interval."""
    runs = study.runs[["network", "arm", "seed", "outcome", "accuracy"]].copy()
    runs["accuracy"] *= 100
    means = study.table("summary").query("metric == 'accuracy'")
    with style():
        figure, axes = panels(study.networks, 1, 3.0)
        for network, (axis,) in zip(study.networks, axes, strict=True):
            mine = runs[runs["network"] == network]
            _paired_points(study, axis, mine, "accuracy")
            _mean_bars(study, axis, means[means["network"] == network], 100)
            _widen(axis, 0.5)
            _mark_diverged(study, axis, mine)
            axis.set_title(f"{network}: {study.seeds(network)}")
            axis.set_ylabel("test accuracy (%)")
        legend(figure, _point_handles(runs))
        return save(
            study,
            "final-accuracy",
            "Accuracy after the last epoch",
            figure,
            runs,
            "Test accuracy after the last epoch, in percent of the test images. Each small point is a "
            f"seed; the two of a pair began from the same weights. {_bars(study)} Axes differ and don't "
            "begin at zero.",
        )


def speed(study: Study, arm: str, reference: str, published: Mapping[str, float]) -> Html:
    """Training time of an arm over that of the reference, a network a row, and what was published.

    ``published`` maps a name, to be shown as it is, to a ratio of a paper: a row of its own, since it was
    measured on another device.
    """
    name, title = "speed", f"Training time of {arm} relative to {reference}"
    ratios = study.table("differences").query(
        "metric == 'train_seconds' and kind == 'ratio' and arm == @arm and reference == @reference"
    )
    ratios = ratios.dropna(subset="mean")
    if ratios.empty:
        return Html(f"<p>{title}: no pair of runs in this study.</p>", f"{title}: no pair")
    times = study.runs.query("outcome == 'finished'").pivot_table(
        index=["network", "seed"], columns="arm", values="train_seconds"
    )
    pairs = (times[arm] / times[reference]).dropna().rename("ratio").reset_index()
    colour, marker, _ = look(study, arm)
    rows = [n for n in study.networks if n in set(ratios["network"])]
    ticks = [f"{n}, n = {int(ratios.loc[ratios['network'] == n, 'n'].iloc[0])}" for n in rows]
    with style():
        figure = Figure(figsize=(WIDTH, 1.3 + 0.5 * (len(rows) + len(published))), layout="constrained")
        axis = figure.subplots()
        axis.axvline(1, color=NEUTRAL, linewidth=1.2)
        for y, network in enumerate(rows):
            row = ratios[ratios["network"] == network].iloc[0]
            seeds = pairs.loc[pairs["network"] == network, "ratio"]
            axis.plot(seeds, np.full(len(seeds), y + 0.22), "o", color=colour, alpha=0.55, markersize=4)
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
            f"logarithmic axis. Small points: pairs. {_bars(study)} The open diamond is the number of the "
            "paper, for that network and the device of its authors alone.",
        )


def memory(study: Study) -> Html:
    """Bytes of weights, gradients and optimizer state (counted), and the peak (measured)."""
    columns = [*COUNTED, "peak_bytes"]
    runs = study.runs[["network", "arm", "seed", "outcome", "peak_bytes_of", *columns]]
    mean = runs.groupby(["network", "arm"])[columns].mean()
    scale, unit = _unit(float(mean[list(COUNTED)].sum(axis=1).max()))
    peak_scale, peak_unit = _unit(float(mean["peak_bytes"].max()))
    of = " and ".join(sorted(set(runs["peak_bytes_of"].dropna().astype(str)))) or "process"
    with style():
        figure, axes = panels(study.networks, 2, 2.6)
        for network, (counted, peak) in zip(study.networks, axes, strict=True):
            mine = mean.loc[network].reindex(study.arms)
            bottom = np.zeros(len(mine))
            for column, strength in zip(COUNTED, STRENGTHS, strict=True):
                value = mine[column].to_numpy() / scale
                colours = [_paler(look(study, arm)[0], strength) for arm in study.arms]
                counted.bar(range(len(value)), value, 0.6, bottom, color=colours)
                bottom += np.nan_to_num(value)
            for x, total in enumerate(bottom):
                counted.annotate(f"{total:.3g}", (x, total), (0, 3), textcoords="offset points", ha="center")
            counted.margins(y=0.14)
            counted.set_title(network)
            counted.set_ylabel(f"counted ({unit})")
            seeds = runs[runs["network"] == network].assign(value=lambda r: r["peak_bytes"] / peak_scale)
            for x, arm in enumerate(study.arms):
                colour, marker, _ = look(study, arm)
                value = seeds.loc[seeds["arm"] == arm, "value"]
                peak.plot(np.full(len(value), x), value, marker, color=colour, alpha=0.6, markersize=5)
                peak.hlines(value.mean(), x - 0.22, x + 0.22, color=colour, linewidth=2.2)
            peak.set_ylim(0, seeds["value"].max() * 1.2)
            peak.set_ylabel(f"peak of the {of} ({peak_unit})")
            for axis in (counted, peak):
                _arm_axis(study, axis)
        legend(figure, [Patch(color=_paler(NEUTRAL, strength), label=text)
                        for text, strength in zip(COUNTED.values(), STRENGTHS, strict=True)])  # fmt: skip
        return save(
            study,
            "memory",
            "Memory",
            figure,
            runs.drop(columns="outcome"),
            "Bars: bytes of weights, gradients and optimizer state, counted from shapes and formats, the "
            "same for every seed; activations are not among them. Points: peak memory of the "
            f"{of}, measured on {study.device}, a point a seed, the line their mean; it holds the program "
            f"and its libraries as well. 1 {unit} is {scale:,.0f} bytes.",
        )


def quantization_error(study: Study) -> Html:
    """Relative error of every tensor at the switch and its bound, in the order of the network."""
    tensors = study.table("quantization")
    title = "Error of rounding the weights"
    if tensors.empty:
        return Html(f"<p>{title}: no run of this study is quantized.</p>", f"{title}: none")
    # error / relative error is the norm of the tensor; what has no error is exact, and has no place on a
    # logarithmic axis.
    tensors["relative_bound"] = tensors["bound_norm"] * tensors["relative_error"] / tensors["error_norm"]
    keep = ["relative_error", "relative_bound", "elements", "underflowed", "within_bound"]
    data = tensors.groupby(["network", "tensor"], sort=False)[keep].mean().reset_index()
    data["place"] = data.groupby("network").cumcount() + 1
    networks = [n for n in study.networks if n in set(data["network"])]
    seeds = tensors.groupby("network")["seed"].nunique()
    kinds = sorted(data.loc[data["relative_error"] > 0, "tensor"].map(_kind).unique())
    colours = dict(zip(kinds, (LOOKS[i % len(LOOKS)][:2] for i in range(len(kinds))), strict=True))
    with style():
        figure = Figure(figsize=(WIDTH, 0.9 + 2.3 * len(networks)), layout="constrained")
        for axis, network in zip(np.atleast_1d(figure.subplots(len(networks))), networks, strict=True):
            mine = data[data["network"] == network]
            drawn = mine[mine["relative_error"] > 0]
            axis.hlines(drawn["relative_bound"], drawn["place"] - 0.4, drawn["place"] + 0.4,
                        color="#1c2126", linewidth=1.6)  # fmt: skip
            for kind, group in drawn.groupby(drawn["tensor"].map(_kind)):
                colour, marker = colours[kind]
                axis.plot(group["place"], group["relative_error"], marker, color=colour, markersize=5)
            axis.set_yscale("log")
            exact = mine[mine["relative_error"] == 0]
            axis.plot(exact["place"], np.full(len(exact), 0.06), **EXACT,
                      transform=axis.get_xaxis_transform())  # fmt: skip
            if len(drawn):
                axis.set_ylim(axis.get_ylim()[0] / 1.3, axis.get_ylim()[1] * 1.1)
            axis.set_xlim(0, len(mine) + 1)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.set_title(f"{network}: {len(mine)} tensors, n = {seeds[network]} seeds")
            axis.set_ylabel("relative error")
            axis.set_xlabel("tensor, in the order of the network")
        handles = [
            Line2D([], [], color=c, marker=m, linestyle="", label=kind) for kind, (c, m) in colours.items()
        ]
        handles.append(Line2D([], [], color="#1c2126", linewidth=1.6, label="bound"))
        if (data["relative_error"] == 0).any():
            handles.append(Line2D([], [], **EXACT, label="exact, no error"))
        legend(figure, handles)
        outside = int((~tensors["within_bound"].astype(bool)).sum())
        return save(
            study,
            "quantization-error",
            title,
            figure,
            data,
            "Norm of the rounding error of each tensor over the norm of the tensor, at the switch, mean "
            "over seeds, logarithmic axis; the bar is the largest value that rounding to nearest allows. "
            f"Tensors outside their bound: {outside} of {len(tensors)} (tensors x seeds).",
        )


def _paired_points(study: Study, axis: Axes, runs: pd.DataFrame, column: str) -> None:
    wide = runs.pivot(index="seed", columns="arm", values=column).reindex(columns=study.arms)
    places = np.arange(len(study.arms))
    for values in wide.to_numpy():
        axis.plot(places, values, color="#aab3ba", linewidth=0.9, zorder=1)
    for x, arm in enumerate(study.arms):
        colour, marker, _ = look(study, arm)
        axis.plot(np.full(len(wide), x), wide[arm], marker, color=colour, alpha=0.55, markersize=4.5)


def _mean_bars(study: Study, axis: Axes, means: pd.DataFrame, scale: float) -> None:
    for x, arm in enumerate(study.arms):
        for _, row in means[means["arm"] == arm].iterrows():
            colour, marker, _ = look(study, arm)
            place = x + (0.2 if x else -0.2)
            axis.vlines(place, row["low"] * scale, row["high"] * scale, color=colour, linewidth=2.4)
            axis.plot(place, row["mean"] * scale, marker, color=colour, markersize=8)
    _arm_axis(study, axis)


def _arm_axis(study: Study, axis: Axes) -> None:
    axis.set_xticks(range(len(study.arms)), study.arms)
    axis.set_xlim(-0.6, len(study.arms) - 0.4)
    axis.grid(axis="x", visible=False)


def _mark_diverged(study: Study, axis: Axes, runs: pd.DataFrame) -> None:
    for arm in runs.loc[runs["outcome"] == "diverged", "arm"].unique():
        axis.plot(study.arms.index(arm), 0.04, **CROSS, transform=axis.get_xaxis_transform(), clip_on=False)


def _point_handles(runs: pd.DataFrame) -> list[Line2D]:
    return [Line2D([], [], **CROSS, label="diverged")] if (runs["outcome"] == "diverged").any() else []


def _widen(axis: Axes, least: float) -> None:
    """No axis shorter than ``least``, so that noise doesn't look like an effect."""
    low, high = axis.get_ylim()
    missing = max(0.0, least - (high - low)) / 2
    axis.set_ylim(low - missing, high + missing)


def _plain_log_axis(axis: Axes) -> None:
    """Ticks that read as ratios (0.5, 0.7, 1), not as powers of ten."""
    low, high = axis.get_xlim()
    low, high = min(low, 0.9) / 1.05, max(high, 1.1) * 1.05
    steps = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.5, 2, 3, 5, 10, 20, 50])
    axis.xaxis.set_major_locator(FixedLocator(steps[(steps >= low) & (steps <= high)]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_xlim(low, high)


def _bars(study: Study) -> str:
    if study.runs.query("outcome == 'finished'").groupby(["network", "arm"]).size().max() < 2:
        return "One seed: no interval can be given."
    return f"Large points: mean; bars: {study.confidence:.0%} t interval over the n finished seeds."


def _paler(colour: str, strength: float) -> tuple[float, ...]:
    """A colour mixed with white: opaque, so that no grid shines through."""
    return tuple(1 - strength * (1 - part) for part in to_rgb(colour))


def _unit(largest: float) -> tuple[float, str]:
    return next(((scale, unit) for scale, unit in UNITS if largest >= scale), (1, "bytes"))


def _kind(tensor: str) -> str:
    """What a tensor is, by the last word of its name: kernel, bias, gamma, moving_mean."""
    return tensor.replace(".", "/").rpartition("/")[2]
