"""Quantities over epochs: every run thin, the mean of each arm thick, with its interval.

What the arms of a seed have in common, the training before they part, is drawn once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sixteen.reporting.figures.plate import (
    CROSS,
    NEUTRAL,
    legend,
    logarithmic,
    look,
    no_interval,
    panels,
    save,
    style,
    within_percent,
)
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study, interval

SWITCH = (0, (2, 2))  # line style of the moment at which the arms part
COMMON = (
    "before the switch"  # stands in place of an arm: the arms of a seed have these runs in common
)
KEY = ["network", "arm", "seed"]
PERCENT = (0.0, 100.0)  # the ends of shares as they are drawn
BOUND = {"linewidth": 1.1, "linestyle": (0, (1, 2))}


@dataclass(frozen=True)
class Part:
    """One panel for each network: a column of the table, its axis label, and how it is drawn.

    ``scale`` turns the column into the unit of the label, phases before ``start`` are left out, and
    ``bound`` is a column drawn as a fine dotted line of its arm: what the first one cannot exceed. ``ends`` are those
    between which the values as drawn must lie, if any: their intervals do so too.
    """

    column: str
    label: str
    scale: float = 1
    start: int = 0
    title: str = ""
    log: bool = False
    bound: str | None = None
    ends: tuple[float, float] | None = None


def lines(
    study: Study,
    table: pd.DataFrame,
    parts: Sequence[Part],
    *,
    name: str,
    title: str,
    caption: str,
    empty: str = "no values in this study",
) -> Html:
    """Draw the parts for each network over the epochs of ``table`` (network, arm, seed, phase, epoch)."""
    points = {part.column: _points(study, table, part.column, part.scale) for part in parts}
    if all(data.empty for data in points.values()):
        return nothing(title, empty)
    means = {p.column: _means(points[p.column], study.confidence, p.ends) for p in parts}
    shown = pd.concat(points.values())
    networks = [network for network in study.networks if network in set(shown["network"])]
    with style():
        figure, axes = panels(networks, len(parts), 3.1)
        for i, network in enumerate(networks):
            for part, axis in zip(parts, axes[i], strict=True):
                mine = points[part.column].query("network == @network and phase >= @part.start")
                _draw(study, axis, mine, means[part.column].query("network == @network"))
                if part.bound:
                    _draw_bound(study, axis, table.query("network == @network"), part.bound)
                _label(axis, part)
                for epoch in _switches(study, network, set(shown["arm"])):
                    axis.axvline(epoch, color=NEUTRAL, linewidth=1.2, linestyle=SWITCH, zorder=1)
                first = part is parts[0]
                axis.set_title(f"{network}: {study.seeds(network)}" if first else part.title)
        handles = _handles(study, shown)
        if any(part.bound for part in parts):
            handles.append(Line2D([], [], color=NEUTRAL, label="bound", **BOUND))
        legend(figure, handles)
        data = [means[column].assign(measure=column) for column in points]
        tidy = means[parts[0].column] if len(points) == 1 else pd.concat(data, ignore_index=True)
        return save(study, name, title, figure, tidy, f"{caption} {_reading(study, shown)}")


def _points(study: Study, table: pd.DataFrame, column: str, scale: float) -> pd.DataFrame:
    """Finite values of a column, long, with the outcome of the run and one arm for what is common."""
    data = table[[*KEY, "phase", "epoch", column]].rename(columns={column: "value"})
    data = data[np.isfinite(data["value"].astype(float))]
    data["value"] *= scale
    outcome = study.runs[[*KEY, "outcome"]]
    data = data.merge(outcome, on=KEY, how="left")
    moment = data.groupby(["network", "seed", "phase", "epoch"])
    arms, values = moment["arm"].transform("nunique"), moment["value"].transform("nunique")
    early = data["phase"] < data.merge(_last_phase(study), how="left")["last"].to_numpy()
    common = early & (arms > 1) & (values == 1)
    whole = common.groupby([data["network"], data["phase"]]).transform("all")
    data.loc[whole, "arm"] = COMMON
    # A shared run that one arm finished from is a finished one, whatever became of the other arm.
    data = data.sort_values("outcome", ascending=False)
    return data.drop_duplicates([*KEY, "phase", "epoch"]).sort_values(
        [*KEY, "phase", "epoch"], ignore_index=True
    )


def _last_phase(study: Study) -> pd.DataFrame:
    phases = study.table("curves").groupby(["network", "arm"])["phase"].max()
    return phases.rename("last").reset_index()


def _means(
    points: pd.DataFrame, confidence: float, ends: tuple[float, float] | None
) -> pd.DataFrame:
    """Mean and interval over the finished seeds of each epoch, and every seed in a column of its own."""
    rows = []
    for key, group in points.groupby(["network", "arm", "phase", "epoch"]):
        finished = group.loc[group["outcome"] == "finished", "value"]
        each = {
            f"seed_{seed}": value for seed, value in zip(group["seed"], group["value"], strict=True)
        }
        rows.append((*key, *interval(finished, confidence, ends), each))
    names = ["network", "arm", "phase", "epoch", "n", "mean", "low", "high", "each"]
    means = pd.DataFrame(rows, columns=names)
    seeds = pd.DataFrame(list(means.pop("each")), index=means.index)
    return pd.concat([means, seeds[sorted(seeds, key=lambda s: int(s[5:]))]], axis=1)


def _draw(study: Study, axis: Axes, points: pd.DataFrame, means: pd.DataFrame) -> None:
    for (arm, phase), group in points.groupby(["arm", "phase"]):
        colour, marker, line = (NEUTRAL, "o", "-") if arm == COMMON else look(study, arm)
        for _, run in group.groupby("seed"):
            lost = (run["outcome"] == "diverged").any()
            axis.plot(
                run["epoch"], run["value"], color=colour, linewidth=0.8, alpha=0.9 if lost else 0.4
            )
        mean = means[(means["arm"] == arm) & (means["phase"] == phase)].dropna(subset="mean")
        few = len(mean) <= 4  # points that a line alone would hide
        axis.plot(
            mean["epoch"],
            mean["mean"],
            color=colour,
            linewidth=2.2,
            linestyle=line,
            marker=marker if few else None,
        )
        axis.fill_between(
            mean["epoch"], mean["low"], mean["high"], color=colour, alpha=0.16, linewidth=0
        )
    for _, run in points[points["outcome"] == "diverged"].groupby("seed"):
        end = run[run["phase"] == run["phase"].max()].groupby("arm").tail(1)
        axis.plot(end["epoch"], end["value"], **CROSS)


def _draw_bound(study: Study, axis: Axes, table: pd.DataFrame, column: str) -> None:
    mean = table.groupby(["arm", "phase", "epoch"])[column].mean().dropna().reset_index()
    for (arm, _), group in mean.groupby(["arm", "phase"]):
        axis.plot(group["epoch"], group[column], color=look(study, arm)[0], **BOUND)


def _label(axis: Axes, part: Part) -> None:
    """Labels, ticks and limits of the axes of a panel that is drawn."""
    axis.set_xlabel("epoch")
    axis.set_ylabel(part.label)
    if part.ends == PERCENT:
        within_percent(axis)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    if part.log:
        logarithmic(axis)


def _switches(study: Study, network: str, arms: set[str]) -> list[int]:
    """Epochs at which a finished run of the network and of the arms drawn began a later phase."""
    curves = study.table("curves").merge(study.runs[[*KEY, "outcome"]])
    later = curves[(curves["network"] == network) & (curves["phase"] > 0)]
    later = later[later["arm"].isin(arms)]
    later = later[later["outcome"] == "finished"]
    return sorted(set(later.groupby(["arm", "seed", "phase"])["epoch"].min()))


def _handles(study: Study, points: pd.DataFrame) -> list[Line2D]:
    handles = []
    if (points["arm"] == COMMON).any():
        handles.append(Line2D([], [], color=NEUTRAL, linewidth=2.2, label=f"{COMMON}, all arms"))
    for arm in study.arms:
        if (points["arm"] == arm).any():
            colour, _, line = look(study, arm)
            handles.append(Line2D([], [], color=colour, linewidth=2.2, linestyle=line, label=arm))
    if any(_switches(study, network, set(points["arm"])) for network in study.networks):
        handles.append(
            Line2D([], [], color=NEUTRAL, linewidth=1.2, linestyle=SWITCH, label="switch")
        )
    if (points["outcome"] == "diverged").any():
        handles.append(Line2D([], [], **CROSS, label="diverged here"))
    return handles


def _reading(study: Study, points: pd.DataFrame) -> str:
    """How to read the lines; one seed has no interval, and the reader is told so."""
    parts = ""
    if points[points["arm"] != COMMON].groupby("arm")["phase"].nunique().max() > 1:
        parts = (
            " An arm that switches has two lines, one that ends and one that begins at its switch."
        )
    finished = points[points["outcome"] == "finished"]
    most = finished.groupby(["network", "arm"])["seed"].nunique().max()
    if not most >= 2:
        return f"{no_interval(most)}{parts}"
    return (
        f"Thin lines: single seeds. Thick: mean over the n finished seeds; band: {study.confidence:.0%} "
        f"interval of the mean.{parts}"
    )
