"""Bring the runs of a study together: tables of runs, of arms and of their differences, and verdicts.

Arms are compared by seed with the reference, the arm of the first run. A run that diverged is counted,
and is in no mean. All tables are tidy: a row a run, or a row a metric.
"""

import csv
import itertools
import json
import statistics
from pathlib import Path
from typing import Any

from sixteen.analysis.claims import Evidence, judge
from sixteen.analysis.metrics import METRICS, Run, pair
from sixteen.analysis.statistics import (
    exponential,
    paired_difference,
    paired_log_ratio,
    t_interval,
)
from sixteen.errors import UserError

EVALUATED = ("accuracy", "loss", "calibration_error", "margin_mean", "best_epoch_bias")
STATE = ("weight_bytes", "gradient_bytes", "optimizer_bytes")
RUN = ("network", "arm", "seed")
CURVES = (
    "epoch",
    "loss",
    "train_accuracy",
    "test_accuracy",
    "zero_gradients",
    "nonfinite_gradients",
    "train_seconds",
)
TENSORS = (
    "tensor",
    "elements",
    "max_abs",
    "max_error",
    "mean_error",
    "relative_error",
    "error_norm",
    "bound_norm",
    "within_bound",
    "underflowed",
    "subnormal",
)
ESTIMATE = ("n", "mean", "sd", "low", "high")
SUMMARY = ("network", "arm", "metric", *ESTIMATE, "diverged")
DIFFERENCES = ("network", "metric", "kind", "arm", "reference", *ESTIMATE)
PER_CLASS = ("class", "n", "correct", "accuracy")


def summarize(
    parameters: dict[str, Any], inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Write runs, summary, differences, curves, quantization and per_class (.csv), claims and settings.

    ``inputs`` maps the roles that ``parameters["runs"]`` names to folders of runs. Shares (accuracies)
    stay shares in the tables; claims.json is in the units that it names. Raises UserError for a study
    without runs, and for a claim that can't be read.
    """
    listed = parameters["runs"]
    if not listed:
        raise UserError(
            f"expected at least one run in study {parameters['study']!r}, came none; give it networks, "
            "arms and seeds"
        )
    levels = parameters["statistics"]
    records = [_json(inputs[run["training"][-1]] / "record.json") for run in listed]
    runs = [_run(run, inputs, record) for run, record in zip(listed, records, strict=True)]
    layers = {
        run["network"]: record["facts"]["layers"]
        for run, record in zip(listed, records, strict=True)
    }
    quantization = [
        {**_of(run), **row}
        for run in listed
        if run["quantized"]
        for row in _rows(inputs[run["quantized"]] / "tensors.csv")
    ]
    per_class = [
        {**_of(run), **row}
        for run in listed
        for row in _rows(inputs[run["evaluated"]] / "per_class.csv")
    ]
    _write_csv(into / "runs.csv", tuple(runs[0]), runs)
    _write_csv(into / "summary.csv", SUMMARY, _summary(runs, levels["confidence"]))
    _write_csv(into / "differences.csv", DIFFERENCES, _differences(runs, levels["confidence"]))
    curves = [row for run in listed for row in _curve(run, inputs)]
    _write_csv(into / "curves.csv", (*RUN, "phase", *CURVES), curves)
    _write_csv(into / "quantization.csv", (*RUN, *TENSORS), quantization)
    _write_csv(into / "per_class.csv", (*RUN, *PER_CLASS), per_class)

    evidence = Evidence(runs, quantization, layers, levels)
    claims = [judge(claim, evidence) for claim in parameters["claims"]]
    _write_json(into / "claims.json", {"claims": claims})
    described = {k: v for k, v in parameters.items() if k not in ("runs", "claims")}
    arms = {run["arm"]: parameters["arms"][run["arm"]] for run in listed}
    reference = {"reference": listed[0]["arm"], "arms": arms, "layers": layers}
    _write_json(into / "settings.json", described | reference)
    return {
        "runs": len(runs),
        "diverged": sum(run["outcome"] == "diverged" for run in runs),
        "verdicts": {claim["id"]: claim["verdict"] for claim in claims},
    }


def _run(run: dict[str, Any], inputs: dict[str, Path], record: dict[str, Any]) -> Run:
    """The row of a run in runs.csv. Times are those of the last phase, where the arms differ."""
    last = inputs[run["training"][-1]]
    metrics, facts = _json(inputs[run["evaluated"]] / "metrics.json"), record["facts"]
    history = [float(row["test_accuracy"]) for row in _rows(last / "history.csv")]
    timing = _rows(last / "timing.csv")
    return {
        **_of(run),
        "outcome": metrics["outcome"],
        **{name: metrics[name] for name in EVALUATED},
        "start_accuracy": history[0],
        "first_epoch_accuracy": history[1] if len(history) > 1 else None,
        "epoch_sd": epoch_sd(history[1:]),
        "train_seconds": facts["train_seconds"],
        "seconds_per_epoch": _median(timing, "train_seconds"),
        "images_per_second": _median(timing, "images_per_second"),
        "compile_seconds": facts["compile_seconds"],
        "peak_bytes": facts["peak_bytes"],
        "peak_bytes_of": facts["peak_bytes_of"],
        **{name: facts[name] for name in STATE},
        "state_bytes": sum(facts[name] for name in STATE),
        "energy_joules": facts["energy_joules"],
        "device": facts["device"],
        "fingerprint": record["fingerprint"],
    }


def epoch_sd(accuracies: list[float]) -> float | None:
    """Sample sd of the changes of test accuracy from epoch to epoch; None for fewer than 3 epochs.

    Changes, not values, so that a steady rise counts for nothing. The start before any step is to be
    left out: the first change is the switch.
    """
    changes = [after - before for before, after in itertools.pairwise(accuracies)]
    return statistics.stdev(changes) if len(changes) >= 2 else None


def _summary(runs: list[Run], confidence: float) -> list[dict[str, Any]]:
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


def _differences(runs: list[Run], confidence: float) -> list[dict[str, Any]]:
    reference, *others = dict.fromkeys(run["arm"] for run in runs)
    networks = dict.fromkeys(run["network"] for run in runs)
    rows = []
    for network, arm, (name, metric) in itertools.product(networks, others, METRICS.items()):
        pairs = pair(runs, network, [arm, reference], name, metric.kind)
        if metric.kind == "ratio":
            estimate = exponential(paired_log_ratio(pairs.first, pairs.second, confidence))
        else:
            estimate = paired_difference(pairs.first, pairs.second, confidence)
        row = {"network": network, "metric": name, "kind": metric.kind}
        rows.append({**row, "arm": arm, "reference": reference, **vars(estimate)})
    return rows


def _curve(run: dict[str, Any], inputs: dict[str, Path]) -> list[dict[str, Any]]:
    """The epochs of all phases of a run, each with the seconds that it took."""
    rows = []
    for phase, role in enumerate(run["training"]):
        seconds = {r["epoch"]: r["train_seconds"] for r in _rows(inputs[role] / "timing.csv")}
        for row in _rows(inputs[role] / "history.csv"):
            measured = {**row, "train_seconds": seconds.get(row["epoch"], "")}
            rows.append({**_of(run), "phase": phase, **{name: measured[name] for name in CURVES}})
    return rows


def _of(run: dict[str, Any]) -> dict[str, Any]:
    return {name: run[name] for name in RUN}


def _rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV as text, so that what is passed on stays as it was written."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _median(rows: list[dict[str, str]], column: str) -> float | None:
    return statistics.median(float(row[column]) for row in rows) if rows else None


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_csv(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
