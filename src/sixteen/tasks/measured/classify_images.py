"""Measuring the task `classify_images`."""

from sixteen.tasks.measured.parts.classification import evaluate, metrics

__all__ = ["ITEM", "METRICS", "evaluate"]

ITEM = "image"
METRICS = metrics(ITEM)
