"""The row of a run in runs.csv, from the folders of its last phase, of its evaluation and of its observation."""

import itertools
import math
import statistics
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sixteen.analysis.pairs import Row
from sixteen.analysis.parameters import RunOf
from sixteen.files import read_json, rows_of

STATE = ("weight_bytes", "master_bytes", "gradient_bytes", "optimizer_bytes")


def run_of(
    run: RunOf,
    inputs: dict[str, Path],
    compared: dict[str, Any] | None,
    reach_seconds: float | None,
    metrics: Iterable[str],
) -> Row:
    """The numbers of a run. Times, memory and observations are those of the last phase.

    `compared` is its row of kind `trained` in tolerance.csv, None if there is none; `metrics` are those of the task.
    Shares stay shares.
    """
    last, observed = inputs[run.training[-1]], run.observed[-1]
    record = read_json(last / "record.json")
    evaluated = read_json(inputs[run.evaluated] / "metrics.json")
    history = list(rows_of(last / "history.csv"))
    known = {**evaluated, **_by_epoch(history), **_agreement(compared)}
    return {
        **{"network": run.network, "arm": run.arm, "seed": run.seed},
        "outcome": evaluated["outcome"],
        "test_items": evaluated["n"],
        **{name: known[name] for name in metrics},
        **_observed(None if observed is None else inputs[observed]),
        "bit_cost": _bit_cost([inputs[phase] for phase in run.training]),
        "skipped_steps": sum(int(row["skipped_steps"] or 0) for row in history),
        **_costs(record["facts"], list(rows_of(last / "timing.csv"))),
        "reach_seconds": reach_seconds,
        "device": record["facts"]["device"],
        "fingerprint": record["fingerprint"],
    }


def epoch_sd(values: list[float]) -> float | None:
    """Sample sd of the changes of accuracy or loss from one epoch to the next, over the second half of a phase.

    `values` are those after each epoch of the phase, without the start before any step: the first change is
    the switch. The second half alone, since a network that learns, or recovers from a switch, isn't unsteady;
    changes, not values, so that a steady rise counts for nothing. None for fewer than two changes (3 epochs),
    and where a value isn't finite.
    """
    half = (len(values) + 1) // 2
    changes = [after - before for before, after in itertools.pairwise(values)][-half:]
    if len(changes) < 2 or not all(map(math.isfinite, changes)):
        return None
    return statistics.stdev(changes)


def _by_epoch(history: list[dict[str, str]]) -> dict[str, float | None]:
    """What the tests of a phase say; the first is before any step. No accuracies where nothing is right or wrong."""
    accuracies, losses = (
        [float(row[column]) for row in history if row[column]]
        for column in ("test_accuracy", "test_loss")
    )
    return {
        "start_accuracy": accuracies[0] if accuracies else None,
        "first_epoch_accuracy": accuracies[1] if len(accuracies) > 1 else None,
        "epoch_sd": epoch_sd(accuracies[1:]),
        "loss_sd": epoch_sd(losses[1:]),
    }


def _agreement(compared: dict[str, Any] | None) -> dict[str, float | None]:
    if compared is None:
        return {"certified_share": None, "agreement": None}
    shares = {"certified_share": "certified", "agreement": "agree"}
    return {name: compared[count] / compared["n"] for name, count in shares.items()}


def _bit_cost(phases: list[Path]) -> float:
    """The bit operations of all phases as they were planned, in epochs of training in float32."""
    records = [read_json(phase / "record.json") for phase in phases]
    spans = itertools.pairwise([0, *(record["parameters"]["until"] for record in records)])
    return sum(
        record["facts"]["bit_cost"] * (end - begin)
        for record, (begin, end) in zip(records, spans, strict=True)
    )


def _costs(facts: dict[str, Any], timing: list[dict[str, str]]) -> dict[str, Any]:
    """Times, which are for information, and memory."""
    state = sum(facts[name] for name in STATE)
    return {
        "train_seconds": facts["train_seconds"],
        "seconds_per_epoch": _median(timing, "train_seconds"),
        "items_per_second": _median(timing, "items_per_second"),
        "compile_seconds": facts["compile_seconds"],
        "peak_bytes": facts["peak_bytes"],
        "peak_bytes_of": facts["peak_bytes_of"],
        **{name: facts[name] for name in STATE},
        "state_bytes": state,
        "activation_bytes": facts["activation_bytes"],
        "batch": facts["batch"],
        "training_bytes": state + facts["activation_bytes"] * facts["batch"],
        "energy_joules": facts["energy_joules"],
    }


def _observed(folder: Path | None) -> dict[str, float | None]:
    """What the last observation of a phase says of all tensors together; None where it wasn't observed."""
    seen, descent, kinks = {}, {}, {}
    if folder is not None:
        every = rows_of(folder / "observations.csv")
        seen = _last(row for row in every if row["tensor"] == "all")
        descent = _last(rows_of(folder / "descent.csv"))
        kinks = _last(rows_of(folder / "kinks.csv"))  # of all layers
    cosine = seen.get("gradient_cosine")
    return {
        "casting_error": _ratio(seen, "quantization_error", "quantization_bound"),
        "hessian_gap": _ratio(seen, "gradient_change_gap", "gradient_change"),
        "held_gap": _ratio(seen, "held_change_gap", "held_change"),
        "crossed_kinks": _ratio(kinks, "crossed", "units"),
        "gradient_error": _ratio(seen, "gradient_error", "gradient_norm"),
        "gradient_cosine": float(cosine) if cosine and math.isfinite(float(cosine)) else None,
        "underflowed_gradients": _ratio(seen, "underflowed_gradients", "elements"),
        "lost_updates": _ratio(seen, "lost_updates", "updates"),
        "update_error": _ratio(seen, "update_error", "update_norm"),
        "remainder": _ratio(descent, "remainder", "predicted_decrease"),
    }


def _last(rows: Iterable[dict[str, str]]) -> dict[str, str]:
    """The last row; one without cells if there is none."""
    return next(iter(deque(rows, maxlen=1)), {})


def _ratio(row: dict[str, str], part: str, whole: str) -> float | None:
    """None where one of the two wasn't measured or isn't finite, or the second is zero."""
    if not row.get(part) or not row.get(whole) or not float(row[whole]):
        return None
    found = float(row[part]) / float(row[whole])
    return found if math.isfinite(found) else None


def _median(rows: list[dict[str, str]], column: str) -> float | None:
    return statistics.median(float(row[column]) for row in rows) if rows else None
