"""What is written down of a training: history, timing and outcome."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from sixteen.files import read_json, write_csv, write_json
from sixteen.training import divergence, measure
from sixteen.training.history import HISTORY, TIMING

OUTCOME = "outcome.json"
START = (
    "start"  # the predictions before the first step, in checkpoints and in predictions.safetensors
)

log = logging.getLogger("sixteen")


class Ledger:
    """The books of one phase of training."""

    def __init__(self, start: Path | None) -> None:
        """`start` is the folder of the run that this one goes on from; if that diverged, so has this one."""
        self.outcome: dict[str, Any] = dict(divergence.FINISHED)
        self.earlier_losses: list[float] = []
        if start is not None:
            before = read_json(start / OUTCOME)
            self.outcome["epochs_done"] = before["epochs_done"]
            self.earlier_losses = before["losses"]
            if before["outcome"] == "diverged":
                self.outcome = divergence.start_failed(before)
        self.first: int = self.outcome["epochs_done"]
        self.history: list[dict[str, Any]] = []
        self.timing: list[dict[str, Any]] = []
        self.last_loss: float | None = None
        self.joules = 0.0
        self.compile_seconds = 0.0
        self.peak: dict[str, Any] | None = None
        self.meter = measure.energy_meter()
        self.start_predictions = self.predictions = np.array([])

    @property
    def going(self) -> bool:
        """Whether numbers are still finite."""
        return self.outcome["outcome"] == "finished"

    @property
    def losses(self) -> list[float]:
        """Mean training losses of all epochs since the start of the sentence."""
        return self.earlier_losses + [row["loss"] for row in self.history if "loss" in row]

    def begin(self, predictions: np.ndarray, tested: dict[str, float]) -> None:
        """Write down what the network predicts before its first step."""
        self.predictions = self.start_predictions = predictions
        self.history.append({"epoch": self.first, **tested})

    def epoch(self, trained: dict[str, Any], timed: dict[str, Any]) -> None:
        """Write down an epoch: its row of history.csv and its row of timing.csv."""
        self.history.append(trained)
        self.timing.append(timed)
        self.outcome["epochs_done"] = trained["epoch"]

    def diverge(self, epoch: int, step: int, hint: str, losses: np.ndarray) -> None:
        """Write down that numbers stopped being finite; `losses` are those of the steps of that epoch."""
        finite = losses[:step][np.isfinite(losses[:step])]
        self.outcome |= {
            "outcome": "diverged",
            "epoch": epoch,
            "step": step,
            "last_finite_loss": float(finite[-1]) if len(finite) else self.last_loss,
            "hint": hint,
        }
        log.warning("diverged in epoch %d, step %d: %s", epoch, step, hint)

    def about(self) -> dict[str, Any]:
        """What a checkpoint remembers of the books, beside the predictions at the start."""
        return {
            "epochs_done": self.outcome["epochs_done"],
            "history": self.history,
            "timing": self.timing,
            "last_loss": self.last_loss,
            "joules": self.joules,
        }

    def take_up(self, about: dict[str, Any], start_predictions: np.ndarray) -> None:
        """Go on from what a checkpoint remembers."""
        self.outcome["epochs_done"] = about["epochs_done"]
        self.history, self.timing = about["history"], about["timing"]
        self.last_loss, self.joules = about["last_loss"], about["joules"]
        self.start_predictions = start_predictions

    def write(self, into: Path) -> None:
        """Write all files but the weights into the folder `into`."""
        tensors = {"logits": self.predictions, START: self.start_predictions}
        save_file(tensors, into / "predictions.safetensors")
        write_csv(into / "history.csv", HISTORY, self.history)
        write_csv(into / "timing.csv", TIMING, self.timing)
        write_json(into / OUTCOME, {**self.outcome, "losses": self.losses})

    def facts(self, items: int) -> dict[str, Any]:
        """Facts of the run, trained on so many `items` an epoch; times in seconds, energy of the steps in joules."""
        return {
            "outcome": self.outcome["outcome"],
            "items": len(self.timing) * items,
            "compile_seconds": self.compile_seconds,
            "train_seconds": sum(row["train_seconds"] for row in self.timing),
            "test_seconds": sum(row["test_seconds"] for row in self.timing),
            **(self.peak or measure.peak()),
            "energy_joules": self.joules if self.meter else None,
        }
