"""The kind "waves": noisy sine waves, of which the amplitudes of sine and cosine are to be found. No download."""

from pathlib import Path
from typing import Literal

import numpy as np

from sixteen.datasets.prepared.entry import Dataset, Seed
from sixteen.datasets.prepared.signals import Signals
from sixteen.entry import Count, NotNegative

TASK = "fit_signals"
LENGTH = 16


class Waves(Dataset):
    """So many waves for training and test, with normal noise of deviation `noise` (V)."""

    kind: Literal["waves"]
    seed: Seed
    train: Count
    test: Count
    noise: NotNegative


def shape(entry: Waves) -> tuple[int]:
    """Samples of a wave."""
    return (LENGTH,)


def items(entry: Waves) -> tuple[int, int, int]:
    """Waves of training and test, and numbers to be found."""
    return (entry.train, entry.test, 2)


def read(archive: Path | None, entry: Waves) -> Signals:
    """Draw amplitudes (V) between -1 and 1, and the waves that have them."""
    draw = np.random.default_rng(entry.seed)
    targets = draw.uniform(-1, 1, (entry.train + entry.test, 2))
    phases = np.linspace(0, 2 * np.pi, LENGTH, endpoint=False)
    waves = targets @ np.stack([np.sin(phases), np.cos(phases)])
    waves += entry.noise * draw.standard_normal(waves.shape)
    waves, targets = waves.astype(np.float32), targets.astype(np.float32)
    train, test = slice(entry.train), slice(entry.train, None)
    return Signals(waves[train], targets[train], waves[test], targets[test])
