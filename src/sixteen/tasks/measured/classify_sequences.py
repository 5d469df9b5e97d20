"""Measuring the task `classify_sequences`."""

from sixteen.tasks.measured.parts.classification import evaluate, metrics, steps

__all__ = ["ITEM", "METRICS", "evaluate", "steps"]

ITEM = "sequence"
METRICS = metrics(ITEM)
