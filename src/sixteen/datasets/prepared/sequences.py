"""The form of sequence datasets: one label for each sequence, in one file."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sixteen.datasets.prepared import baselines
from sixteen.datasets.prepared.files import Prepared
from sixteen.datasets.prepared.seen import digests, seen


@dataclass(frozen=True)
class Sequences(Prepared):
    """Sequences as a network sees them, and labels.

    Sequences are float32 [n, length, channels], labels int32 [n] with values 0 to `len(classes) - 1`.
    """

    train_sequences: np.ndarray
    train_labels: np.ndarray
    test_sequences: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]

    @classmethod
    def random(cls, n: int, shape: tuple[int, ...], outputs: int) -> Self:
        """As many random sequences for training as for the test, `n`, of so many classes."""
        draw = np.random.default_rng(0)
        parts = [
            (
                draw.standard_normal((n, *shape), dtype=np.float32),
                draw.integers(0, outputs, n, dtype=np.int32),
            )
            for _ in range(2)
        ]
        return cls(*parts[0], *parts[1], tuple(map(str, range(outputs))))

    def facts(self) -> dict[str, Any]:
        """Counts and shape for the record."""
        return {
            "train_items": len(self.train_sequences),
            "test_items": len(self.test_sequences),
            "outputs": len(self.classes),
            "shape": list(self.train_sequences.shape[1:]),
            "majority_accuracy": baselines.majority(self.test_labels),
            "seen_items": seen(digests(self.train_sequences), digests(self.test_sequences)),
        }
