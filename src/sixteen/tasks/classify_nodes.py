"""The task `classify_nodes`: one label for each node of a graph, all nodes of which are seen at once.

The batch is the graph, so that an epoch is one step; the loss is that of the training nodes.
"""

from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from sixteen.datasets.prepared.graph import Graph
from sixteen.errors import UserError
from sixteen.tasks.parts import classification
from sixteen.tasks.parts.task import Task

FORM = Graph


def bind(folder: Path) -> "ClassifyNodes":
    """The task on the prepared graph in `folder`."""
    return ClassifyNodes(Graph.load(folder))


class ClassifyNodes(Task):
    """See `Task`."""

    item = "node"

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.shape = graph.shape
        self.outputs = len(graph.classes)
        self.train_items, self.test_items = len(graph.train_nodes), len(graph.test_nodes)
        self.whole = (graph.features, graph.edges, degrees(graph))

    def rows(self, batch: int, augmentation: str, seed: int, epoch: int) -> np.ndarray:
        """int32 [1, training nodes] of places in `train_nodes`: the same in every epoch."""
        if augmentation != "none":
            raise UserError(
                f"expected `augmentation: none` for the task classify_nodes, came {augmentation}, which is for images; "
                "choose a recipe of params.yaml without augmentation"
            )
        if batch != 1:
            raise UserError(
                f"expected `batch: 1` for the task classify_nodes, since the whole graph is one batch, came {batch}; "
                "choose a recipe of params.yaml with that"
            )
        return np.arange(self.train_items, dtype=np.int32)[None]

    def train_data(self) -> Any:
        """See `Task`."""
        return *self.whole, self.graph.train_nodes, self.graph.train_labels

    def test_data(self) -> Any:
        """See `Task`."""
        return *self.whole, self.graph.test_nodes

    def train_batch(self, data: Any, rows: Any, augmentation: str, compute: str) -> tuple[Any, Any]:
        """Features [nodes, features], edges, degrees and the nodes that are asked for; labels int32 of those."""
        *whole, nodes, labels = data
        return self._asked(whole, nodes, rows, compute), ops.take(labels, rows, axis=0)

    def test_batch(self, data: Any, indices: Any, compute: str) -> Any:
        """The whole graph, and the test nodes that are asked for."""
        *whole, nodes = data
        return self._asked(whole, nodes, indices, compute)

    def loss(self, outputs: Any, targets: Any, dtype: str, smoothing: float) -> Any:
        """Softmax cross-entropy."""
        return classification.cross_entropy(outputs, targets, dtype, smoothing)

    def correct(self, outputs: Any, targets: Any) -> Any:
        """See `Task`."""
        return classification.correct(outputs, targets)

    def tested(self, predictions: np.ndarray) -> dict[str, float]:
        """See `Task`; `predictions` are logits [test nodes, classes]."""
        return classification.tested(predictions, self.graph.test_labels)

    def test_batches(self, batch: int) -> np.ndarray:
        """All places in `test_nodes`, int32 [1, test nodes]."""
        return np.arange(self.test_items, dtype=np.int32)[None]

    def _asked(self, whole: list[Any], nodes: Any, places: Any, compute: str) -> list[Any]:
        features, edges, counts = whole
        return [ops.cast(features, compute), edges, counts, ops.take(nodes, places, axis=0)]


def degrees(graph: Graph) -> np.ndarray:
    """How many edges end in each node, int32 [nodes]."""
    return np.bincount(graph.edges[1], minlength=len(graph.features)).astype(np.int32)
