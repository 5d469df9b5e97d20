"""What theory says of 16-bit training, in numbers of plain vectors: numpy alone, in float64."""

from collections.abc import Iterator
from typing import Any

import numpy as np


def norm(vector: np.ndarray) -> float | None:
    """Euclidean norm; None if it isn't finite."""
    return _finite(np.linalg.norm(vector.astype(np.float64)))


def cosine(one: np.ndarray, other: np.ndarray) -> float | None:
    """Cosine of the angle between two vectors; None where one is zero or not finite."""
    one, other = one.astype(np.float64), other.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = _finite(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
    return None if value is None else min(max(value, -1.0), 1.0)


def underflowed(exact: np.ndarray, rounded: np.ndarray) -> int:
    """Elements that are zero in `rounded` alone (arXiv:1710.03740, section 3.2)."""
    return int(((exact != 0) & (rounded == 0)).sum())


def lost_updates(intended: np.ndarray, before: np.ndarray, after: np.ndarray) -> tuple[int, int]:
    """How many updates aren't zero, and how many of those left the stored weight as it was.

    A weight w in a format of p significant bits swallows updates below about 2^-p |w|: in float16 where
    |w| is 2048 times the update or more (arXiv:1710.03740, section 3.1).
    """
    meant = intended != 0
    return int(meant.sum()), int((meant & (before == after)).sum())


def update_error(intended: np.ndarray, before: np.ndarray, after: np.ndarray) -> float | None:
    """Norm of what rounding takes from an update or adds to it; None if it isn't finite.

    Updates that are lost are in it whole, others by how far the stored weight ends from where it was to go.
    """
    return norm(intended.astype(np.float64) - (after.astype(np.float64) - before))


def exponents(values: np.ndarray) -> Iterator[tuple[int | None, int]]:
    """Pairs of floor(log2 |x|) and how many finite elements have it, rising; None first, for zeros."""
    finite = values[np.isfinite(values)]
    _, exponent = np.frexp(finite[finite != 0])  # |x| = m 2^e, m in [0.5, 1)
    zeros = finite.size - exponent.size
    if zeros:
        yield None, zeros
    for value, count in zip(*np.unique(exponent - 1, return_counts=True), strict=True):
        yield int(value), int(count)


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
