"""Loss and counts of tasks that give each item one of several classes: softmax cross-entropy on logits."""

from typing import Any

import numpy as np
from keras import ops


def cross_entropy(logits: Any, labels: Any, dtype: str, smoothing: float) -> Any:
    """Mean softmax cross-entropy of logits [batch, classes] with labels int32 [batch], computed in `dtype`.

    The share `smoothing` of a label is spread evenly over all classes (arXiv:1512.00567, section 7).
    """
    likelihoods: Any = ops.log_softmax(ops.cast(logits, dtype))
    chosen = ops.one_hot(labels, logits.shape[-1], dtype="bool")
    picked = ops.where(chosen, likelihoods, ops.zeros_like(likelihoods))
    entropy = ops.negative(ops.mean(ops.sum(picked, axis=-1)))
    if not smoothing:
        return entropy
    return (1 - smoothing) * entropy - smoothing * ops.mean(likelihoods)


def correct(logits: Any, labels: Any) -> Any:
    """How many of the largest logits [batch, classes] are those of the labels int32 [batch], float32."""
    hits = ops.cast(ops.argmax(logits, axis=-1), "int32") == labels
    return ops.sum(ops.cast(hits, "float32"))


def tested(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Mean cross-entropy (without penalties, in nats) and accuracy of logits [n, classes], in float64.

    In NumPy alone: SciPy takes longer to import than this does to compute.
    """
    wide = logits.astype(np.float64)
    shifted = wide - wide.max(axis=1, keepdims=True)
    likelihoods = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    right = wide.argmax(axis=1) == labels
    picked = likelihoods[np.arange(len(right)), labels]
    return {"test_loss": -float(picked.mean()), "test_accuracy": float(right.mean())}
