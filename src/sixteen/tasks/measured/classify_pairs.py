"""Measuring the task `classify_pairs`."""

from sixteen.tasks.measured.parts.classification import evaluate, metrics

__all__ = ["ITEM", "METRICS", "evaluate"]

ITEM = "pair"
METRICS = metrics(ITEM)
