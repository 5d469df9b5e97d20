"""Measuring the task `fit_signals`."""

from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401 (teaches NumPy, and so safetensors, what bfloat16 is)
import numpy as np
from safetensors.numpy import load_file

from sixteen.datasets.prepared.signals import Signals
from sixteen.files import read_json, write_csv, write_json
from sixteen.tasks.measured.parts.metric import measured, share_of_items

ITEM = "signal"
CLOSE = 0.1  # V
METRICS = {
    "error": measured("root mean square error", "V", "less", "difference"),
    "loss": measured("test loss", "V²", "less", "difference"),
    "close": share_of_items("signals within 0.1 V", "more", "difference"),
}


def evaluate(dataset: Path, run: Path, into: Path) -> dict[str, Any]:
    """See `sixteen.tasks.measured`; signals have no classes, so that per_class.csv has no rows."""
    targets = Signals.load(dataset).test_targets
    fitted = load_file(run / "predictions.safetensors")["logits"].astype(np.float64)
    outcome = read_json(run / "outcome.json")["outcome"]
    if not np.isfinite(fitted).all():
        outcome = "diverged"
    found: dict[str, Any] = {"outcome": outcome, "n": len(fitted), **dict.fromkeys(METRICS)}
    if outcome != "diverged":
        squares = np.square(fitted - targets)
        found["error"], found["loss"] = float(np.sqrt(squares.mean())), float(squares.mean())
        found["close"] = float((np.sqrt(squares).max(axis=1) <= CLOSE).mean())
    write_json(into / "metrics.json", found)
    write_csv(into / "per_class.csv", ("class",), [])
    return {"outcome": outcome, "error": found["error"]}
