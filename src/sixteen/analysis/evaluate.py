"""Evaluate a run from the logits that it saved: no network is built, no precision is chosen again.

What counts is the last epoch. The best epoch is known only by looking at the test set, so it flatters;
by how much is reported apart, as ``best_epoch_bias``.
"""

from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401 (teaches NumPy, and so safetensors, what bfloat16 is)
import numpy as np
from safetensors.numpy import load_file
from scipy.special import log_softmax

from sixteen.datasets import load_prepared
from sixteen.errors import UserError
from sixteen.files import read_json, rows_of, write_csv, write_json

BINS = 15  # of the calibration error, as in Guo et al. 2017 (arXiv:1706.04599), section 5
METRICS = (
    "accuracy",
    "loss",
    "calibration_error",
    "margin_mean",
    "margin_p05",
    "last_epoch",
    "best_epoch",
    "best_epoch_accuracy",
    "best_epoch_bias",
)
PER_CLASS = ("class", "n", "correct", "accuracy")


def evaluate(
    parameters: dict[str, Any], inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Write metrics.json and per_class.csv of the run ``run`` on the test set of ``dataset``.

    A run whose last logits aren't all finite counts as diverged, and a diverged run has no metrics
    (null). Raises UserError if the logits don't belong to the dataset or to the run's history.
    """
    dataset, run = load_prepared(inputs["dataset"]), inputs["run"]
    logits = load_file(run / "logits.safetensors")["logits"].astype(np.float64)
    if logits.shape != (len(dataset.test_labels), len(dataset.classes)):
        raise UserError(
            f"expected logits [{len(dataset.test_labels)}, {len(dataset.classes)}] for this test set, "
            f"came {list(logits.shape)} in {run}; evaluate a run of this dataset"
        )
    outcome = read_json(run / "outcome.json")["outcome"]
    if not np.isfinite(logits).all():
        outcome = "diverged"
    metrics = {"outcome": outcome, "n": len(logits), **dict.fromkeys(METRICS)}
    if outcome != "diverged":
        metrics |= measure(logits, dataset.test_labels)
        metrics |= _best_epoch(run, metrics["accuracy"], len(logits))
    write_json(into / "metrics.json", metrics)
    correct = logits.argmax(axis=1) == dataset.test_labels
    rows = []
    for index, name in enumerate(dataset.classes):
        hits = correct[dataset.test_labels == index]
        row: dict[str, Any] = {"class": name, "n": len(hits)}
        if outcome != "diverged" and len(hits):
            row |= {"correct": int(hits.sum()), "accuracy": float(hits.mean())}
        rows.append(row)
    write_csv(into / "per_class.csv", PER_CLASS, rows)
    return {"outcome": outcome, "accuracy": metrics["accuracy"]}


def measure(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Metrics of logits [n, classes] (any floats, computed in float64) for labels [n].

    ``accuracy`` (a tie goes to the first class), ``loss`` (mean negative log-likelihood, nats),
    ``calibration_error`` (see that function), and the mean and 5th percentile of the ``margin``:
    largest minus second largest softmax output, the classification tolerance of arXiv:2305.10947.
    """
    log_outputs = log_softmax(logits.astype(np.float64), axis=1)
    correct = logits.argmax(axis=1) == labels
    second, first = np.sort(np.exp(log_outputs), axis=1)[:, -2:].T
    return {
        "accuracy": float(correct.mean()),
        "loss": float(-log_outputs[np.arange(len(labels)), labels].mean()),
        "calibration_error": calibration_error(first, correct),
        "margin_mean": float((first - second).mean()),
        "margin_p05": float(np.percentile(first - second, 5)),
    }


def calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Expected calibration error of the predicted class (Guo et al. 2017, arXiv:1706.04599, section 2).

    ``confidence`` [n] in (0, 1], ``correct`` [n] bool. Mean over BINS bins ((b-1)/BINS, b/BINS] of
    |share correct - mean confidence|, weighted by the bins' share of the n.
    """
    bins = np.ceil(confidence * BINS).astype(int) - 1
    gaps = np.bincount(bins, weights=correct - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def _best_epoch(run: Path, accuracy: float, n: int) -> dict[str, Any]:
    """The epochs of a history, its first row (before any step) apart; checks the last one."""
    history = list(rows_of(run / "history.csv"))[1:]
    epochs = [(int(row["epoch"]), float(row["test_accuracy"])) for row in history]
    last_epoch, last = epochs[-1]
    if round(last * n) != round(accuracy * n):
        raise UserError(
            f"expected logits of the last epoch, with test accuracy {last:g} in history.csv, came logits "
            f"with {accuracy:g} in {run}; the run's files don't belong together, train it again"
        )
    best_epoch, best = max(epochs, key=lambda epoch: epoch[1])
    return {
        "last_epoch": last_epoch,
        "best_epoch": best_epoch,
        "best_epoch_accuracy": best,
        "best_epoch_bias": best - accuracy,
    }
