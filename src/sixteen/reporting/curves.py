"""Figures over epochs: accuracy, loss and vanished gradients of every run, with mean and interval."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sixteen.reporting.page import Html
from sixteen.reporting.plate import (
    CROSS,
    NEUTRAL,
    legend,
    logarithmic,
    look,
    panels,
    save,
    style,
    within_percent,
)
from sixteen.reporting.study import Study, interval

SWITCH = (0, (2, 2))  # line style of the moment at which the arms part
COMMON = (
    "before the switch"  # stands in place of an arm: the arms of a seed have these runs in common
)


def accuracy_curves(study: Study) -> Html:
    """Test accuracy (%) over epochs: all of training above, the last phase alone below."""
    points = _points(study, study.table("curves"), "test_accuracy", 100)
    return _curves(
        study,
        points,
        name="accuracy-curves",
        title="Test accuracy over training",
        label="test accuracy (%)",
        parts=[("all epochs", 0), ("after the switch", 1)] if points["phase"].max() else [("", 0)],
        caption="Accuracy on the test set after each epoch, in percent of its images. The value at the "
        "switch itself is that of the weights just taken over, before any further step.",
    )


def loss_curves(study: Study) -> Html:
    """Mean training loss (nats, logarithmic axis) over epochs."""
    points = _points(study, study.table("curves"), "loss", 1)
    return _curves(
        study,
        points,
        name="loss-curves",
        title="Training loss",
        label="training loss (nats)",
        parts=[("", 0)],
        caption="Mean cross-entropy over the steps of each epoch, in nats, on a logarithmic axis.",
        log=True,
    )


def zero_gradients(study: Study) -> Html:
    """Gradient values that are exactly zero, in percent of all trained values, over epochs."""
    curves = study.table("curves")
    last = curves[curves["phase"] == curves["phase"].max()]
    worst = last.groupby("arm")["nonfinite_gradients"].max()
    nonfinite = ", ".join(f"{100 * worst.get(arm, 0):.3g} % in {arm}" for arm in study.arms)
    return _curves(
        study,
        _points(study, curves, "zero_gradients", 100),
        name="zero-gradients",
        title="Gradients that vanish",
        label="gradient values\nequal to zero (%)",
        parts=[("", 0)],
        caption="Gradient values that are exactly zero, mean over the steps of each epoch, in percent of "
        "the values that are trained: what underflow takes, and what a dead unit never had. Largest share "
        f"of an epoch of the last phase that was not finite: {nonfinite}.",
    )


def _points(study: Study, curves: pd.DataFrame, column: str, scale: float) -> pd.DataFrame:
    """Finite values of a column, long, with the outcome of the run and one arm for what is common."""
    data = curves[["network", "arm", "seed", "phase", "epoch", column]]
    data = data.rename(columns={column: "value"})
    data = data[np.isfinite(data["value"].astype(float))]
    data["value"] *= scale
    outcome = study.runs[["network", "arm", "seed", "outcome"]]
    data = data.merge(outcome, on=["network", "arm", "seed"], how="left")
    arms = data.groupby(["network", "seed", "phase", "epoch"])["arm"].transform("nunique")
    values = data.groupby(["network", "seed", "phase", "epoch"])["value"].transform("nunique")
    early = data["phase"] < data.groupby(["network", "arm"])["phase"].transform("max")
    common = early & (arms > 1) & (values == 1)
    whole = common.groupby([data["network"], data["phase"]]).transform("all")
    data.loc[whole, "arm"] = COMMON
    # A shared run that one arm finished from is a finished one, whatever became of the other arm.
    data = data.sort_values("outcome", ascending=False)
    return data.drop_duplicates(["network", "arm", "seed", "phase", "epoch"]).sort_values(
        ["network", "arm", "seed", "phase", "epoch"], ignore_index=True
    )


def _means(points: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Mean and interval over the finished seeds of each epoch, and every seed in a column of its own."""
    rows = []
    for key, group in points.groupby(["network", "arm", "phase", "epoch"]):
        finished = group.loc[group["outcome"] == "finished", "value"]
        each = {
            f"seed_{seed}": value for seed, value in zip(group["seed"], group["value"], strict=True)
        }
        rows.append((*key, *interval(finished, confidence), each))
    names = ["network", "arm", "phase", "epoch", "n", "mean", "low", "high", "each"]
    means = pd.DataFrame(rows, columns=names)
    seeds = pd.DataFrame(list(means.pop("each")))
    return pd.concat([means, seeds[sorted(seeds, key=lambda s: int(s[5:]))]], axis=1)


def _curves(
    study: Study,
    points: pd.DataFrame,
    *,
    name: str,
    title: str,
    label: str,
    parts: list[tuple[str, int]],
    caption: str,
    log: bool = False,
) -> Html:
    """Draw one panel for each network and each part, a part being the phases from a number on."""
    if points.empty:
        return Html(f"<p>{title}: no values in this study.</p>", f"{title}: no values")
    means = _means(points, study.confidence)
    networks = study.networks
    with style():
        figure, axes = panels(networks, len(parts), 3.1)
        for i, network in enumerate(networks):
            for (part, start), axis in zip(parts, axes[i], strict=True):
                late = points[(points["network"] == network) & (points["phase"] >= start)]
                _draw(study, axis, late, means[means["network"] == network])
                for epoch in _switches(study, network):
                    axis.axvline(epoch, color=NEUTRAL, linewidth=1.2, linestyle=SWITCH, zorder=1)
                axis.set_title(f"{network}: {study.seeds(network)}" if start == 0 else part)
                axis.set_xlabel("epoch")
                axis.set_ylabel(label)
                if label.endswith("(%)"):
                    within_percent(axis)
                axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
                if log:
                    logarithmic(axis)
        legend(figure, _handles(study, points))
        return save(study, name, title, figure, means, f"{caption} {_reading(study, means)}")


def _draw(study: Study, axis: Axes, points: pd.DataFrame, means: pd.DataFrame) -> None:
    for (arm, phase), group in points.groupby(["arm", "phase"]):
        colour, marker, line = (NEUTRAL, "o", "-") if arm == COMMON else look(study, arm)
        for _, run in group.groupby("seed"):
            lost = (run["outcome"] == "diverged").any()
            axis.plot(
                run["epoch"], run["value"], color=colour, linewidth=0.8, alpha=0.9 if lost else 0.4
            )
        mean = means[(means["arm"] == arm) & (means["phase"] == phase)].dropna(subset="mean")
        axis.plot(
            mean["epoch"],
            mean["mean"],
            color=colour,
            linewidth=2.2,
            linestyle=line,
            marker=marker if len(mean) == 1 else None,
        )
        axis.fill_between(
            mean["epoch"], mean["low"], mean["high"], color=colour, alpha=0.16, linewidth=0
        )
    for _, run in points[points["outcome"] == "diverged"].groupby("seed"):
        end = run[run["phase"] == run["phase"].max()].groupby("arm").tail(1)
        axis.plot(end["epoch"], end["value"], **CROSS)


def _switches(study: Study, network: str) -> list[int]:
    """Epochs at which a finished run of the network began a later phase."""
    curves = study.table("curves").merge(study.runs[["network", "arm", "seed", "outcome"]])
    later = curves[(curves["network"] == network) & (curves["phase"] > 0)]
    later = later[later["outcome"] == "finished"]
    return sorted(set(later.groupby(["arm", "seed", "phase"])["epoch"].min()))


def _handles(study: Study, points: pd.DataFrame) -> list[Line2D]:
    handles = []
    if (points["arm"] == COMMON).any():
        handles.append(Line2D([], [], color=NEUTRAL, linewidth=2.2, label=f"{COMMON}, all arms"))
    for arm in study.arms:
        colour, _, line = look(study, arm)
        handles.append(Line2D([], [], color=colour, linewidth=2.2, linestyle=line, label=arm))
    if points["phase"].max():
        handles.append(
            Line2D([], [], color=NEUTRAL, linewidth=1.2, linestyle=SWITCH, label="switch")
        )
    if (points["outcome"] == "diverged").any():
        handles.append(Line2D([], [], **CROSS, label="diverged here"))
    return handles


def _reading(study: Study, means: pd.DataFrame) -> str:
    """How to read the lines; one seed has no interval, and the reader is told so."""
    if means["n"].max() < 2:
        return "One seed: no interval can be given."
    return (
        f"Thin lines: single seeds. Thick: mean over the n finished seeds; band: {study.confidence:.0%} t "
        "interval of the mean."
    )
