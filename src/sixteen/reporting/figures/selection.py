"""What a choice would have added to the numbers: of the best epoch, and of the bits of the moment for the test."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sixteen.reporting.figures.plate import LOOKS, NEUTRAL, WIDTH, legend, save, style
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study, interval
from sixteen.tasks.measured.parts.metric import POINTS

KEY = ["network", "arm", "seed"]
WAYS = {
    "best": "the best epoch",
    "moment": "the last epoch, tested with the bits of the moment",
    "both": "the best epoch, tested with the bits of the moment",
}


def selection(study: Study) -> Html:
    """By arm, what each way to report has on the test of the last epoch with the most bits."""
    title = "What a choice would have added"
    words, unit, gains = _gains(study)
    rows = []
    for (network, arm), group in gains.groupby(["network", "arm"], sort=False):
        for way in WAYS:
            rows.append((network, arm, way, *interval(group[way], study.confidence)))
    means = pd.DataFrame(rows, columns=["network", "arm", "way", "n", "mean", "low", "high"])
    means = means.dropna(subset="mean")
    if means.empty:
        return nothing(title, "no run finished")
    drawn = [way for way in WAYS if way in set(means["way"])]
    with style():
        height = 1.2 + 0.36 * len(study.arms)
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.subplots(1, len(study.networks), sharey=True, squeeze=False).ravel()
        for axis, network in zip(axes, study.networks, strict=True):
            _draw(study, axis, means[means["network"] == network])
            axis.set_title(f"{network}: {study.seeds(network)}")
            axis.set_xlabel(f"{words} ({unit})")
        legend(figure, _handles(drawn))
        return save(
            study,
            "selection",
            title,
            figure,
            means,
            f"What is {words} of the last epoch, tested with the most bits, by taking instead what the legend says; positive "
            "flatters. The best epoch is known only by looking at the test set. Mean over the seeds that "
            f"finished and its {study.confidence:.0%} interval.",
        )


def _gains(study: Study) -> tuple[str, str, pd.DataFrame]:
    """Words and unit of what histories tell, and for each run that finished what each way adds, better being positive."""
    right = "accuracy" in study.metrics
    column, metric = ("test_accuracy", "accuracy") if right else ("test_loss", "loss")
    known, side = study.metrics[metric], 1 if right else -1
    runs = study.runs.loc[study.runs["outcome"] == "finished", KEY]
    curves = study.table("curves").merge(runs)
    curves = curves[curves["phase"] == curves.groupby(KEY)["phase"].transform("max")]
    curves = curves[curves["loss"].notna()].sort_values("epoch")  # not the weights before any step
    rows = []
    for key, run in curves.groupby(KEY, sort=False):
        plain, moment = (
            side * known.scale * run[name].astype(float) for name in (column, f"{column}_at_bits")
        )
        last = plain.iloc[-1]
        gains = {"best": plain.max() - last, "moment": moment.iloc[-1] - last}
        rows.append(dict(zip(KEY, key, strict=True)) | gains | {"both": moment.max() - last})
    unit = "points" if known.unit == POINTS else known.unit
    words = f"{'added to' if right else 'taken off'} the {known.words}"
    return words, unit, pd.DataFrame(rows, columns=[*KEY, *WAYS])


def _draw(study: Study, axis: Axes, means: pd.DataFrame) -> None:
    axis.axvline(0, color=NEUTRAL, linewidth=1.2)
    for i, way in enumerate(WAYS):
        mine = means[means["way"] == way]
        colour, marker, _ = LOOKS[i]
        places = np.array([study.arms.index(arm) for arm in mine["arm"]]) + 0.24 * (i - 1)
        axis.hlines(places, mine["low"], mine["high"], color=colour, linewidth=1.6)
        axis.plot(mine["mean"], places, marker, color=colour, markersize=5)
    axis.set_yticks(range(len(study.arms)), study.arms)
    axis.set_ylim(len(study.arms) - 0.4, -0.6)


def _handles(ways: list[str]) -> list[Line2D]:
    places = list(WAYS)
    return [
        Line2D(
            [],
            [],
            color=LOOKS[places.index(way)][0],
            marker=LOOKS[places.index(way)][1],
            label=WAYS[way],
        )
        for way in ways
    ]
