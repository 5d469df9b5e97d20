"""The kind "digits-graph": the bundled digits as nodes, each joined to those that look most like it. No download.

Nodes are the 1,797 grey images of 8 x 8 of `sklearn.datasets.load_digits`, the test part of the UCI "Optical
Recognition of Handwritten Digits" data (Alpaydin and Kaynak 1998). A node is joined to its `neighbours` nearest others by
the distance of pixels; an edge goes both ways, so that popular digits have more. Distances are whole numbers, and
of equals the one with the lower number is nearer: the graph is the same on every machine.
"""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from sixteen.datasets.prepared.entry import Dataset, Seed
from sixteen.datasets.prepared.graph import Graph

TASK = "classify_nodes"

NODES, PIXELS, CLASSES = 1797, 64, 10
WHITE = 16  # the largest value of a pixel
RAREST = 174  # images of the digit that has fewest


class DigitsGraph(Dataset):
    """How many nearest others a node is joined to; so many nodes a class are for training, drawn by `seed`, the rest for
    the test."""

    kind: Literal["digits-graph"]
    neighbours: Annotated[int, Field(ge=1, le=1000)]
    seed: Seed
    train_per_class: Annotated[int, Field(ge=1, lt=RAREST)]


def shape(entry: DigitsGraph) -> tuple[int]:
    """Features of a node."""
    return (PIXELS,)


def items(entry: DigitsGraph) -> tuple[int, int, int]:
    """Training nodes, test nodes and classes."""
    train = CLASSES * entry.train_per_class
    return (train, NODES - train, CLASSES)


def read(archive: Path | None, entry: DigitsGraph) -> Graph:
    """Make the graph; takes no archive. Features are pixels from 0 to 1, the classes "0" to "9"."""
    # Here, not above: every plan imports all kinds, and must not wait for scikit-learn.
    from sklearn.datasets import load_digits

    pixels, target = (np.asarray(part) for part in load_digits(return_X_y=True))
    labels = target.astype(np.int32)
    names = tuple(str(label) for label in range(CLASSES))
    edges = nearest(pixels.astype(np.int64), entry.neighbours)
    return Graph.of((pixels / WHITE), edges, labels, split(labels, entry), names)


def nearest(points: np.ndarray, neighbours: int) -> np.ndarray:
    """An edge from each of the whole-numbered `points` [n, dimensions] to its nearest others: int [2, n * neighbours]."""
    squares = (points**2).sum(1)
    distances = squares[:, None] + squares - 2 * points @ points.T
    np.fill_diagonal(distances, np.iinfo(np.int64).max)
    order = np.argsort(distances, axis=1, kind="stable")[:, :neighbours]
    return np.stack([np.repeat(np.arange(len(points)), neighbours), order.ravel()])


def split(labels: np.ndarray, entry: DigitsGraph) -> dict[str, np.ndarray]:
    """Nodes for training and for the test, in rising order; no node is for validation, since no choice is made by it."""
    draw = np.random.RandomState(entry.seed)  # its stream is frozen (NEP 19)
    drawn = [
        draw.permutation(np.flatnonzero(labels == label))[: entry.train_per_class]
        for label in range(CLASSES)
    ]
    train = np.sort(np.concatenate(drawn))
    test = np.setdiff1d(np.arange(len(labels)), train)
    return {"train": train, "validation": train[:0], "test": test}
