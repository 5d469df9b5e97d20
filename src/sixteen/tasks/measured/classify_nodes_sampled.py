"""Measuring the task `classify_nodes_sampled`."""

from sixteen.tasks.measured.parts.classification import evaluate, metrics, steps

__all__ = ["ITEM", "METRICS", "evaluate", "steps"]

ITEM = "node"
METRICS = metrics(ITEM)
