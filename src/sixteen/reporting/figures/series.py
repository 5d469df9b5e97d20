"""What is reached along a series of arms that differ in a number: the length of a deficit, its onset, the cycles."""

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from sixteen.analysis.contrast import slopes
from sixteen.analysis.pairs import complete
from sixteen.analysis.statistics import Estimate, t_interval
from sixteen.entry import NAME
from sixteen.reporting.figures.plate import (
    LOOKS,
    how_to_read,
    legend,
    panels,
    save,
    style,
    within_percent,
)
from sixteen.reporting.numbers import number
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study, interval
from sixteen.study.claim import FEWEST, place
from sixteen.tasks.measured.parts.metric import POINTS

# What the number of a series counts, on its axis, and one of it.
WORDS = {
    "deficit": ("epochs with the fewest bits before those with the most", "epoch"),
    "onset": ("epochs before the window of the fewest bits", "epoch"),
    "cycles": ("cycles of the schedule", "cycle"),
}
FIT = {"color": "#1c2126", "linewidth": 1.4, "linestyle": (0, (4, 2))}


def names(study: Study) -> list[str]:
    """The series of a study: words that with a number after them name three of its arms at least.

    Where the study is drawn along an axis anyway, those alone through which a claim lays a line.
    """
    words = [match[1] for arm in study.arms if (match := re.fullmatch(rf"({NAME})-[\d_]+", arm))]
    found = [word for word in dict.fromkeys(words) if words.count(word) >= FEWEST]
    if study.parameters["along"] is None:
        return found
    claimed = {claim.get("series") for claim in study.parameters["claims"]}
    return [word for word in found if word in claimed]


def along(study: Study, series: str) -> Html:
    """The main metric against the number of the arms of a series: seeds, means, and the mean slope of the seeds."""
    metric, main = study.metrics[study.main], study.main
    title = f"{metric.words[0].upper()}{metric.words[1:]} along {series}"
    axis_words, one = WORDS.get(series, (series, "one"))
    at = {arm: x for arm in study.arms if (x := place(series, arm)) is not None}
    arms = tuple(sorted(at, key=lambda arm: at[arm]))
    if len(arms) < FEWEST:
        return nothing(title, f"the study has fewer than {FEWEST} arms like {series}-2")
    means, told = _means(study, arms, at), []
    with style():
        figure, axes = panels(study.networks, 1, 3.4)
        for network, (axis,) in zip(study.networks, axes, strict=True):
            runs = study.runs.query("network == @network and outcome == 'finished'")
            _points(axis, runs.assign(at=runs["arm"].map(at)), main, metric.scale)
            _bars(axis, means[means["network"] == network])
            slope = _fit(study, axis, network, arms, list(at[arm] for arm in arms))
            told.append(_said(study, network, slope, one))
            axis.set_title(f"{network}: {_seeds(means[means['network'] == network])}")
            axis.set_xlabel(axis_words)
            axis.set_ylabel(study.main_label)
            if metric.unit == POINTS:
                within_percent(axis)
        legend(figure, [Line2D([], [], label="mean slope of the seeds", **FIT)])
        return save(
            study,
            f"along-{series}",
            title,
            figure,
            means,
            f"After the last epoch. Small points: seeds. {how_to_read(study)} {' '.join(told)} The vertical axis doesn't "
            "begin at zero.",
        )


def _means(study: Study, arms: tuple[str, ...], at: dict[str, float]) -> pd.DataFrame:
    """Mean and interval of each arm of each network, as they are drawn."""
    metric, rows = study.metrics[study.main], []
    ends = metric.ends and (metric.ends[0] * metric.scale, metric.ends[1] * metric.scale)
    for network in study.networks:
        runs = study.runs.query("network == @network and outcome == 'finished'")
        for arm in arms:
            values = runs.loc[runs["arm"] == arm, study.main] * metric.scale
            rows.append((network, arm, at[arm], *interval(values, study.confidence, ends)))
    return pd.DataFrame(rows, columns=["network", "arm", "at", "n", "mean", "low", "high"])


def _points(axis: Axes, runs: pd.DataFrame, main: str, scale: float) -> None:
    shown = runs.dropna(subset=["at", main])
    axis.plot(shown["at"], shown[main] * scale, "o", color=LOOKS[0][0], alpha=0.45, markersize=4)


def _bars(axis: Axes, means: pd.DataFrame) -> None:
    known = means[means["n"] > 1]
    axis.vlines(known["at"], known["low"], known["high"], color=LOOKS[0][0], linewidth=2.2)
    axis.plot(known["at"], known["mean"], "o", color=LOOKS[0][0], markersize=7.5)
    axis.set_xticks(means["at"], [f"{x:g}" for x in means["at"]])


def _fit(
    study: Study, axis: Axes, network: str, arms: tuple[str, ...], at: list[float]
) -> Estimate:
    """Draw the line with the mean slope of the seeds that have all arms; returns the slope in what is shown."""
    metric = study.metrics[study.main]
    sample = study.evidence.sample(network, arms, metric)
    found, _ = complete(sample, arms, study.main, metric, metric.kind)
    values = list(found.values())
    slope = t_interval(slopes(values, at, metric.kind), study.confidence)
    if slope.mean is None:
        return slope
    x = np.linspace(min(at), max(at), 60)
    scaled = np.log if metric.kind == "ratio" else np.asarray
    line = scaled(values).mean() + slope.mean * (x - np.mean(at))
    axis.plot(x, (np.exp(line) if metric.kind == "ratio" else line) * metric.scale, **FIT)
    return slope


def _said(study: Study, network: str, slope: Estimate, one: str) -> str:
    """The slope as a sentence."""
    metric = study.metrics[study.main]
    if slope.mean is None:
        return f"On {network} no seed finished all of these arms."
    ratio = metric.kind == "ratio"  # of the logarithm
    scale, unit = (100, "% (in logarithms)") if ratio else (metric.scale, metric.unit)
    ends = [None if end is None else end * scale for end in (slope.mean, slope.low, slope.high)]
    mean, *span = [number(end) for end in ends if end is not None]
    interval_words = f" [{span[0]}, {span[1]}]" if span else ""
    return f"On {network} the mean slope is {mean} {unit}{interval_words} per {one}, n = {slope.n}."


def _seeds(means: pd.DataFrame) -> str:
    counts = sorted(set(means["n"]))
    return "n = " + (f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}")
