"""The task `classify_sequences`: one label for each sequence.

Sequences stay on the device as float32; a step gathers its batch by index and casts it to the compute type.
"""

from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from sixteen.datasets.prepared.sequences import Sequences
from sixteen.errors import UserError
from sixteen.tasks.parts import classification
from sixteen.tasks.parts.order import epoch_rows
from sixteen.tasks.parts.task import Task

FORM = Sequences


def bind(folder: Path) -> "ClassifySequences":
    """The task on the prepared sequences in `folder`."""
    return ClassifySequences(Sequences.load(folder))


class ClassifySequences(Task):
    """See `Task`."""

    item = "sequence"

    def __init__(self, sequences: Sequences) -> None:
        self.sequences = sequences
        self.shape = sequences.train_sequences.shape[1:]
        self.outputs = len(sequences.classes)
        self.train_items = len(sequences.train_labels)
        self.test_items = len(sequences.test_labels)

    def rows(self, batch: int, augmentation: str, seed: int, epoch: int) -> np.ndarray:
        """int32 [steps, batch, 4] of sequence, 0, 0, 0, see `order`."""
        if augmentation != "none":
            raise UserError(
                f"expected `augmentation: none` for the task classify_sequences, came {augmentation}, which is for "
                "images; choose a recipe of params.yaml without augmentation"
            )
        return epoch_rows(self.train_items, batch, augmentation, seed, epoch)

    def train_data(self) -> Any:
        """See `Task`."""
        return self.sequences.train_sequences, self.sequences.train_labels

    def test_data(self) -> Any:
        """See `Task`."""
        return self.sequences.test_sequences, self.sequences.test_labels

    def train_batch(self, data: Any, rows: Any, augmentation: str, compute: str) -> tuple[Any, Any]:
        """Sequences [batch, length, channels] and labels int32 [batch]."""
        sequences, labels = (ops.take(array, rows[:, 0], axis=0) for array in data)
        return ops.cast(sequences, compute), labels

    def test_batch(self, data: Any, indices: Any, compute: str) -> Any:
        """Sequences [batch, length, channels]."""
        return ops.cast(ops.take(data[0], indices, axis=0), compute)

    def loss(self, outputs: Any, targets: Any, dtype: str, smoothing: float) -> Any:
        """Softmax cross-entropy."""
        return classification.cross_entropy(outputs, targets, dtype, smoothing)

    def correct(self, outputs: Any, targets: Any) -> Any:
        """See `Task`."""
        return classification.correct(outputs, targets)

    def tested(self, predictions: np.ndarray) -> dict[str, float]:
        """See `Task`; `predictions` are logits [test sequences, classes]."""
        return classification.tested(predictions, self.sequences.test_labels)
