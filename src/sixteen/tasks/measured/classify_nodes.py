"""Measuring the task `classify_nodes`."""

from sixteen.tasks.measured.parts.classification import evaluate, metrics

__all__ = ["ITEM", "METRICS", "evaluate", "steps"]

ITEM = "node"
METRICS = metrics(ITEM)


def steps(items: int, batch: int, shape: tuple[int, ...]) -> int:
    """One: the whole graph is the batch."""
    return 1
