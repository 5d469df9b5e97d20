"""The task `classify_pairs`: what one sentence says of another.

Tokens and segments stay on the device; a step gathers its batch by index. Padding is masked.
"""

from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from sixteen.datasets.prepared.pairs import PADDING, Pairs
from sixteen.errors import UserError
from sixteen.tasks.parts import classification
from sixteen.tasks.parts.order import epoch_rows
from sixteen.tasks.parts.task import Task

FORM = Pairs


def bind(folder: Path) -> "ClassifyPairs":
    """The task on the prepared pairs in `folder`."""
    return ClassifyPairs(Pairs.load(folder))


class ClassifyPairs(Task):
    """See `Task`."""

    item = "pair"

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self.shape = pairs.shape
        self.outputs = len(pairs.classes)
        self.train_items = len(pairs.train_labels)
        self.test_items = len(pairs.test_labels)

    def rows(self, batch: int, augmentation: str, seed: int, epoch: int) -> np.ndarray:
        """int32 [steps, batch, 4] of pair, 0, 0, 0, see `order`."""
        if augmentation != "none":
            raise UserError(
                f"expected `augmentation: none` for the task classify_pairs, came {augmentation}, which is for images; "
                "choose a recipe of params.yaml without augmentation"
            )
        return epoch_rows(self.train_items, batch, augmentation, seed, epoch)

    def train_data(self) -> Any:
        """See `Task`."""
        return self.pairs.train_tokens, self.pairs.train_segments, self.pairs.train_labels

    def test_data(self) -> Any:
        """See `Task`."""
        return self.pairs.test_tokens, self.pairs.test_segments

    def train_batch(self, data: Any, rows: Any, augmentation: str, compute: str) -> tuple[Any, Any]:
        """Inputs, see `test_batch`, and labels int32 [batch]."""
        *sentences, labels = data
        return _gathered(sentences, rows[:, 0]), ops.take(labels, rows[:, 0], axis=0)

    def test_batch(self, data: Any, indices: Any, compute: str) -> Any:
        """Tokens and segments int32 [batch, length], and a mask bool [batch, length], false at padding."""
        return _gathered(data, indices)

    def loss(self, outputs: Any, targets: Any, dtype: str, smoothing: float) -> Any:
        """Softmax cross-entropy."""
        return classification.cross_entropy(outputs, targets, dtype, smoothing)

    def correct(self, outputs: Any, targets: Any) -> Any:
        """See `Task`."""
        return classification.correct(outputs, targets)

    def tested(self, predictions: np.ndarray) -> dict[str, float]:
        """See `Task`; `predictions` are logits [test pairs, classes]."""
        return classification.tested(predictions, self.pairs.test_labels)


def _gathered(sentences: Any, places: Any) -> list[Any]:
    tokens, segments = (ops.take(array, places, axis=0) for array in sentences)
    return [tokens, segments, ops.not_equal(tokens, PADDING)]
