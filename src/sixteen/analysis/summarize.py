"""Bring the runs of a study together: tables of runs, of arms and of their differences, and verdicts.

Arms are compared by seed with the reference, the arm of the first run. A run that diverged is counted,
and is in no mean. All tables are tidy: a row a run, or a row a metric.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sixteen.analysis import factorial, reach, tables, times
from sixteen.analysis.claims import judge_all
from sixteen.analysis.evidence import Evidence
from sixteen.analysis.harm import HARM, harm
from sixteen.analysis.pairs import Row
from sixteen.analysis.parameters import RunOf, Summary
from sixteen.analysis.runs import run_of
from sixteen.analysis.tolerance import IMAGES, TOLERANCE, compare_runs
from sixteen.errors import UserError
from sixteen.files import columns_of, read_json, write_csv, write_json
from sixteen.study.design import settings_of
from sixteen.tasks import measured
from sixteen.tasks.measured.parts.metrics import metrics_of
from sixteen.training import observed

TENSORS = (
    *("tensor", "elements", "max_abs", "max_error", "mean_error", "relative_error"),
    *("error_norm", "bound_norm", "within_bound", "underflowed", "subnormal"),
)

Folders = dict[str, Path]
Rows = list[dict[str, Any]]


def summarize(parameters: Summary, inputs: Folders, into: Path, scratch: Path) -> dict[str, Any]:
    """Write the tables of a study (.csv, a header at least), claims.json and settings.json.

    Of runs: runs, curves, quantization, per_class, reach, observations, descent, exponents and kinks. Of arms: summary,
    differences, tolerance, images, harm, effects and times.

    `inputs` maps the roles that `parameters` names to folders of runs. Shares (accuracies)
    stay shares in the tables; claims.json is in the units that it names. Raises UserError for a study
    without runs, for a claim that can't be read, and for a factorial that isn't one.
    """
    if not parameters.runs:
        raise UserError(
            f"expected at least one run in study {parameters.study!r}, came none; give it networks, "
            "arms and seeds"
        )
    timed = list(times.times(parameters.timed, inputs))
    write_csv(into / "times.csv", times.TIMES, timed)
    clocks = [times.numbers(row) for row in timed]
    tolerance = _write_tolerance(parameters, inputs, into)
    reached = _write_reach(parameters, inputs, clocks, into)
    runs = _rows(parameters, inputs, tolerance, reached)
    quantization = list(tables.attached(parameters.runs, inputs, "quantized", "tensors.csv"))
    write_csv(into / "quantization.csv", (*tables.RUN, *TENSORS), quantization)
    write_csv(into / "curves.csv", tables.CURVES, tables.curves(parameters.runs, inputs))
    _write_observed(parameters.runs, inputs, into)
    _write_arms(parameters, inputs, runs, into)

    layers = _layers(parameters.runs, inputs)
    _write_settings(parameters, layers, into)
    metrics, item = metrics_of(parameters.task), measured.module(parameters.task).ITEM
    found = (runs, clocks, quantization, tolerance)
    evidence = Evidence(*found, layers, parameters.statistics, metrics, item)
    diverged = sum(run["outcome"] == "diverged" for run in runs)
    verdicts = _write_claims(parameters, evidence, into)
    return {"runs": len(runs), "diverged": diverged, "verdicts": verdicts}


def _write_claims(parameters: Summary, evidence: Evidence, into: Path) -> dict[str, str]:
    """Judge the claims; returns the verdicts by id. A verdict holds at the scale of its study."""
    judged = judge_all(parameters.claims, evidence)
    claims = [claim | {"scale": parameters.scale} for claim in judged]
    write_json(into / "claims.json", {"claims": claims})
    return {claim["id"]: claim["verdict"] for claim in claims}


def _write_tolerance(parameters: Summary, inputs: Folders, into: Path) -> Rows:
    """How far predictions are apart; only where items have classes is there something to compare."""
    tolerance, images = [], []
    if "agreement" in measured.module(parameters.task).METRICS:
        finished = {
            (run.network, run.arm, run.seed)
            for run in parameters.runs
            if read_json(inputs[run.evaluated] / "metrics.json")["outcome"] != "diverged"
        }
        tolerance, images = compare_runs(parameters.runs, inputs, parameters.arms, finished)
    write_csv(into / "tolerance.csv", TOLERANCE, tolerance)
    write_csv(into / "images.csv", IMAGES, images)
    return tolerance


def _write_reach(parameters: Summary, inputs: Folders, clocks: list[Row], into: Path) -> Rows:
    """The time that each run took to the accuracy that the study names, if it names one."""
    rows = []
    if parameters.reach is not None:
        steps = times.step_seconds(clocks)
        rows = reach.reach(parameters.runs, inputs, parameters.reach, steps)
    write_csv(into / "reach.csv", reach.REACH, rows)
    return rows


def _rows(parameters: Summary, inputs: Folders, tolerance: Rows, reached: Rows) -> list[Row]:
    """The rows of runs.csv."""
    trained = {_key(row): row for row in tolerance if row["kind"] == "trained"}
    seconds = {_key(row): row["seconds"] for row in reached}
    own = measured.module(parameters.task).METRICS
    rows = []
    for run in parameters.runs:
        key = (run.network, run.arm, run.seed)
        rows.append(run_of(run, inputs, trained.get(key), seconds.get(key), own))
    return rows


def _write_arms(parameters: Summary, inputs: Folders, runs: list[Row], into: Path) -> None:
    """Runs, and what is said of arms by them."""
    metrics, confidence = metrics_of(parameters.task), parameters.statistics.confidence
    per_class = list(tables.attached(parameters.runs, inputs, "evaluated", "per_class.csv"))
    columns = columns_of(inputs[parameters.runs[0].evaluated] / "per_class.csv")
    effects = []
    if parameters.factorial is not None:
        arms = {arm: parameters.arms[arm] for arm in parameters.factorial}
        settings = settings_of(arms, parameters.precisions, parameters.recipes)
        effects = factorial.effects(runs, settings, metrics, confidence)
    write_csv(into / "runs.csv", tuple(runs[0]), runs)
    write_csv(into / "summary.csv", tables.SUMMARY, tables.summary(runs, metrics, confidence))
    rows = tables.differences(runs, metrics, confidence)
    write_csv(into / "differences.csv", tables.DIFFERENCES, rows)
    write_csv(into / "per_class.csv", (*tables.RUN, *columns), per_class)
    write_csv(into / "harm.csv", HARM, harm(runs, per_class, parameters.statistics))
    write_csv(into / "effects.csv", factorial.EFFECTS, effects)


def _write_observed(runs: Iterable[RunOf], inputs: Folders, into: Path) -> None:
    """Pass on what runs observed; exponents, of which there are many, of one run a network only."""
    runs = list(runs)
    references = [run for run in runs if run.arm == runs[0].arm and any(run.observed)]
    first = {run.network: run for run in reversed(references)}
    shown = [run for run in references if run is first[run.network]]
    for name, columns in observed.TABLES.items():
        chosen = shown if name == "exponents" else runs
        rows = tables.observed(chosen, inputs, f"{name}.csv")
        write_csv(into / f"{name}.csv", (*tables.PHASE, *columns), rows)


def _write_settings(parameters: Summary, layers: dict[str, int], into: Path) -> None:
    """The study as it was planned, its arms in the order of the runs."""
    plain = parameters.plain()
    described = {k: v for k, v in plain.items() if k not in ("runs", "timed", "claims")}
    sentences = {run.arm: parameters.arms[run.arm] for run in parameters.runs}
    reference = {"reference": parameters.runs[0].arm, "arms": sentences, "layers": layers}
    write_json(into / "settings.json", described | reference)


def _layers(runs: Iterable[RunOf], inputs: Folders) -> dict[str, int]:
    """Weighted layers of each network."""
    return {
        run.network: read_json(inputs[run.training[-1]] / "record.json")["facts"]["layers"]
        for run in runs
    }


def _key(row: dict[str, Any]) -> tuple[str, str, int]:
    return row["network"], row["arm"], row["seed"]
