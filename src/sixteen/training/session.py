"""A training from start to files: epochs, checkpoints, and the end when numbers stop being finite."""

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from sixteen import networks
from sixteen.datasets import load_prepared
from sixteen.files import read_json, write_csv, write_json
from sixteen.precision.proofs import check_dtypes
from sixteen.training import divergence, measure, optimizers, state
from sixteen.training.history import HISTORY, TIMING, tested
from sixteen.training.observe import DESCENT, EXPONENTS, OBSERVATIONS, Observer
from sixteen.training.order import epoch_rows
from sixteen.training.progress import Progress
from sixteen.training.step import Step

OBSERVED = {"observations": OBSERVATIONS, "descent": DESCENT, "exponents": EXPONENTS}
START = "start"  # the logits before the first step, in checkpoints and in logits.safetensors

log = logging.getLogger("sixteen")


class Session:
    """One run: made by `__init__`, trained by `run`, written by `write`, told by `facts`."""

    def __init__(
        self, parameters: dict[str, Any], dataset: Path, start: Path | None, scratch: Path
    ) -> None:
        self.parameters = parameters
        self.precision, self.recipe = parameters["precision"], parameters["recipe"]
        self.checkpoint = scratch / state.CHECKPOINT
        self.dataset = load_prepared(dataset)
        shape = self.dataset.train_images.shape[1:]
        network = (parameters["network"], shape, len(self.dataset.classes))
        self.layers, self.cost = networks.layers(parameters["network"]), networks.cost(*network)
        self.model = networks.build(*network, self.precision, self.recipe["l2"], parameters["seed"])
        self.trained_values = sum(int(np.prod(v.shape)) for v in self.model.trainable_variables)
        self.optimizer = optimizers.build(self.recipe, self.precision)
        self.optimizer.build(self.model.trainable_variables)
        self.outcome = dict(divergence.FINISHED)
        if start is not None:
            state.load_weights(self.model, start / state.WEIGHTS)
            before = read_json(start / "outcome.json")
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
        self.observer: Observer | None = None
        self.peak: dict[str, Any] | None = None
        # What a checkpoint remembers beside the tensors.
        self.history: list[dict[str, Any]] = []
        self.timing: list[dict[str, Any]] = []
        self.last_loss: float | None = None
        self.joules = 0.0
        self.observed: dict[str, list[dict[str, Any]]] = {name: [] for name in OBSERVED}
        self.observe_seconds = 0.0
        self.meter = measure.energy_meter()

    def run(self) -> None:
        """Train to the last epoch of the recipe, or to the first number that isn't finite."""
        begun = time.perf_counter()
        rows = self._rows(self.first + 1)
        self.step.compile(rows)
        self.compile_seconds = time.perf_counter() - begun
        resumed = self.checkpoint.exists()
        if resumed:
            self._take_up()
        self.logits = self._test()
        if not resumed:
            self.start_logits = self.logits
            self.history.append(
                {"epoch": self.first, **tested(self.logits, self.dataset.test_labels)}
            )
        last = self.first + self.recipe["epochs"]
        progress = Progress(self.outcome["epochs_done"], last, len(rows))
        try:
            while self.outcome["outcome"] == "finished" and self.outcome["epochs_done"] < last:
                self._epoch(self.outcome["epochs_done"] + 1, progress)
        finally:
            progress.close()
        if self.outcome["outcome"] == "finished" and not optimizers.updates_of(self.optimizer):
            self._diverge(last, len(rows), divergence.NEVER_UPDATED, np.array([]))

    def _epoch(self, epoch: int, progress: Progress) -> None:
        before = state.snapshot(self.model, self.optimizer)
        updates = optimizers.updates_of(self.optimizer)
        spent = self.meter() if self.meter else 0.0
        begun = time.perf_counter()
        rows = self._rows(epoch)
        reports = self.step.train_epoch(rows, progress.tick)
        train_seconds = time.perf_counter() - begun
        if self.meter:
            self.joules += self.meter() - spent
        losses, correct, zeros, nonfinite = reports.T.astype(np.float64)
        after = state.snapshot(self.model, self.optimizer)
        if self.peak is None:
            self.peak = measure.peak()
        if epoch == self.first + 1:
            # Not before the epoch: the peak of the memory is to be that of training, not of observing.
            state.restore(self.model, self.optimizer, before)
            self._observe(self.first)
            state.restore(self.model, self.optimizer, after)
        weights_finite = all(np.isfinite(tensor).all() for tensor in after.values())
        failure = divergence.first_failure(
            losses, nonfinite, weights_finite, self.precision, self.recipe
        )
        if failure:
            self._diverge(epoch, *failure, losses)
            state.restore(self.model, self.optimizer, before)
            return
        begun = time.perf_counter()
        self.logits = self._test()
        test_seconds = time.perf_counter() - begun
        images = rows.shape[0] * rows.shape[1]
        self.last_loss = float(losses[-1])
        self.history.append(
            {
                "epoch": epoch,
                "loss": float(losses.mean()),
                "train_accuracy": float(correct.sum()) / images,
                **tested(self.logits, self.dataset.test_labels),
                "zero_gradients": zeros.mean() / self.trained_values,
                "nonfinite_gradients": nonfinite.mean() / self.trained_values,
                "loss_scale": optimizers.scale_of(self.optimizer),
                "skipped_steps": len(rows) - (optimizers.updates_of(self.optimizer) - updates),
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
        self._observe(epoch)
        if (epoch - self.first) % self.parameters["checkpoint_epochs"] == 0:
            self._keep(after)

    def _observe(self, epoch: int) -> None:
        """Measure theory after `epoch` if it is due, on the batch that every arm of this seed sees next."""
        plan, done = self.recipe["observe"], epoch - self.first
        if plan is None or (done % plan["every"] and done < self.recipe["epochs"]):
            return
        begun = time.perf_counter()
        if self.observer is None:
            self.observer = Observer(
                self.parameters, self.dataset, self.model, self.optimizer, self.step
            )
        for name, rows in self.observer.observe(epoch, self._rows(epoch + 1)).items():
            self.observed[name] += rows
        self.observe_seconds += time.perf_counter() - begun

    def _test(self) -> np.ndarray:
        """Logits of the test set, by the average of the weights if the recipe asks for one."""
        with optimizers.averaged(self.model, self.optimizer):
            return self.step.logits()

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
            "observed": self.observed,
            "observe_seconds": self.observe_seconds,
        }
        state.save(self.checkpoint, tensors | {START: self.start_logits}, about)

    def _take_up(self) -> None:
        tensors, about = state.load(self.checkpoint)
        state.restore(self.model, self.optimizer, tensors)
        self.outcome["epochs_done"] = about["epochs_done"]
        self.history, self.timing = about["history"], about["timing"]
        self.last_loss, self.joules = about["last_loss"], about["joules"]
        self.start_logits = tensors[START]
        self.observed, self.observe_seconds = about["observed"], about["observe_seconds"]
        log.info("going on from the checkpoint of epoch %d", about["epochs_done"])

    def write(self, into: Path) -> None:
        """Write all files of the run into the folder `into`, see `sixteen.training.train`."""
        about = {
            "network": self.parameters["network"],
            "precision": self.precision,
            "epochs_done": self.outcome["epochs_done"],
        }
        with optimizers.averaged(self.model, self.optimizer):
            state.save(into / state.WEIGHTS, state.weights_of(self.model), about)
        save_file({"logits": self.logits, START: self.start_logits}, into / "logits.safetensors")
        write_csv(into / "history.csv", HISTORY, self.history)
        write_csv(into / "timing.csv", TIMING, self.timing)
        for name, columns in OBSERVED.items():
            write_csv(into / f"{name}.csv", columns, self.observed[name])
        write_json(into / "outcome.json", self.outcome)

    def facts(self) -> dict[str, Any]:
        """Facts of the run for its record; times in seconds, energy in joules of the training steps."""
        batch = self.recipe["batch"]
        return {
            "outcome": self.outcome["outcome"],
            "images": len(self.timing) * (len(self.dataset.train_labels) // batch) * batch,
            "batch": batch,
            "compile_seconds": self.compile_seconds,
            "train_seconds": sum(row["train_seconds"] for row in self.timing),
            "test_seconds": sum(row["test_seconds"] for row in self.timing),
            "observe_seconds": self.observe_seconds,
            **(self.peak or measure.peak()),
            **measure.state_bytes(self.model, self.optimizer, self.precision),
            "energy_joules": self.joules if self.meter else None,
            "device": measure.device(),
            "parameters": self.model.count_params(),
            "trained_parameters": self.trained_values,
            "layers": self.layers,
            "multiply_adds": self.cost,
        }


def _step(backend: str, *arguments: Any) -> Step:
    if backend == "tensorflow":
        from sixteen.training.step_tensorflow import TensorFlowStep

        return TensorFlowStep(*arguments)
    from sixteen.training.step_jax import JaxStep

    return JaxStep(*arguments)
