"""Bring the runs of a study together: tables of runs, of arms and of their differences, and verdicts.

Arms are compared by seed with the reference, the arm of the first run. A run that diverged is counted,
and is in no mean. All tables are tidy: a row a run, or a row a metric.
"""

from pathlib import Path
from typing import Any

from sixteen.analysis import factorial, tables
from sixteen.analysis.claims import Evidence, judge
from sixteen.analysis.evaluate import PER_CLASS
from sixteen.analysis.harm import HARM, harm
from sixteen.analysis.runs import run_of
from sixteen.analysis.tolerance import IMAGES, TOLERANCE, compare_runs
from sixteen.errors import UserError
from sixteen.files import columns_of, read_json, rows_of, write_csv, write_json
from sixteen.study.design import settings_of

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


def summarize(
    parameters: dict[str, Any], inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Write the tables of a study (.csv, a header at least), claims.json and settings.json.

    Of runs: runs, curves, quantization, per_class, observations, descent and exponents. Of arms: summary,
    differences, tolerance, images, harm and effects.

    ``inputs`` maps the roles that ``parameters["runs"]`` names to folders of runs. Shares (accuracies)
    stay shares in the tables; claims.json is in the units that it names. Raises UserError for a study
    without runs, for a claim that can't be read, and for a factorial that isn't one.
    """
    listed = parameters["runs"]
    if not listed:
        raise UserError(
            f"expected at least one run in study {parameters['study']!r}, came none; give it networks, "
            "arms and seeds"
        )
    levels = parameters["statistics"]
    confidence = levels["confidence"]
    records = [read_json(inputs[run["training"][-1]] / "record.json") for run in listed]
    layers = {
        run["network"]: record["facts"]["layers"]
        for run, record in zip(listed, records, strict=True)
    }
    finished = {
        (run["network"], run["arm"], run["seed"])
        for run in listed
        if read_json(inputs[run["evaluated"]] / "metrics.json")["outcome"] != "diverged"
    }
    tolerance, images = compare_runs(listed, inputs, parameters["arms"], finished)
    trained = {
        (row["network"], row["arm"], row["seed"]): row
        for row in tolerance
        if row["kind"] == "trained"
    }
    runs = [
        run_of(run, inputs, record, trained.get((run["network"], run["arm"], run["seed"])))
        for run, record in zip(listed, records, strict=True)
    ]
    quantization = [
        {**tables.of(run), **row}
        for run in listed
        if run["quantized"]
        for row in rows_of(inputs[run["quantized"]] / "tensors.csv")
    ]
    per_class = [
        {**tables.of(run), **row}
        for run in listed
        for row in rows_of(inputs[run["evaluated"]] / "per_class.csv")
    ]
    arms = parameters["factorial"]
    effects = factorial.effects(runs, settings_of(parameters, arms), confidence) if arms else []
    write_csv(into / "runs.csv", tuple(runs[0]), runs)
    write_csv(into / "summary.csv", tables.SUMMARY, tables.summary(runs, confidence))
    write_csv(into / "differences.csv", tables.DIFFERENCES, tables.differences(runs, confidence))
    write_csv(into / "curves.csv", tables.CURVES, tables.curves(listed, inputs))
    write_csv(into / "quantization.csv", (*tables.RUN, *TENSORS), quantization)
    write_csv(into / "per_class.csv", (*tables.RUN, *PER_CLASS), per_class)
    write_csv(into / "tolerance.csv", TOLERANCE, tolerance)
    write_csv(into / "images.csv", IMAGES, images)
    write_csv(into / "harm.csv", HARM, harm(runs, per_class, confidence))
    write_csv(into / "effects.csv", factorial.EFFECTS, effects)
    _write_observed(listed, inputs, into)

    evidence = Evidence(runs, quantization, tolerance, layers, levels)
    claims = [judge(claim, evidence) for claim in parameters["claims"]]
    write_json(into / "claims.json", {"claims": claims})
    described = {k: v for k, v in parameters.items() if k not in ("runs", "claims")}
    sentences = {run["arm"]: parameters["arms"][run["arm"]] for run in listed}
    reference = {"reference": listed[0]["arm"], "arms": sentences, "layers": layers}
    write_json(into / "settings.json", described | reference)
    return {
        "runs": len(runs),
        "diverged": len(runs) - len(finished),
        "verdicts": {claim["id"]: claim["verdict"] for claim in claims},
    }


def _write_observed(runs: list[dict[str, Any]], inputs: dict[str, Path], into: Path) -> None:
    """Pass on what runs observed; exponents, of which there are many, of one run a network only."""
    references = [run for run in runs if run["arm"] == runs[0]["arm"]]
    first = {run["network"]: run for run in reversed(references)}
    shown = [run for run in references if run is first[run["network"]]]
    for name, chosen in (
        ("observations.csv", runs),
        ("descent.csv", runs),
        ("exponents.csv", shown),
    ):
        columns = columns_of(inputs[runs[0]["training"][-1]] / name)
        rows = tables.observed(chosen, inputs, name)
        write_csv(into / name, (*tables.PHASE, *columns), rows)
