"""The best epoch of a task that is judged by its test loss, and what choosing it would have added."""

from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.files import rows_of

CLOSE = 1e-6  # by which two means of the same numbers may differ


def best_epoch(run: Path, loss: float) -> dict[str, Any]:
    """The epochs of the history of `run`, its first row (before any step) apart; checks that the last one ends in `loss`."""
    history = list(rows_of(run / "history.csv"))[1:]
    epochs = [(int(row["epoch"]), float(row["test_loss"])) for row in history]
    last_epoch, last = epochs[-1]
    if abs(last - loss) > CLOSE:
        raise UserError(
            f"expected predictions of the last epoch, with test loss {last:g} in history.csv, came some with {loss:g} in "
            f"{run}; the run's files don't belong together, train it again"
        )
    best_epoch, best = min(epochs, key=lambda epoch: epoch[1])
    return {
        "last_epoch": last_epoch,
        "best_epoch": best_epoch,
        "best_epoch_loss": best,
        "best_epoch_bias": loss - best,
    }
