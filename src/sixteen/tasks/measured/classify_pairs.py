"""Measuring the task `classify_pairs`."""

from sixteen.tasks.measured.parts.classification import evaluate, metrics, steps

__all__ = ["ITEM", "METRICS", "evaluate", "steps"]

ITEM = "pair"
METRICS = metrics(ITEM)
