"""Measuring the task `classify_sequences`."""

from sixteen.tasks.measured.parts.classification import evaluate, metrics

__all__ = ["ITEM", "METRICS", "evaluate"]

ITEM = "sequence"
METRICS = metrics(ITEM)
