"""What a run tells of each epoch: the columns of its history and timing, and how it did on the test set."""

import numpy as np

HISTORY = (
    "epoch",
    "loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "zero_gradients",
    "nonfinite_gradients",
    "loss_scale",
    "skipped_steps",
)
TIMING = ("epoch", "train_seconds", "images_per_second", "test_seconds")


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
