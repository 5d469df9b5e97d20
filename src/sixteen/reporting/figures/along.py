"""A study's question along its axis: what each group of arms reaches at each level, and how far it is from the first."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from sixteen.analysis.pairs import pair
from sixteen.reporting.figures.plate import (
    CROSS,
    LOOKS,
    NEUTRAL,
    how_to_read,
    legend,
    panels,
    save,
    style,
    within_percent,
)
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study, interval
from sixteen.tasks.measured.parts.metric import POINTS

TITLE = "Along the axis of the study"
REACHED, EFFECT = "reached", "effect"
APART = 0.12  # of the distance between two levels: groups stand side by side
BAND: dict[str, Any] = {"color": NEUTRAL, "alpha": 0.12, "linewidth": 0}
ZERO: dict[str, Any] = {"color": NEUTRAL, "linewidth": 1.2}


def along(study: Study) -> Html:
    """The main metric of each group of arms along the axis, and the paired difference from the first group."""
    if study.parameters["along"] is None:
        return nothing(TITLE, "this study has no axis that it draws along")
    data = table(study)
    metric, axis_name = study.metrics[study.main], study.parameters["along"]["axis"]
    levels, groups = list(dict.fromkeys(data["level"])), list(dict.fromkeys(data["group"]))
    margin = _margin(study)
    with style():
        figure, axes = panels(study.networks, 2, 3.4)
        for network, (left, right) in zip(study.networks, axes, strict=True):
            mine = data[data["network"] == network]
            for part, axis in ((REACHED, left), (EFFECT, right)):
                _draw(axis, mine[mine["part"] == part], groups, levels)
                axis.set_xticks(range(len(levels)), levels)
                axis.set_xlim(-0.4, len(levels) - 0.6)
                axis.set_xlabel(axis_name.replace("-", " "))
            _lost(left, mine, levels)
            right.axhline(0, **ZERO)
            if margin is not None:
                right.axhspan(-margin, margin, **BAND)
            left.set_title(f"{network}: {study.seeds(network)}")
            left.set_ylabel(study.main_label)
            right.set_ylabel(_effect_label(study, groups[0]))
            if metric.unit == POINTS:
                within_percent(left)
        legend(figure, _handles(groups, data, margin))
        words = axis_name.replace("-", " ")
        return save(
            study, "along", f"{TITLE}, {words}", figure, data, _caption(study, data, groups, margin)
        )


def table(study: Study) -> pd.DataFrame:
    """What is drawn, a row a network, group and level: what is `reached`, and the `effect` against the first group.

    Columns n (seeds), mean, low and high in units as shown, and `lost`, how many seeds diverged.
    """
    places: dict[str, tuple[str, str]] = study.parameters["along"]["arms"]
    # In the order of the study: a record has its keys sorted.
    at = {tuple(places[arm]): arm for arm in study.arms if arm in places}
    first = next(iter(at))[0]
    metric, rows = study.metrics[study.main], []
    ends = metric.ends and (metric.ends[0] * metric.scale, metric.ends[1] * metric.scale)
    for network in study.networks:
        for (group, level), arm in at.items():
            runs = study.runs.query("network == @network and arm == @arm")
            finished = runs.loc[runs["outcome"] == "finished", study.main] * metric.scale
            key = (network, group, level)
            lost = int((runs["outcome"] == "diverged").sum())
            rows.append((*key, REACHED, *interval(finished, study.confidence, ends), lost))
            if group != first and (first, level) in at:
                effect = _effect(study, network, (arm, at[first, level]))
                rows.append((*key, EFFECT, *effect, lost))
    columns = ["network", "group", "level", "part", "n", "mean", "low", "high", "lost"]
    return pd.DataFrame(rows, columns=columns)


def _effect(study: Study, network: str, arms: tuple[str, str]) -> tuple[Any, ...]:
    """n, mean, low and high of the first arm against the second, over the seeds in which both finished."""
    metric = study.metrics[study.main]
    sample = study.evidence.sample(network, arms, metric)
    found = pair(sample, arms, study.main, metric, metric.kind).estimate(study.confidence)
    shown = [
        None if end is None else _shown(study, end) for end in (found.mean, found.low, found.high)
    ]
    return found.n, *shown


def _shown(study: Study, value: float) -> float:
    """An effect in what its axis shows: points or the metric's unit, or the percent by which a ratio differs from 1."""
    metric = study.metrics[study.main]
    return 100 * float(np.expm1(value)) if metric.kind == "ratio" else value * metric.scale


def _effect_label(study: Study, first: str) -> str:
    metric = study.metrics[study.main]
    unit = "%" if metric.kind == "ratio" else metric.unit
    return f"difference from {first}\n({unit})"


def _draw(axis: Axes, data: pd.DataFrame, groups: list[str], levels: list[str]) -> None:
    """Means with intervals, a line a group; what has one seed has no interval."""
    for number, group in enumerate(groups):
        mine = data[data["group"] == group].dropna(subset=["mean"])
        if mine.empty:  # the first group has no difference from itself
            continue
        colour, marker, line = LOOKS[number % len(LOOKS)]
        shift = APART * (number - (len(groups) - 1) / 2)
        x = mine["level"].map(levels.index) + shift
        known = mine["low"].notna()
        axis.vlines(x[known], mine["low"][known], mine["high"][known], color=colour, linewidth=1.8)
        axis.plot(x, mine["mean"], marker=marker, color=colour, linestyle=line, markersize=6)


def _lost(axis: Axes, data: pd.DataFrame, levels: list[str]) -> None:
    """A cross at the foot of each level at which a seed diverged."""
    lost = data[(data["part"] == REACHED) & (data["lost"] > 0)]
    at = lost["level"].map(levels.index)
    axis.plot(at, [0.04] * len(lost), transform=axis.get_xaxis_transform(), **CROSS)


def _margin(study: Study) -> float | None:
    """The margin that claims on the main metric allow, as the axis of effects shows it; None if they don't agree on one."""
    margins = {
        claim["margin"]
        for claim in study.parameters["claims"]
        if claim["metric"] == study.main and "margin" in claim
    }
    scale = 100 if study.metrics[study.main].kind == "ratio" else study.metrics[study.main].scale
    return scale * margins.pop() if len(margins) == 1 else None


def _handles(groups: list[str], data: pd.DataFrame, margin: float | None) -> list[Line2D]:
    handles = []
    for number, group in enumerate(groups):
        colour, marker, line = LOOKS[number % len(LOOKS)]
        handles.append(Line2D([], [], color=colour, marker=marker, linestyle=line, label=group))
    if margin is not None:
        handles.append(
            Line2D([], [], color=NEUTRAL, alpha=0.3, linewidth=8, label="margin of the claims")
        )
    if (data["lost"] > 0).any():
        handles.append(Line2D([], [], **CROSS, label="a seed diverged here"))
    return handles


def _caption(study: Study, data: pd.DataFrame, groups: list[str], margin: float | None) -> str:
    """How to read it, and at which levels every seed of a group finished."""
    told = []
    reached = data[data["part"] == REACHED]
    for group in groups:
        mine = reached[reached["group"] == group].groupby("level", sort=False)["lost"].sum()
        if (lost := mine[mine > 0]).size:
            told.append(f"{group} diverged at {', '.join(f'{x} ({n})' for x, n in lost.items())}")
    words = f" Runs that diverged, by level: {'; '.join(told)}." if told else " No run diverged."
    band = "" if margin is None else " The band is the margin within which claims call arms equal."
    return (
        f"What is reached after the last epoch, and the difference from {groups[0]} at the same level, paired by "
        f"seed. {how_to_read(study)}{band}{words} Axes differ and don't begin at zero."
    )
