"""The task `classify_nodes_sampled`: one label for each node, by its own features and those of some neighbours.

A row of a batch names a target, its sampled neighbours, and theirs (GraphSAGE, arXiv:1706.02216). Of a node's d neighbours k are
drawn by strata: one from each k-th part of their list, so that each is expected k / d times, and all come once if d = k.
A node without neighbours is its own. Training draws anew in each epoch, from the seed; tests draw always the same, so that
epochs and arms are compared on the same neighbours.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from sixteen.datasets.prepared.graph import Graph
from sixteen.errors import UserError
from sixteen.tasks.parts import classification
from sixteen.tasks.parts.order import epoch_rows
from sixteen.tasks.parts.task import Task

FORM = Graph
TESTED = 2**32  # in the place of a seed, which is smaller


def bind(folder: Path) -> "ClassifyNodesSampled":
    """The task on the prepared graph in `folder`."""
    return ClassifyNodesSampled(Graph.load(folder))


class ClassifyNodesSampled(Task):
    """See `Task`."""

    item = "node"

    def __init__(self, graph: Graph) -> None:
        self.graph, self.sampler = graph, Sampler(graph)
        self.shape = graph.shape
        self.outputs = len(graph.classes)
        self.train_items, self.test_items = len(graph.train_nodes), len(graph.test_nodes)

    def rows(self, batch: int, augmentation: str, seed: int, epoch: int) -> np.ndarray:
        """int32 [steps, batch, nodes] of a target, its neighbours and theirs, see `Sampler`."""
        if augmentation != "none":
            raise UserError(
                f"expected `augmentation: none` for the task classify_nodes_sampled, came {augmentation}, which is for "
                "images; choose a recipe of params.yaml without augmentation"
            )
        places = epoch_rows(self.train_items, batch, augmentation, seed, epoch)[..., 0]
        return self.sampler.rows(self.graph.train_nodes[places], [seed, epoch, 1])

    def train_data(self) -> Any:
        """See `Task`."""
        labels = np.full(len(self.graph.features), -1, np.int32)
        labels[self.graph.train_nodes] = self.graph.train_labels
        return self.graph.features, labels

    def test_data(self) -> Any:
        """See `Task`."""
        return self.graph.features

    def train_batch(self, data: Any, rows: Any, augmentation: str, compute: str) -> tuple[Any, Any]:
        """Features [batch, nodes, features] and labels int32 [batch] of the targets."""
        features, labels = data
        inputs = ops.cast(ops.take(features, rows, axis=0), compute)
        return [inputs], ops.take(labels, rows[:, 0], axis=0)

    def test_batch(self, data: Any, indices: Any, compute: str) -> Any:
        """Features [batch, nodes, features] of what `indices`, a row of `test_batches`, names."""
        return [ops.cast(ops.take(data, indices, axis=0), compute)]

    def loss(self, outputs: Any, targets: Any, dtype: str, smoothing: float) -> Any:
        """Softmax cross-entropy."""
        return classification.cross_entropy(outputs, targets, dtype, smoothing)

    def correct(self, outputs: Any, targets: Any) -> Any:
        """See `Task`."""
        return classification.correct(outputs, targets)

    def tested(self, predictions: np.ndarray) -> dict[str, float]:
        """See `Task`; `predictions` are logits [test nodes, classes]."""
        return classification.tested(predictions, self.graph.test_labels)

    def test_batches(self, batch: int) -> Any:
        """A sequence of int32 [batch, nodes], see `rows`, each made when it is asked for: all may not fit into memory."""
        return TestBatches(self.sampler, self.graph.test_nodes[super().test_batches(batch)])


class TestBatches(Sequence[np.ndarray]):
    """Batches of test nodes with their sampled neighbours."""

    __test__ = False  # no test of pytest

    def __init__(self, sampler: "Sampler", nodes: np.ndarray) -> None:
        self.sampler, self.nodes = sampler, nodes

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, number: Any) -> Any:
        return self.sampler.rows(self.nodes[number], [TESTED, number])

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[number] for number in range(len(self)))


class Sampler:
    """Draws neighbours of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.sources, self.fanouts = graph.edges[0], graph.neighbours
        self.degrees = np.bincount(graph.edges[1], minlength=len(graph.features))
        self.first = np.cumsum(self.degrees) - self.degrees  # edges are sorted by target

    def rows(self, targets: np.ndarray, seed: list[int]) -> np.ndarray:
        """int32 [..., nodes] of `targets` [...]: hop by hop, the neighbours of a node side by side."""
        draw = np.random.default_rng(seed)
        hops = [targets[..., None]]
        for fanout in self.fanouts:
            drawn = self._neighbours(hops[-1], fanout, draw)
            hops.append(drawn.reshape(*targets.shape, -1))
        return np.concatenate(hops, axis=-1).astype(np.int32)

    def _neighbours(self, nodes: np.ndarray, fanout: int, draw: np.random.Generator) -> np.ndarray:
        """So many neighbours of each of the `nodes` [...]: [..., fanout]."""
        degrees = self.degrees[nodes][..., None]
        strata = np.arange(fanout) + draw.random((*nodes.shape, fanout))
        places = np.minimum(
            (strata * degrees / fanout).astype(np.int64), np.maximum(degrees - 1, 0)
        )
        # A node without neighbours may point beyond the last edge.
        edges = np.minimum(self.first[nodes][..., None] + places, len(self.sources) - 1)
        return np.where(degrees > 0, self.sources[edges], nodes[..., None])
