"""Figures of what training costs: time against a reference, and memory, counted and measured."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from sixteen.reporting.page import Html
from sixteen.reporting.plate import (
    NEUTRAL,
    WIDTH,
    arm_axis,
    how_to_read,
    legend,
    look,
    panels,
    save,
    style,
)
from sixteen.reporting.study import Study

COUNTED = {
    "weight_bytes": "weights",
    "gradient_bytes": "gradients",
    "optimizer_bytes": "optimizer state",
}
STRENGTHS = (1, 0.6, 0.3)  # of the colours of what is counted
UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))


def speed(study: Study, arm: str, reference: str) -> Html:
    """Training time of an arm over that of the reference, a network a row, and what the paper claims.

    A ratio that a claim of the study names has a row of its own, since it was measured on another device.
    """
    published = {
        f"{claim['only'] or 'every network'}, paper": claim["value"]
        for claim in study.parameters["claims"]
        if claim["metric"] == "train_seconds" and claim["test"] == "ratio_at_most"
    }
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
            f"logarithmic axis. Small points: pairs. {how_to_read(study)} The open diamond is the number of the "
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
                counted.annotate(
                    f"{total:.3g}", (x, total), (0, 3), textcoords="offset points", ha="center"
                )
            counted.margins(y=0.14)
            counted.set_title(network)
            counted.set_ylabel(f"counted ({unit})")
            seeds = runs[runs["network"] == network].assign(
                value=lambda r: r["peak_bytes"] / peak_scale
            )
            for x, arm in enumerate(study.arms):
                colour, marker, _ = look(study, arm)
                value = seeds.loc[seeds["arm"] == arm, "value"]
                peak.plot(
                    np.full(len(value), x), value, marker, color=colour, alpha=0.6, markersize=5
                )
                peak.hlines(value.mean(), x - 0.22, x + 0.22, color=colour, linewidth=2.2)
            peak.set_ylim(0, seeds["value"].max() * 1.2)
            peak.set_ylabel(f"peak of the {of} ({peak_unit})")
            for axis in (counted, peak):
                arm_axis(study, axis)
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


def _plain_log_axis(axis: Axes) -> None:
    """Ticks that read as ratios (0.5, 0.7, 1), not as powers of ten."""
    low, high = axis.get_xlim()
    low, high = min(low, 0.9) / 1.05, max(high, 1.1) * 1.05
    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50)
    axis.xaxis.set_major_locator(FixedLocator([step for step in steps if low <= step <= high]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_xlim(low, high)


def _unit(largest: float) -> tuple[float, str]:
    return next(((scale, unit) for scale, unit in UNITS if largest >= scale), (1, "bytes"))


def _paler(colour: str, strength: float) -> str:
    """A colour mixed with white: opaque, so that no grid shines through."""
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(colour))
    return to_hex((red, green, blue))
