"""Measuring the task `model_language`, from the log-likelihoods of the test tokens that a run saved.

What counts is the last epoch. The best one is known only by looking at the test text, so it flatters; by how much is
reported apart, as `best_epoch_bias`.
"""

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401 (teaches NumPy, and so safetensors, what bfloat16 is)
import numpy as np
from safetensors.numpy import load_file

from sixteen.datasets.prepared.files import Prepared
from sixteen.errors import UserError
from sixteen.files import read_json, write_csv, write_json
from sixteen.tasks.measured.parts.classification import PER_CLASS
from sixteen.tasks.measured.parts.least_loss import best_epoch
from sixteen.tasks.measured.parts.metric import measured

ITEM = "token"
MOST = math.log(sys.float_info.max)  # nats
METRICS = {
    # exp(loss): of how many words, all equally likely, the next one would be as hard to foresee.
    "perplexity": measured("test perplexity", "words", "less", "ratio"),
    "loss": measured("test loss", "nats", "less", "difference"),
    "excess_loss": measured("test loss above the least possible", "nats", "less", "difference"),
    "best_epoch_bias": measured(
        "last-epoch minus best-epoch test loss", "nats", "less", "difference"
    ),
    # Over the second half of a phase, see sixteen.analysis.runs.
    "loss_sd": measured(
        "epoch-to-epoch deviation of test loss (second half)", "nats", "less", "ratio"
    ),
}
SAVED = (
    *("perplexity", "loss", "excess_loss"),
    *("last_epoch", "best_epoch", "best_epoch_loss", "best_epoch_bias"),
)


@dataclass(frozen=True)
class _Text(Prepared):
    """What is read of a prepared text, see `sixteen.datasets.prepared.tokens`."""

    test_tokens: np.ndarray
    best: np.ndarray


def steps(items: int, batch: int, shape: tuple[int, ...]) -> int:
    """Windows of `shape[0]` tokens in each of `batch` streams, into which a text of so many tokens is cut."""
    return items // batch // shape[0]


def evaluate(dataset: Path, run: Path, into: Path) -> dict[str, Any]:
    """Write metrics.json and per_class.csv, which is empty, of the run in `run` on the test text of the prepared `dataset`.

    A run whose last log-likelihoods aren't all finite counts as diverged, and a diverged run has no metrics (null).
    `excess_loss` is null where nobody knows the least possible loss, `perplexity` where no float holds it.
    Raises UserError if the log-likelihoods don't belong to the dataset or to the run's history.
    """
    text = _Text.load(dataset)
    likelihoods = load_file(run / "predictions.safetensors")["logits"].astype(np.float64)
    if likelihoods.shape != text.test_tokens.shape:
        raise UserError(
            f"expected log-likelihoods of the {len(text.test_tokens)} tokens of this test text, came "
            f"{list(likelihoods.shape)} in {run}; evaluate a run of this dataset"
        )
    outcome = read_json(run / "outcome.json")["outcome"]
    if not np.isfinite(likelihoods).all():
        outcome = "diverged"
    found = {"outcome": outcome, "n": len(likelihoods), **dict.fromkeys(SAVED)}
    if outcome != "diverged":
        loss = -float(likelihoods.mean())
        least = -float(text.best.mean()) if len(text.best) else None
        found |= {"perplexity": math.exp(loss) if loss < MOST else None, "loss": loss}
        found["excess_loss"] = None if least is None else loss - least
        found |= best_epoch(run, loss)
    write_json(into / "metrics.json", found)
    write_csv(into / "per_class.csv", PER_CLASS, [])
    return {"outcome": outcome, "perplexity": found["perplexity"]}
