"""What training asks of a task, whatever it is."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import ops


class Task(ABC):
    """A task bound to its prepared dataset.

    What says "traced" runs inside of the compiled step, on tensors of the backend; all else is NumPy.
    """

    item: str  # what is counted, in words: image, sequence, node
    shape: tuple[int, ...]  # of one item, as networks are built for
    outputs: int  # classes, or whatever the network's last layer has units for
    train_items: int
    test_items: int
    threads = 1  # that may read ahead; set for each run

    @abstractmethod
    def rows(self, batch: int, augmentation: str, seed: int, epoch: int) -> np.ndarray:
        """The batches of one epoch (from 1): int32 [steps, batch, ...], a function of its arguments alone.

        Both arms of a seed so see the same batches, in every precision and on every backend, and a run that is
        resumed sees what the uninterrupted one saw. UserError if the batch is too large, or for an augmentation that
        the task doesn't know.
        """

    def batches(self, rows: np.ndarray) -> Iterable[Any]:
        """What each step is given for its `rows` [steps, batch, ...]: these, or arrays that are read meanwhile."""
        return rows

    @abstractmethod
    def train_data(self) -> Any:
        """Arrays, in any nest, that stay on the device for training."""

    @abstractmethod
    def test_data(self) -> Any:
        """Arrays, in any nest, that stay on the device for testing."""

    @abstractmethod
    def train_batch(self, data: Any, rows: Any, augmentation: str, compute: str) -> tuple[Any, Any]:
        """Inputs in the compute type and targets of one of the `batches`, `rows`. Traced."""

    @abstractmethod
    def test_batch(self, data: Any, indices: Any, compute: str) -> Any:
        """Inputs in the compute type of the test items int32 [batch]. Traced."""

    @abstractmethod
    def loss(self, outputs: Any, targets: Any, dtype: str, smoothing: float) -> Any:
        """The mean loss of a batch, a scalar of `dtype`, without penalties; labels smoothed by that share. Traced.

        UserError for a `smoothing` above 0 where there are no labels.
        """

    def correct(self, outputs: Any, targets: Any) -> Any:
        """How many predictions of the batch are right, float32; NaN where the task knows no right and wrong. Traced."""
        return ops.full((), float("nan"), "float32")

    @abstractmethod
    def tested(self, predictions: np.ndarray) -> dict[str, float]:
        """`test_loss` of the predictions of the whole test set, in its order; `test_accuracy` where they are right or wrong."""

    def predicted(self, outputs: Any, data: Any, indices: Any) -> Any:
        """What is saved of the outputs for the test items int32 [batch] of `data`, see `test_data`. Traced."""
        return outputs

    def in_order(self, predictions: np.ndarray) -> np.ndarray:
        """Of predictions [steps, batch, ...] of `test_batches`, those of the test set, in its order."""
        return predictions.reshape(-1, *predictions.shape[2:])[: self.test_items]

    def carry(self, model: keras.Model, batch: int) -> None:  # noqa: B027 (most tasks carry nothing)
        """Once, before anything is compiled: make room for what the model carries from batch to batch of this size."""

    def begin(self, model: keras.Model) -> None:  # noqa: B027 (most tasks carry nothing)
        """Before an epoch of training and before a test: reset what the model carries from batch to batch."""

    def items(self, rows: np.ndarray) -> int:
        """How many items the batches `rows` of an epoch hold: what `correct` is a share of."""
        return rows.shape[0] * rows.shape[1]

    def test_batches(self, batch: int) -> np.ndarray:
        """Indices of the test set, int32 [steps, batch]; the last batch is filled up with the first item."""
        steps = -(-self.test_items // batch)
        indices = np.zeros(steps * batch, np.int32)
        indices[: self.test_items] = np.arange(self.test_items)
        return indices.reshape(steps, batch)
