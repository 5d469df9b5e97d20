"""The form of graphs whose nodes are classified: features of nodes, edges, and the labels of some nodes, in one file."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sixteen.datasets.prepared import baselines
from sixteen.datasets.prepared.files import Prepared
from sixteen.errors import UserError

PARTS = ("train", "validation", "test")
# Of random graphs: few nodes compile as many, but have no time to measure.
LEAST_NODES, DEGREE = 2000, 10


@dataclass(frozen=True)
class Graph(Prepared):
    """Nodes are numbered from 0; `train_nodes` and the like are numbers of nodes, and `train_labels` theirs.

    Features are float32 [nodes, features]; edges int32 [2, edges], a source and a target each, sorted by target and
    then by source, each once; nodes of parts and their labels int32 [n], labels from 0 to `len(classes) - 1`.
    `neighbours` says how many a node looks at in each hop where they are sampled, and is empty where all count.
    `best_accuracy` is one number, which no method can exceed but by chance, or empty where none is known.
    """

    features: np.ndarray
    edges: np.ndarray
    train_nodes: np.ndarray
    train_labels: np.ndarray
    validation_nodes: np.ndarray
    validation_labels: np.ndarray
    test_nodes: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    neighbours: tuple[int, ...]
    best_accuracy: tuple[float, ...]

    @classmethod
    def of(
        cls,
        features: np.ndarray,
        edges: np.ndarray,
        labels: np.ndarray,
        parts: dict[str, np.ndarray],
        classes: tuple[str, ...],
        *,
        neighbours: tuple[int, ...] = (),
        best_accuracy: tuple[float, ...] = (),
    ) -> Self:
        """From what was read, with edges made undirected: each in both directions, and none twice.

        `edges` is integer [2, edges], `labels` integer [nodes], `parts` has the nodes of each of PARTS. UserError for
        an empty graph, features that aren't finite, nodes that aren't there, parts that share a node, and a node
        of a part without a label of one of the `classes`.
        """
        _check(features, edges, labels, parts, len(classes))
        held = {
            f"{part}_{what}": values.astype(np.int32)
            for part in PARTS
            for what, values in (("nodes", parts[part]), ("labels", labels[parts[part]]))
        }
        both = undirected(edges, len(features))
        return cls(
            features.astype(np.float32),
            both,
            **held,
            classes=classes,
            neighbours=neighbours,
            best_accuracy=best_accuracy,
        )

    @classmethod
    def random(cls, n: int, shape: tuple[int, ...], outputs: int) -> Self:
        """A random graph with at least `n` nodes for training and as many for the test, of so many classes.

        `shape` is the number of features and, where neighbours are sampled, how many in each hop.
        """
        draw = np.random.default_rng(0)
        nodes = max(2 * n, LEAST_NODES)
        features = draw.standard_normal((nodes, shape[0]), dtype=np.float32)
        edges = draw.integers(0, nodes, (2, nodes * DEGREE // 2))
        halves = np.split(np.arange(nodes), 2)
        parts = {"train": halves[0], "validation": halves[0][:0], "test": halves[1]}
        labels = draw.integers(0, outputs, nodes)
        names = tuple(map(str, range(outputs)))
        return cls.of(features, edges, labels, parts, names, neighbours=shape[1:])

    @property
    def shape(self) -> tuple[int, ...]:
        """Features of a node, and how many neighbours it looks at in each hop where they are sampled."""
        return (self.features.shape[1], *self.neighbours)

    def facts(self) -> dict[str, Any]:
        """Counts and shape for the record; edges are counted once for both directions."""
        loops = int((self.edges[0] == self.edges[1]).sum())
        return {
            "train_items": len(self.train_nodes),
            "validation_items": len(self.validation_nodes),
            "test_items": len(self.test_nodes),
            "outputs": len(self.classes),
            "shape": list(self.shape),
            "nodes": len(self.features),
            "edges": (self.edges.shape[1] + loops) // 2,
            "majority_accuracy": baselines.majority(self.test_labels),
            "best_accuracy": self.best_accuracy[0] if self.best_accuracy else None,
        }


def undirected(edges: np.ndarray, nodes: int) -> np.ndarray:
    """Both directions of `edges` [2, edges], each once, sorted by target and then by source: int32 [2, edges]."""
    sources, targets = np.concatenate([edges, edges[::-1]], axis=1).astype(np.int64)
    targets, sources = np.divmod(np.unique(targets * nodes + sources), nodes)
    return np.stack([sources, targets]).astype(np.int32)


def _check(
    features: np.ndarray,
    edges: np.ndarray,
    labels: np.ndarray,
    parts: dict[str, np.ndarray],
    classes: int,
) -> None:
    nodes = len(features)
    if nodes == 0 or edges.shape[1] == 0:
        raise UserError(
            f"expected a graph with nodes and edges, came {nodes} nodes and {edges.shape[1]} edges; "
            "take the whole dataset"
        )
    if not np.isfinite(features).all():
        node, column = np.argwhere(~np.isfinite(features))[0]
        raise UserError(
            f"expected features that are numbers, came {features[node, column]} in column {column} of node {node}; "
            "mend the data"
        )
    _check_nodes("edges", edges, nodes)
    if len(labels) != nodes:
        raise UserError(
            f"expected a label for each of {nodes} nodes, came {len(labels)} labels; mend the data"
        )
    _check_parts(labels, parts, nodes, classes)


def _check_parts(
    labels: np.ndarray, parts: dict[str, np.ndarray], nodes: int, classes: int
) -> None:
    for part in PARTS:
        _check_nodes(f"the {part} part", parts[part], nodes)
        found = labels[parts[part]]
        wrong = np.flatnonzero((found < 0) | (found >= classes))
        if wrong.size:
            raise UserError(
                f"expected labels from 0 to {classes - 1} of all nodes of the {part} part, came {found[wrong[0]]} of "
                f"node {parts[part][wrong[0]]}; mend the labels, or take the node out of the part"
            )
    for part in ("train", "test"):
        if parts[part].size == 0:
            raise UserError(
                f"expected nodes in the {part} part, came none; mend the split of the data"
            )
    together = np.concatenate([parts[part] for part in PARTS])
    numbers, times = np.unique(together, return_counts=True)
    if (times > 1).any():
        raise UserError(
            f"expected each node once in train, validation or test, came node {numbers[times > 1][0]} "
            f"{times.max()} times; mend the split of the data"
        )


def _check_nodes(what: str, numbers: np.ndarray, nodes: int) -> None:
    wrong = numbers[(numbers < 0) | (numbers >= nodes)]
    if wrong.size:
        raise UserError(
            f"expected nodes from 0 to {nodes - 1} in {what}, came {wrong[0]}; mend the data"
        )
