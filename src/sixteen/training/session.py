"""A training from start to files: epochs, checkpoints, and the end when numbers stop being finite."""

import csv
import json
import logging
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors.numpy import save_file

from sixteen import networks
from sixteen.datasets import Dataset, load_prepared
from sixteen.errors import UserError
from sixteen.training import divergence, measure, state
from sixteen.training.order import epoch_rows
from sixteen.training.precision import check_dtypes, with_loss_scale
from sixteen.training.progress import Progress
from sixteen.training.step import Step

HISTORY = (
    "epoch",
    "loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "zero_gradients",
    "nonfinite_gradients",
)
TIMING = ("epoch", "train_seconds", "images_per_second", "test_seconds")

log = logging.getLogger("sixteen")


class Session:
    """One run: made by `__init__`, trained by `run`, written by `write`, told by `facts`."""

    def __init__(
        self, parameters: dict[str, Any], dataset: Path, start: Path | None, scratch: Path
    ) -> None:
        self.parameters = parameters
        self.precision, self.recipe = parameters["precision"], parameters["recipe"]
        self.checkpoint = scratch / "checkpoint.safetensors"
        self.dataset = load_prepared(dataset)
        shape = self.dataset.train_images.shape[1:]
        network = (parameters["network"], shape, len(self.dataset.classes))
        self.layers, self.cost = networks.layers(parameters["network"]), networks.cost(*network)
        self.model = networks.build(*network, self.precision, self.recipe["l2"], parameters["seed"])
        self.trained_values = sum(int(np.prod(v.shape)) for v in self.model.trainable_variables)
        self.optimizer = with_loss_scale(_optimizer(self.recipe), self.precision)
        self.optimizer.build(self.model.trainable_variables)
        self.outcome = dict(divergence.FINISHED)
        if start is not None:
            state.load_weights(self.model, start / state.WEIGHTS)
            before = json.loads((start / "outcome.json").read_text(encoding="utf-8"))
            self.outcome["epochs_done"] = before["epochs_done"]
            if before["outcome"] == "diverged":
                self.outcome = divergence.start_failed(before)
        self.first = self.outcome["epochs_done"]
        check_dtypes(self.model, self.optimizer, self.precision)
        self.step = _step(
            parameters["backend"],
            self.model,
            self.optimizer,
            self.dataset,
            self.precision,
            self.recipe,
        )
        # What a checkpoint remembers beside the tensors.
        self.history: list[dict[str, Any]] = []
        self.timing: list[dict[str, Any]] = []
        self.last_loss: float | None = None
        self.joules = 0.0
        self.meter = measure.energy_meter()

    def run(self) -> None:
        """Train to the last epoch of the recipe, or to the first number that isn't finite."""
        begun = time.perf_counter()
        rows = self._rows(self.first + 1)
        self.step.compile(rows)
        self.compile_seconds = time.perf_counter() - begun
        if self.checkpoint.exists():
            self._take_up()
        self.logits = self.step.logits()
        if not self.history:
            self.history.append({"epoch": self.first, **_tested(self.logits, self.dataset)})
        last = self.first + self.recipe["epochs"]
        progress = Progress(self.outcome["epochs_done"], last, len(rows))
        try:
            while self.outcome["outcome"] == "finished" and self.outcome["epochs_done"] < last:
                self._epoch(self.outcome["epochs_done"] + 1, progress)
        finally:
            progress.close()

    def _epoch(self, epoch: int, progress: Progress) -> None:
        before = state.snapshot(self.model, self.optimizer)
        spent = self.meter() if self.meter else 0.0
        begun = time.perf_counter()
        rows = self._rows(epoch)
        reports = self.step.train_epoch(rows, progress.tick)
        train_seconds = time.perf_counter() - begun
        if self.meter:
            self.joules += self.meter() - spent
        losses, correct, zeros, nonfinite = reports.T.astype(np.float64)
        after = state.snapshot(self.model, self.optimizer)
        weights_finite = all(np.isfinite(tensor).all() for tensor in after.values())
        failure = divergence.first_failure(losses, nonfinite, weights_finite, self.precision)
        if failure:
            self._diverge(epoch, *failure, losses)
            state.restore(self.model, self.optimizer, before)
            return
        begun = time.perf_counter()
        self.logits = self.step.logits()
        test_seconds = time.perf_counter() - begun
        images = rows.shape[0] * rows.shape[1]
        self.last_loss = float(losses[-1])
        self.history.append(
            {
                "epoch": epoch,
                "loss": float(losses.mean()),
                "train_accuracy": float(correct.sum()) / images,
                **_tested(self.logits, self.dataset),
                "zero_gradients": zeros.mean() / self.trained_values,
                "nonfinite_gradients": nonfinite.mean() / self.trained_values,
            }
        )
        self.timing.append(
            {
                "epoch": epoch,
                "train_seconds": train_seconds,
                "images_per_second": images / train_seconds,
                "test_seconds": test_seconds,
            }
        )
        self.outcome["epochs_done"] = epoch
        progress.epoch(self.history[-1], self.timing[-1])
        if (epoch - self.first) % self.parameters["checkpoint_epochs"] == 0:
            self._keep(after)

    def _rows(self, epoch: int) -> np.ndarray:
        return epoch_rows(
            len(self.dataset.train_labels),
            self.recipe["batch"],
            self.recipe["augmentation"],
            self.parameters["seed"],
            epoch,
        )

    def _diverge(self, epoch: int, step: int, hint: str, losses: np.ndarray) -> None:
        finite = losses[:step][np.isfinite(losses[:step])]
        self.outcome |= {
            "outcome": "diverged",
            "epoch": epoch,
            "step": step,
            "last_finite_loss": float(finite[-1]) if len(finite) else self.last_loss,
            "hint": hint,
        }
        log.warning("diverged in epoch %d, step %d: %s", epoch, step, hint)

    def _keep(self, tensors: dict[str, np.ndarray]) -> None:
        about = {
            "epochs_done": self.outcome["epochs_done"],
            "history": self.history,
            "timing": self.timing,
            "last_loss": self.last_loss,
            "joules": self.joules,
        }
        state.save(self.checkpoint, tensors, about)

    def _take_up(self) -> None:
        tensors, about = state.load(self.checkpoint)
        state.restore(self.model, self.optimizer, tensors)
        self.outcome["epochs_done"] = about["epochs_done"]
        self.history, self.timing = about["history"], about["timing"]
        self.last_loss, self.joules = about["last_loss"], about["joules"]
        log.info("going on from the checkpoint of epoch %d", about["epochs_done"])

    def write(self, into: Path) -> None:
        """Write weights, logits, history, timing and outcome into the folder `into`."""
        about = {
            "network": self.parameters["network"],
            "precision": self.precision,
            "epochs_done": self.outcome["epochs_done"],
        }
        state.save(into / state.WEIGHTS, state.weights_of(self.model), about)
        save_file({"logits": self.logits}, into / "logits.safetensors")
        _write_csv(into / "history.csv", HISTORY, self.history)
        _write_csv(into / "timing.csv", TIMING, self.timing)
        (into / "outcome.json").write_text(json.dumps(self.outcome, indent=2) + "\n")

    def facts(self) -> dict[str, Any]:
        """Facts of the run for its record; times in seconds, energy in joules of the training steps."""
        steps = len(self._rows(self.first + 1))
        return {
            "outcome": self.outcome["outcome"],
            "images": len(self.timing) * steps * self.recipe["batch"],
            "compile_seconds": self.compile_seconds,
            "train_seconds": sum(row["train_seconds"] for row in self.timing),
            "test_seconds": sum(row["test_seconds"] for row in self.timing),
            **measure.peak(),
            **measure.state_bytes(self.model, self.optimizer),
            "energy_joules": self.joules if self.meter else None,
            "device": measure.device(),
            "parameters": self.trained_values,
            "layers": self.layers,
            "multiply_adds": self.cost,
        }


def _optimizer(recipe: dict[str, Any]) -> keras.optimizers.Optimizer:
    if recipe["optimizer"] != "sgd":
        raise UserError(
            f"expected the optimizer sgd, came {recipe['optimizer']!r}; correct `optimizer` of the recipe in "
            "params.yaml"
        )
    return keras.optimizers.SGD(recipe["learning_rate"], momentum=recipe["momentum"])


def _step(backend: str, *arguments: Any) -> Step:
    if backend == "tensorflow":
        from sixteen.training.step_tensorflow import TensorFlowStep

        return TensorFlowStep(*arguments)
    from sixteen.training.step_jax import JaxStep

    return JaxStep(*arguments)


def _tested(logits: np.ndarray, dataset: Dataset) -> dict[str, float]:
    """Mean cross-entropy (without penalties, in float64) and accuracy on the test set."""
    wide = logits.astype(np.float64)
    shifted = wide - wide.max(axis=1, keepdims=True)
    likelihoods = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    right = wide.argmax(axis=1) == dataset.test_labels
    picked = likelihoods[np.arange(len(right)), dataset.test_labels]
    return {"test_loss": -float(picked.mean()), "test_accuracy": float(right.mean())}


def _write_csv(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
