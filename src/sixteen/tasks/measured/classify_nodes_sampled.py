"""Measuring the task `classify_nodes_sampled`."""

from sixteen.tasks.measured.parts.classification import evaluate, metrics

__all__ = ["ITEM", "METRICS", "evaluate"]

ITEM = "node"
METRICS = metrics(ITEM)
