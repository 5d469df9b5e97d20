"""The tables of a run: the columns of its history, and one way to write them all."""

import csv
from pathlib import Path
from typing import Any

HISTORY = (
    "epoch",
    "loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "zero_gradients",
    "nonfinite_gradients",
    "loss_scale",
    "skipped_steps",
)
TIMING = ("epoch", "train_seconds", "images_per_second", "test_seconds")


def write(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    """Write rows as CSV, with a header even where there are none; what is None or absent is left empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
