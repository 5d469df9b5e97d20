"""The row of a run in runs.csv, from the folders of its last phase and of its evaluation."""

import itertools
import math
import statistics
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sixteen.analysis.metrics import Run
from sixteen.files import read_json, rows_of

EVALUATED = ("accuracy", "loss", "calibration_error", "margin_mean", "best_epoch_bias")
STATE = ("weight_bytes", "master_bytes", "gradient_bytes", "optimizer_bytes")


def run_of(
    run: dict[str, Any],
    inputs: dict[str, Path],
    record: dict[str, Any],
    compared: dict[str, Any] | None,
) -> Run:
    """The numbers of a run. Times, memory and observations are those of the last phase.

    ``compared`` is its row of kind ``trained`` in tolerance.csv, None if there is none. Shares stay shares.
    """
    last = inputs[run["training"][-1]]
    metrics, facts = read_json(inputs[run["evaluated"]] / "metrics.json"), record["facts"]
    history, timing = list(rows_of(last / "history.csv")), list(rows_of(last / "timing.csv"))
    accuracies = [float(row["test_accuracy"]) for row in history]
    state = sum(facts[name] for name in STATE)
    return {
        **{name: run[name] for name in ("network", "arm", "seed")},
        "outcome": metrics["outcome"],
        "test_images": metrics["n"],
        **{name: metrics[name] for name in EVALUATED},
        "start_accuracy": accuracies[0],
        "first_epoch_accuracy": accuracies[1] if len(accuracies) > 1 else None,
        "epoch_sd": epoch_sd(accuracies[1:]),
        "loss_sd": epoch_sd([float(row["test_loss"]) for row in history[1:]]),
        "certified_share": compared and compared["certified"] / compared["n"],
        "agreement": compared and compared["agree"] / compared["n"],
        **_observed(last),
        "skipped_steps": sum(int(row["skipped_steps"] or 0) for row in history),
        "train_seconds": facts["train_seconds"],
        "seconds_per_epoch": _median(timing, "train_seconds"),
        "images_per_second": _median(timing, "images_per_second"),
        "compile_seconds": facts["compile_seconds"],
        "peak_bytes": facts["peak_bytes"],
        "peak_bytes_of": facts["peak_bytes_of"],
        **{name: facts[name] for name in STATE},
        "state_bytes": state,
        "activation_bytes": facts["activation_bytes"],
        "batch": facts["batch"],
        "training_bytes": state + facts["activation_bytes"] * facts["batch"],
        "energy_joules": facts["energy_joules"],
        "device": facts["device"],
        "fingerprint": record["fingerprint"],
    }


def epoch_sd(values: list[float]) -> float | None:
    """Sample sd of the changes of accuracy or loss from one epoch to the next, over the second half of a phase.

    ``values`` are those after each epoch of the phase, without the start before any step: the first change is
    the switch. The second half alone, since a network that learns, or recovers from a switch, isn't unsteady;
    changes, not values, so that a steady rise counts for nothing. None for fewer than two changes (3 epochs),
    and where a value isn't finite.
    """
    half = (len(values) + 1) // 2
    changes = [after - before for before, after in itertools.pairwise(values)][-half:]
    if len(changes) < 2 or not all(map(math.isfinite, changes)):
        return None
    return statistics.stdev(changes)


def _observed(last: Path) -> dict[str, float | None]:
    """What the last observation of a phase says of all tensors together."""
    seen = _last(row for row in rows_of(last / "observations.csv") if row["tensor"] == "all")
    descent = _last(rows_of(last / "descent.csv"))
    cosine = seen.get("gradient_cosine")
    return {
        "casting_error": _ratio(seen, "quantization_error", "quantization_bound"),
        "hessian_gap": _ratio(seen, "gradient_change_gap", "gradient_change"),
        "gradient_error": _ratio(seen, "gradient_error", "gradient_norm"),
        "gradient_cosine": float(cosine) if cosine else None,
        "underflowed_gradients": _ratio(seen, "underflowed_gradients", "elements"),
        "lost_updates": _ratio(seen, "lost_updates", "updates"),
        "remainder": _ratio(descent, "remainder", "predicted_decrease"),
    }


def _last(rows: Iterable[dict[str, str]]) -> dict[str, str]:
    """The last row; one without cells if there is none."""
    return next(iter(deque(rows, maxlen=1)), {})


def _ratio(row: dict[str, str], part: str, whole: str) -> float | None:
    """None where one of the two wasn't measured, or the second is zero."""
    if not row.get(part) or not row.get(whole) or not float(row[whole]):
        return None
    return float(row[part]) / float(row[whole])


def _median(rows: list[dict[str, str]], column: str) -> float | None:
    return statistics.median(float(row[column]) for row in rows) if rows else None
