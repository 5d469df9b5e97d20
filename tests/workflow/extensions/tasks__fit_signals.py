"""The task `fit_signals`: several numbers for each signal, by least squares. Nothing is right or wrong."""

from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from sixteen.datasets.prepared.signals import Signals
from sixteen.tasks.parts.order import epoch_rows
from sixteen.tasks.parts.task import Task

FORM = Signals


def bind(folder: Path) -> "FitSignals":
    """The task on the prepared signals in `folder`."""
    return FitSignals(Signals.load(folder))


class FitSignals(Task):
    """See `Task`; targets are tensors, float32 [batch, numbers]."""

    item = "signal"

    def __init__(self, signals: Signals) -> None:
        self.signals = signals
        self.shape = signals.train_signals.shape[1:]
        self.outputs = signals.train_targets.shape[1]
        self.train_items = len(signals.train_signals)
        self.test_items = len(signals.test_signals)

    def rows(self, batch: int, augmentation: str, seed: int, epoch: int) -> np.ndarray:
        """Int32 [steps, batch, 4], of which the first column names the signal."""
        return epoch_rows(self.train_items, batch, augmentation, seed, epoch)

    def train_data(self) -> Any:
        """See `Task`."""
        return self.signals.train_signals, self.signals.train_targets

    def test_data(self) -> Any:
        """See `Task`."""
        return self.signals.test_signals

    def train_batch(self, data: Any, rows: Any, augmentation: str, compute: str) -> tuple[Any, Any]:
        """Signals [batch, length] and targets float32 [batch, numbers]."""
        signals, targets = (ops.take(array, rows[:, 0], axis=0) for array in data)
        return ops.cast(signals, compute), targets

    def test_batch(self, data: Any, indices: Any, compute: str) -> Any:
        """Signals [batch, length]."""
        return ops.cast(ops.take(data, indices, axis=0), compute)

    def loss(self, outputs: Any, targets: Any, dtype: str, smoothing: float) -> Any:
        """Mean squared error."""
        return ops.mean(ops.square(ops.cast(outputs, dtype) - ops.cast(targets, dtype)))

    def tested(self, predictions: np.ndarray) -> dict[str, float]:
        """See `Task`."""
        errors = predictions.astype(np.float64) - self.signals.test_targets
        return {"test_loss": float(np.square(errors).mean())}
