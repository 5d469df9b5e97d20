"""Tables over the runs of a study: means of arms, differences between them, and what runs wrote by epoch."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sixteen.analysis.metrics import METRICS, Run, pair
from sixteen.analysis.statistics import (
    exponential,
    paired_difference,
    paired_log_ratio,
    t_interval,
)
from sixteen.files import read_json, rows_of

RUN = ("network", "arm", "seed")
EPOCHS = (
    "epoch",
    "loss",
    "train_accuracy",
    "test_accuracy",
    "zero_gradients",
    "nonfinite_gradients",
    "loss_scale",
    "skipped_steps",
    "train_seconds",
)
# Runs of one fingerprint in several arms are one run, the phase that these arms share.
PHASE = (*RUN, "phase", "fingerprint")
CURVES = (*PHASE, *EPOCHS)
ESTIMATE = ("n", "mean", "sd", "low", "high")
SUMMARY = ("network", "arm", "metric", *ESTIMATE, "diverged")
DIFFERENCES = ("network", "metric", "kind", "arm", "reference", *ESTIMATE)


def summary(runs: list[Run], confidence: float) -> list[dict[str, Any]]:
    """A row for each metric of each arm: mean and interval over the runs that finished."""
    rows = []
    for network, arm in dict.fromkeys((run["network"], run["arm"]) for run in runs):
        group = [run for run in runs if (run["network"], run["arm"]) == (network, arm)]
        finished = [run for run in group if run["outcome"] != "diverged"]
        for metric in METRICS:
            values = [run[metric] for run in finished if run[metric] is not None]
            row = {"network": network, "arm": arm, "metric": metric}
            row |= vars(t_interval(values, confidence))
            rows.append({**row, "diverged": len(group) - len(finished)})
    return rows


def differences(runs: list[Run], confidence: float) -> list[dict[str, Any]]:
    """A row for each metric of each arm but the reference: its difference or ratio, paired by seed."""
    reference, *others = dict.fromkeys(run["arm"] for run in runs)
    networks = dict.fromkeys(run["network"] for run in runs)
    rows = []
    for network, arm, (name, metric) in itertools.product(networks, others, METRICS.items()):
        pairs = pair(runs, network, [arm, reference], name, metric.kind)
        if metric.kind == "ratio":
            estimate = exponential(paired_log_ratio(pairs.first, pairs.second, confidence))
        else:
            estimate = paired_difference(pairs.first, pairs.second, confidence, pairs.least_sd)
        row = {"network": network, "metric": name, "kind": metric.kind}
        rows.append({**row, "arm": arm, "reference": reference, **vars(estimate)})
    return rows


def curves(runs: list[dict[str, Any]], inputs: dict[str, Path]) -> Iterator[dict[str, Any]]:
    """The epochs of all phases of the runs of `summarize`, each with the seconds that it took."""
    for head, folder in _phases(runs, inputs):
        seconds = {r["epoch"]: r["train_seconds"] for r in rows_of(folder / "timing.csv")}
        for row in rows_of(folder / "history.csv"):
            measured = {**row, "train_seconds": seconds.get(row["epoch"], "")}
            yield {**head, **{name: measured[name] for name in EPOCHS}}


def observed(
    runs: list[dict[str, Any]], inputs: dict[str, Path], name: str
) -> Iterator[dict[str, Any]]:
    """The rows of a file that the phases of the runs of `summarize` wrote as they were observed."""
    for head, folder in _phases(runs, inputs):
        for row in rows_of(folder / name):
            yield {**head, **row}


def _phases(
    runs: list[dict[str, Any]], inputs: dict[str, Path]
) -> Iterator[tuple[dict[str, Any], Path]]:
    """The columns PHASE of each phase of each run, and the folder of the run that it was."""
    for run in runs:
        for phase, role in enumerate(run["training"]):
            fingerprint = read_json(inputs[role] / "record.json")["fingerprint"]
            yield {**of(run), "phase": phase, "fingerprint": fingerprint}, inputs[role]


def of(run: dict[str, Any]) -> dict[str, Any]:
    """Which run it is: network, arm and seed."""
    return {name: run[name] for name in RUN}
