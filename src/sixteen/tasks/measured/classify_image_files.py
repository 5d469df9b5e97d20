"""Measuring the task `classify_image_files`."""

from sixteen.tasks.measured.parts.classification import evaluate, metrics, steps

__all__ = ["ITEM", "METRICS", "evaluate", "steps"]

ITEM = "image"
METRICS = metrics(ITEM)
