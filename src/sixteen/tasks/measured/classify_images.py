"""Measuring the task `classify_images`."""

from sixteen.tasks.measured.parts.classification import evaluate, metrics, steps

__all__ = ["ITEM", "METRICS", "evaluate", "steps"]

ITEM = "image"
METRICS = metrics(ITEM)
