"""Evaluate a run from the predictions that it saved, by the measuring module of its task."""

from pathlib import Path
from typing import Any

from sixteen.entry import Entry, Name
from sixteen.tasks import measured


class Evaluation(Entry):
    """The task as which a run is evaluated.

    Here, apart from what `summarize` reads: that reaches studies and recipes, with which evaluations would go stale.
    """

    task: Name


def evaluate(
    parameters: Evaluation, inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Write metrics.json and per_class.csv of the run `run` on the test set of `dataset`; returns the facts."""
    return measured.module(parameters.task).evaluate(inputs["dataset"], inputs["run"], into)
