"""Measure tasks that give each item one of several classes, from the logits that a run saved.

No network is built, no precision is chosen again. What counts is the last epoch. The best epoch is known only by
looking at the test set, so it flatters; by how much is reported apart, as `best_epoch_bias`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401 (teaches NumPy, and so safetensors, what bfloat16 is)
import numpy as np
from safetensors.numpy import load_file

from sixteen.datasets.prepared.files import Prepared
from sixteen.errors import UserError
from sixteen.files import read_json, rows_of, write_csv, write_json
from sixteen.tasks.measured.parts.metric import Metric, measured, share, share_of_items

BINS = 15  # of the calibration error, as in Guo et al. 2017 (arXiv:1706.04599), section 5
SAVED = (
    *("accuracy", "loss", "calibration_error", "margin_mean", "margin_p05"),
    *("last_epoch", "best_epoch", "best_epoch_accuracy", "best_epoch_bias"),
)
PER_CLASS = ("class", "n", "correct", "accuracy")


@dataclass(frozen=True)
class _Labels(Prepared):
    """What is read of a prepared dataset, whatever its form: int32 [n] and the names of classes."""

    test_labels: np.ndarray
    classes: tuple[str, ...]


def steps(items: int, batch: int, shape: tuple[int, ...]) -> int:
    """Steps of an epoch; a batch that isn't full is left out."""
    return items // batch


def metrics(item: str) -> dict[str, Metric]:
    """The metrics of a task that classifies such items."""
    unsteady = "epoch-to-epoch deviation of test {} (second half)"
    return {
        "accuracy": share_of_items("test accuracy", "more", "difference"),
        "loss": measured("test loss", "nats", "less", "difference"),
        "calibration_error": share("expected calibration error", "less"),
        "margin_mean": share("mean classification margin", None),
        "best_epoch_bias": share_of_items(
            "best-epoch minus last-epoch accuracy", "less", "difference"
        ),
        "start_accuracy": share_of_items(
            "test accuracy before the first step", "more", "difference"
        ),
        "first_epoch_accuracy": share_of_items(
            "test accuracy after the first epoch", "more", "difference"
        ),
        # Over the second half of a phase, see sixteen.analysis.runs.
        "epoch_sd": share_of_items(unsteady.format("accuracy"), "less", "ratio"),
        "loss_sd": measured(unsteady.format("loss"), "nats", "less", "ratio"),
        "certified_share": share_of_items(
            f"{item}s certified to keep the reference's class", "more", "difference"
        ),
        "agreement": share_of_items(f"{item}s with the reference's class", "more", "difference"),
    }


def evaluate(dataset: Path, run: Path, into: Path) -> dict[str, Any]:
    """Write metrics.json and per_class.csv of the run in `run` on the test set of the prepared `dataset`.

    A run whose last logits aren't all finite counts as diverged, and a diverged run has no metrics (null). Raises
    UserError if the logits don't belong to the dataset or to the run's history.
    """
    known = _Labels.load(dataset)
    logits = load_file(run / "predictions.safetensors")["logits"].astype(np.float64)
    if logits.shape != (len(known.test_labels), len(known.classes)):
        raise UserError(
            f"expected logits [{len(known.test_labels)}, {len(known.classes)}] for this test set, "
            f"came {list(logits.shape)} in {run}; evaluate a run of this dataset"
        )
    outcome = read_json(run / "outcome.json")["outcome"]
    if not np.isfinite(logits).all():
        outcome = "diverged"
    found = {"outcome": outcome, "n": len(logits), **dict.fromkeys(SAVED)}
    if outcome != "diverged":
        found |= measure(logits, known.test_labels)
        found |= _best_epoch(run, found["accuracy"], len(logits))
    write_json(into / "metrics.json", found)
    rows = _per_class(logits.argmax(axis=1) == known.test_labels, known, outcome)
    write_csv(into / "per_class.csv", PER_CLASS, rows)
    return {"outcome": outcome, "accuracy": found["accuracy"]}


def measure(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Metrics of logits [n, classes] (any floats, computed in float64) for labels [n].

    `accuracy` (a tie goes to the first class), `loss` (mean negative log-likelihood, nats), `calibration_error` (see
    that function), and the mean and 5th percentile of the `margin`: largest minus second largest softmax output, the
    classification tolerance of arXiv:2305.10947.
    """
    # Here, not above: a plan asks for the metrics, and must not wait for SciPy.
    from scipy.special import log_softmax

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

    `confidence` [n] in (0, 1], `correct` [n] bool. Mean over BINS bins ((b-1)/BINS, b/BINS] of
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


def _per_class(correct: np.ndarray, known: _Labels, outcome: str) -> list[dict[str, Any]]:
    """A row a class; without accuracy where there are no test items, or no metrics."""
    rows = []
    for index, name in enumerate(known.classes):
        hits = correct[known.test_labels == index]
        row: dict[str, Any] = {"class": name, "n": len(hits)}
        if outcome != "diverged" and len(hits):
            row |= {"correct": int(hits.sum()), "accuracy": float(hits.mean())}
        rows.append(row)
    return rows
