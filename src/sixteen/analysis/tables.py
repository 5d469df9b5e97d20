"""Tables over the runs of a study: means of arms, differences between them, and what runs wrote by epoch."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sixteen.analysis.pairs import Row, Sample, pair
from sixteen.analysis.parameters import RunOf
from sixteen.analysis.statistics import exponential, interval_within
from sixteen.files import read_json, rows_of
from sixteen.tasks.measured.parts.metric import Metric

RUN = ("network", "arm", "seed")
EPOCHS = (
    "epoch",
    "loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "zero_gradients",
    "nonfinite_gradients",
    "loss_scale",
    "skipped_steps",
    "forward_bits",
    "test_loss_at_bits",
    "test_accuracy_at_bits",
    "train_seconds",
)
# Runs of one fingerprint in several arms are one run, the phase that these arms share.
PHASE = (*RUN, "phase", "fingerprint")
CURVES = (*PHASE, *EPOCHS)
ESTIMATE = ("n", "mean", "sd", "low", "high")
SUMMARY = ("network", "arm", "metric", *ESTIMATE, "missing", "diverged")
DIFFERENCES = ("network", "metric", "kind", "arm", "reference", *ESTIMATE)


def summary(
    runs: list[Row], metrics: Mapping[str, Metric], confidence: float
) -> list[dict[str, Any]]:
    """A row for each metric of each arm: mean and interval over the runs that finished.

    `missing` counts those that finished without it: that never reached the accuracy of `reach_seconds`, say.
    """
    rows = []
    for network, arm in dict.fromkeys((run["network"], run["arm"]) for run in runs):
        group = [run for run in runs if (run["network"], run["arm"]) == (network, arm)]
        finished = [run for run in group if run["outcome"] != "diverged"]
        for metric in _of_runs(runs, metrics):
            values = [run[metric] for run in finished if run[metric] is not None]
            row = {"network": network, "arm": arm, "metric": metric}
            row |= vars(interval_within(values, confidence, metrics[metric].ends))
            counts = {
                "missing": len(finished) - len(values),
                "diverged": len(group) - len(finished),
            }
            rows.append(row | counts)
    return rows


def differences(
    runs: list[Row], metrics: Mapping[str, Metric], confidence: float
) -> list[dict[str, Any]]:
    """A row for each metric of each arm but the reference: its difference or ratio, paired by seed."""
    reference, *others = dict.fromkeys(run["arm"] for run in runs)
    networks = dict.fromkeys(run["network"] for run in runs)
    rows = []
    for network, arm, name in itertools.product(networks, others, _of_runs(runs, metrics)):
        metric = metrics[name]
        sample = Sample([run for run in runs if run["network"] == network], "seed")
        pairs = pair(sample, (arm, reference), name, metric, metric.kind)
        estimate = pairs.estimate(confidence)
        if metric.kind == "ratio":
            estimate = exponential(estimate)
        row = {"network": network, "metric": name, "kind": metric.kind}
        rows.append({**row, "arm": arm, "reference": reference, **vars(estimate)})
    return rows


def curves(runs: Iterable[RunOf], inputs: dict[str, Path]) -> Iterator[dict[str, Any]]:
    """The epochs of all phases of the runs, each with the seconds that it took."""
    for run in runs:
        for phase, role in enumerate(run.training):
            head, folder = _phase(run, phase, inputs), inputs[role]
            seconds = {r["epoch"]: r["train_seconds"] for r in rows_of(folder / "timing.csv")}
            for row in rows_of(folder / "history.csv"):
                measured = {**row, "train_seconds": seconds.get(row["epoch"], "")}
                yield {**head, **{name: measured[name] for name in EPOCHS}}


def observed(runs: Iterable[RunOf], inputs: dict[str, Path], name: str) -> Iterator[dict[str, Any]]:
    """The rows of a table of what the phases of the runs were observed to do."""
    for run in runs:
        for phase, role in enumerate(run.observed):
            if role is not None:
                for row in rows_of(inputs[role] / name):
                    yield {**_phase(run, phase, inputs), **row}


def attached(
    runs: Iterable[RunOf], inputs: dict[str, Path], role: str, name: str
) -> Iterator[dict[str, Any]]:
    """The rows of a table in the folder that plays a role (a field of RunOf) for each run, where one does."""
    for run in runs:
        played = getattr(run, role)
        if played is not None:
            for row in rows_of(inputs[played] / name):
                yield {**of(run), **row}


def of(run: RunOf) -> dict[str, Any]:
    """Which run it is: network, arm and seed."""
    return {"network": run.network, "arm": run.arm, "seed": run.seed}


def _phase(run: RunOf, phase: int, inputs: dict[str, Path]) -> dict[str, Any]:
    """The columns PHASE."""
    record = read_json(inputs[run.training[phase]] / "record.json")
    return {**of(run), "phase": phase, "fingerprint": record["fingerprint"]}


def _of_runs(runs: list[Row], metrics: Mapping[str, Metric]) -> list[str]:
    """The metrics that runs have: some are timed only."""
    return [name for name in metrics if name in runs[0]]
