"""Time to equal accuracy: how long the last phase of each run took to a test accuracy that the study names."""

import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sixteen.analysis.parameters import RunOf
from sixteen.files import read_json, rows_of

REACH = ("network", "arm", "seed", "epoch", "seconds", "clock")


def reach(
    runs: Iterable[RunOf],
    inputs: dict[str, Path],
    accuracy: float,
    step_seconds: dict[tuple[str, str], float],
) -> list[dict[str, Any]]:
    """The rows of reach.csv: the first `epoch` after which the test accuracy is at least `accuracy`, and `seconds`.

    Epochs count as in the history; seconds are those of the training steps of the last phase alone, without tests
    and compilation. `clock` is `timed` where `step_seconds` knows the arm, else `training`: the median epoch of the
    run itself. A run that never reached it has neither epoch nor seconds; one that diverged has no row, even if it had
    reached it before, as it is in no other mean.
    """
    rows = []
    for run in runs:
        if read_json(inputs[run.evaluated] / "metrics.json")["outcome"] == "diverged":
            continue
        last = inputs[run.training[-1]]
        history = list(rows_of(last / "history.csv"))
        start = int(history[0]["epoch"])
        epochs = (int(r["epoch"]) for r in history if float(r["test_accuracy"]) >= accuracy)
        epoch = next(epochs, None)
        timed = step_seconds.get((run.network, run.arm))
        seconds = None if epoch is None else _seconds(last, epoch - start, timed)
        head = {"network": run.network, "arm": run.arm, "seed": run.seed}
        clock = "training" if timed is None else "timed"
        rows.append({**head, "epoch": epoch, "seconds": seconds, "clock": clock})
    return rows


def _seconds(last: Path, epochs: int, step_seconds: float | None) -> float:
    """Seconds of so many epochs of a phase."""
    if not epochs:
        return 0.0
    measured = [float(row["train_seconds"]) for row in rows_of(last / "timing.csv")]
    if step_seconds is None:
        return epochs * statistics.median(measured)
    steps = read_json(last / "record.json")["facts"]["steps"] // len(measured)
    return epochs * steps * step_seconds
