"""A training from start to files: epochs, checkpoints, and the end when numbers stop being finite."""

import logging
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from sixteen import tasks
from sixteen.errors import UserError
from sixteen.precision.bits import FULL
from sixteen.precision.scales import scale_of
from sixteen.training import divergence, measure, optimizers, state
from sixteen.training.learner import Learner
from sixteen.training.ledger import START, Ledger
from sixteen.training.parameters import Training
from sixteen.training.progress import Progress
from sixteen.training.recipe import rates
from sixteen.training.tensors import CHECKPOINT, load_checkpoint, save_checkpoint
from sixteen.training.under_way import UnderWay
from sixteen.training.watching import Watching

log = logging.getLogger("sixteen")


class Session:
    """One run: made by `__init__`, trained by `run`, written by `write`, told by `facts`."""

    def __init__(
        self,
        parameters: Training,
        dataset: Path,
        start: Path | None,
        scratch: Path,
        published: Path | None = None,
    ) -> None:
        self.parameters, self.scratch = parameters, scratch
        self.checkpoint = scratch / CHECKPOINT
        self.task = tasks.bind(parameters.task, dataset)
        self.learner = Learner(parameters, self.task, start, published)
        self.ledger = Ledger(start)
        self.under_way: UnderWay | None = None
        self.watching = Watching(parameters.watched, self.ledger.first, parameters.until)
        if self.ledger.going and self.ledger.first >= parameters.until:
            raise UserError(
                f"expected training until a later epoch than {self.ledger.first}, with which the run ends that this "
                f"one starts from, came {parameters.until}; epochs count from the start of the sentence"
            )

    def run(self) -> None:
        """Train to the last epoch, or to the first number that isn't finite."""
        begun = time.perf_counter()
        rows = self.learner.rows(self.ledger.first + 1)
        self.learner.step.compile(rows)
        self.ledger.compile_seconds = time.perf_counter() - begun
        self.items = self.task.items(rows)
        parts = self.parameters.recipe.gradient_accumulation  # steps with the bits of one
        about = (self.ledger.first, self.parameters.until, len(rows) // parts)
        self.bits = np.repeat(self.parameters.precision.forward_bits(*about), parts)
        if kept := load_checkpoint(self.checkpoint):
            self._take_up(*kept)
        else:
            predictions = self.learner.test()
            self.ledger.begin(predictions, self.task.tested(predictions))
        last = self.parameters.until
        progress = Progress(self.ledger.outcome["epochs_done"], last, len(rows))
        try:
            while self.ledger.going and self.ledger.outcome["epochs_done"] < last:
                self._epoch(self.ledger.outcome["epochs_done"] + 1, progress)
        finally:
            progress.close()
        if self.ledger.going and not optimizers.updates_of(self.learner.optimizer):
            self.ledger.diverge(last, len(rows), divergence.NEVER_UPDATED, np.array([]))

    def _epoch(self, epoch: int, progress: Progress) -> None:
        learner, ledger = self.learner, self.ledger
        rows = learner.rows(epoch)
        rates, bits = self._rates(epoch, len(rows)), self._bits(epoch, len(rows))
        passed = self._trained(epoch, rows, rates, bits, progress)
        losses, correct, zeros, nonfinite = passed.reports.T.astype(np.float64)
        after = learner.snapshot()
        if epoch == ledger.first + 1:
            # Not before the epoch: the peak of the memory is to be that of training, not of observing.
            self._observe(ledger.first, passed.before)
        finite = all(np.isfinite(tensor).all() for tensor in after.values())
        about = (self.parameters.precision, self.parameters.recipe)
        if failure := divergence.first_failure(losses, nonfinite, finite, *about):
            ledger.diverge(epoch, *failure, losses)
            learner.restore(passed.before)
            return
        ledger.last_loss = float(losses[-1])
        right = float(correct.sum()) / self.items
        trained = {
            "epoch": epoch,
            "loss": float(losses.mean()),
            "train_accuracy": None if math.isnan(right) else right,
            "zero_gradients": zeros.mean() / learner.trained_values,
            "nonfinite_gradients": nonfinite.mean() / learner.trained_values,
            "loss_scale": scale_of(learner.optimizer),
            "skipped_steps": self._skipped(passed),
            "learning_rate": float(rates[-1]),
        }
        self._tested(trained, passed.seconds, int(bits[-1]))
        progress.epoch(ledger.history[-1], ledger.timing[-1])
        self._observe(epoch, after)
        if (epoch - ledger.first) % self.parameters.checkpoint_epochs == 0:
            self._save(after, None)

    def _trained(
        self,
        epoch: int,
        rows: np.ndarray,
        rates: np.ndarray,
        bits: np.ndarray,
        progress: Progress,
    ) -> UnderWay:
        """Take all steps of an epoch, or those that are left of it; checkpoints between them."""
        if self.under_way is None:
            updates = optimizers.updates_of(self.learner.optimizer)
            self.under_way = UnderWay(self.learner.snapshot(), updates)
            self.learner.begin()
        now, most = self.under_way, self.parameters.checkpoint_steps
        while now.steps < len(rows):
            part = slice(now.steps, now.steps + most)
            now.add(*self._metered(rows[part], rates[part], bits[part], progress))
            if now.steps < len(rows):
                self._save(self.learner.snapshot(), now)
                log.info("step %d of %d of epoch %d", now.steps, len(rows), epoch)
        self.under_way = None
        return now

    def _metered(
        self, rows: np.ndarray, rates: np.ndarray, bits: np.ndarray, progress: Progress
    ) -> tuple[np.ndarray, float]:
        """The reports of steps and their seconds; energy and peak memory go into the books."""
        ledger = self.ledger
        spent = ledger.meter() if ledger.meter else 0.0
        begun = time.perf_counter()
        reports = self.learner.train(rows, rates, bits, progress.tick)
        seconds = time.perf_counter() - begun
        if ledger.meter:
            ledger.joules += ledger.meter() - spent
        if ledger.peak is None:
            ledger.peak = measure.peak()
        return reports, seconds

    def _skipped(self, epoch: UnderWay) -> int:
        """How many updates of a finished epoch were skipped."""
        updates = epoch.steps // self.parameters.recipe.gradient_accumulation
        return updates - (optimizers.updates_of(self.learner.optimizer) - epoch.updates)

    def _save(self, tensors: dict[str, np.ndarray], under_way: UnderWay | None) -> None:
        """Write a checkpoint: of the end of an epoch, or of one that is under way."""
        about = {**self.ledger.about(), **self.watching.about()}
        tensors = tensors | {START: self.ledger.start_predictions}
        if under_way is not None:
            tensors, about = tensors | under_way.tensors(), about | under_way.about()
        save_checkpoint(self.checkpoint, tensors, about)

    def _tested(self, trained: dict[str, Any], train_seconds: float, bits: int) -> None:
        """Test after an epoch whose last step had so many forward `bits`, and write both down."""
        begun = time.perf_counter()
        self.ledger.predictions = self.learner.test()
        timed = {
            "epoch": trained["epoch"],
            "train_seconds": train_seconds,
            "items_per_second": self.items / train_seconds,
            "test_seconds": time.perf_counter() - begun,
        }
        tested = self.task.tested(self.ledger.predictions)
        self.ledger.epoch(trained | tested | self._tested_at(bits, tested), timed)

    def _tested_at(self, bits: int, tested: dict[str, float]) -> dict[str, Any]:
        """What a test with these forward bits finds, where layers are quantized; `tested` is that with the most."""
        most = self.parameters.precision.most_bits
        if most == FULL == bits:
            return {}
        if bits != most:
            tested = self.task.tested(self.learner.test(bits))
        return {"forward_bits": bits, **{f"{name}_at_bits": x for name, x in tested.items()}}

    def _observe(self, epoch: int, weights: dict[str, np.ndarray]) -> None:
        """Observe the run as it was after `epoch`, with `weights` and all else; afterwards it is as it is now."""
        if not self.watching.due(epoch):
            return
        now = self.learner.snapshot()
        self.learner.restore(weights)
        self.task.begin(self.learner.model)
        rows = self.learner.rows(epoch + 1)
        rate = self._rates(epoch + 1, len(rows))[0]
        self.watching.observe(epoch, self.learner, rows, float(rate))
        self.learner.restore(now)

    def _rates(self, epoch: int, steps: int) -> np.ndarray:
        """Learning rates of the steps of an epoch."""
        known = self.ledger.losses
        return rates(self.parameters.recipe, self.ledger.first, epoch, steps, known)

    def _bits(self, epoch: int, steps: int) -> np.ndarray:
        """Forward bits of the steps of an epoch."""
        done = epoch - 1 - self.ledger.first
        return self.bits[done * steps : (done + 1) * steps]

    def _take_up(self, tensors: dict[str, np.ndarray], about: dict[str, Any]) -> None:
        self.under_way = UnderWay.of(tensors, about)
        # The predictions in the books are those of the last whole epoch.
        self.learner.restore(self.under_way.before if self.under_way else tensors)
        self.ledger.take_up(about, tensors[START])
        self.watching.take_up(about)
        self.ledger.predictions = self.learner.test()
        self.learner.restore(tensors)
        within = f", step {self.under_way.steps} of the next" if self.under_way else ""
        log.info("going on from the checkpoint of epoch %d%s", about["epochs_done"], within)

    def write(self, into: Path) -> None:
        """Write all files of the run into the folder `into`, see `sixteen.training.train`."""
        weights = into / state.WEIGHTS
        self.learner.save(weights, self.ledger.outcome["epochs_done"])
        self.ledger.write(into)
        self.watching.write(self.scratch, weights)

    def facts(self) -> dict[str, Any]:
        """Facts of the run for its record; times in seconds, energy in joules of the training steps."""
        return {
            **self.ledger.facts(self.items),
            "batch": self.parameters.recipe.batch,
            "steps": len(self.bits),
            "bit_cost": self.parameters.precision.bit_cost(self.bits),
            "observe_seconds": self.watching.seconds,
            **self.learner.facts(),
        }
