"""The form of datasets with several numbers to be found for each signal, in one file."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sixteen.datasets.prepared.files import Prepared


@dataclass(frozen=True)
class Signals(Prepared):
    """Signals float32 [n, length], and what is to be found, float32 [n, numbers]."""

    train_signals: np.ndarray
    train_targets: np.ndarray
    test_signals: np.ndarray
    test_targets: np.ndarray

    @classmethod
    def random(cls, n: int, shape: tuple[int, ...], outputs: int) -> Self:
        """As many random signals for training as for the test, `n`."""
        draw = np.random.default_rng(0)
        return cls(*(draw.standard_normal((n, *s), np.float32) for s in (shape, (outputs,)) * 2))

    def facts(self) -> dict[str, Any]:
        """Counts and shape for the record."""
        return {
            "train_items": len(self.train_signals),
            "test_items": len(self.test_signals),
            "outputs": self.train_targets.shape[1],
            "shape": list(self.train_signals.shape[1:]),
        }
