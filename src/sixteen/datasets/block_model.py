"""The kind "block-model": a contextual stochastic block model, of which it is known how well it can be done. No download.

Each node belongs to one of K classes, any with the same odds; two are joined with a probability that depends on whether they
belong to the same, and features are Gaussian around the centre of the class (Deshpande et al., "Contextual stochastic block
models", arXiv:1807.09596, for two classes). With degree d, n nodes, p features and the strengths lambda of the edges and mu of
the features,

    c_in = d + (K - 1) sqrt(d) lambda,  c_out = d - sqrt(d) lambda,  probabilities c / n,
    x_i = sqrt(mu / n) u_k + z_i / sqrt(p),  z_i normal,

which for K = 2 is the model of that paper: c = d +- sqrt(d) lambda and centres +-u. More centres are drawn alike, centred
and scaled, so that for K = 2 they are u and -u. The strengths are those of Chien et al. (arXiv:2006.07988):
lambda = sqrt(1 + epsilon) sin(pi phi / 2), mu = sqrt(n / p (1 + epsilon)) cos(pi phi / 2), for two classes learnable if
epsilon > 0; phi = 0 has all that can be known in the features, 1 in the edges.

Draws are NumPy's legacy ones, which are frozen (NEP 19), and features are rounded to multiples of 1/4096, so that the bytes
are the same on every machine (see `mnist1d`).
"""

from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from sixteen.datasets.prepared.entry import Dataset, Seed
from sixteen.datasets.prepared.graph import Graph
from sixteen.errors import UserError

TASK = "classify_nodes"
STEPS = 4096  # features are rounded to multiples of 1 / STEPS
Many = Annotated[int, Field(ge=1, le=20_000)]


class BlockModel(Dataset):
    """The model's numbers, see above; so many nodes a class are for training, the rest for the test."""

    kind: Literal["block-model"]
    seed: Seed
    nodes: Many
    features: Many
    classes: Annotated[int, Field(ge=2, le=1000)]
    degree: Annotated[float, Field(gt=0, le=1000)]
    phi: Annotated[float, Field(ge=0, le=1)]
    epsilon: Annotated[float, Field(ge=0, le=100)]
    train_per_class: Many

    @property
    def strengths(self) -> tuple[float, float]:
        """Lambda of the edges and mu of the features."""
        strength, angle = 1 + self.epsilon, np.pi * self.phi / 2
        of_features = np.sqrt(self.nodes / self.features * strength) * np.cos(angle)
        return float(np.sqrt(strength) * np.sin(angle)), float(of_features)

    @property
    def probabilities(self) -> tuple[float, float]:
        """Of an edge between two nodes of a class, and of two classes."""
        excess = np.sqrt(self.degree) * self.strengths[0]
        within, between = self.degree + (self.classes - 1) * excess, self.degree - excess
        return float(within / self.nodes), float(between / self.nodes)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        within, between = self.probabilities
        if not (0 < between <= within < 1):
            raise ValueError(
                f"expected probabilities of edges between 0 and 1, came {within:g} within classes and {between:g} between; "
                "change `degree`, `phi` or `epsilon`"
            )
        return self


def shape(entry: BlockModel) -> tuple[int]:
    """Features of a node."""
    return (entry.features,)


def items(entry: BlockModel) -> tuple[int, int, int]:
    """Training nodes, test nodes and classes."""
    train = entry.train_per_class * entry.classes
    return (train, entry.nodes - train, entry.classes)


def read(archive: Path | None, entry: BlockModel) -> Graph:
    """Draw the graph; takes no archive. The classes are "0", "1" and so on; features are as drawn, times sqrt(p).

    `best_accuracy` is `oracle_accuracy`.
    """
    draw = np.random.RandomState(entry.seed)
    labels = draw.randint(entry.classes, size=entry.nodes, dtype=np.int64)
    _check_classes(labels, entry)
    centres = _centres(draw, entry)
    noise = draw.standard_normal((entry.nodes, entry.features))
    features = np.rint((centres[labels] + noise) * STEPS) / STEPS
    edges = _edges(draw, labels, entry)
    parts = _split(draw, labels, entry)
    best = oracle_accuracy(features, edges, labels, parts["test"], centres, entry)
    names = tuple(str(label) for label in range(entry.classes))
    return Graph.of(features, edges, labels, parts, names, best_accuracy=(best,))


def _check_classes(labels: np.ndarray, entry: BlockModel) -> None:
    fewest = int(np.bincount(labels, minlength=entry.classes).min())
    if fewest <= entry.train_per_class:
        raise UserError(
            f"expected more than {entry.train_per_class} nodes in each of {entry.classes} classes, since so many are for "
            f"training, came {fewest} in one; raise `nodes` of the block model or lower `train_per_class`"
        )


def _centres(draw: np.random.RandomState, entry: BlockModel) -> np.ndarray:
    """Centres of the classes in units of the noise, float64 [classes, features]: sqrt(p mu / n) u_k."""
    k = entry.classes
    drawn = draw.standard_normal((k, entry.features)) / np.sqrt(entry.features)
    spread = (drawn - drawn.mean(0)) * np.sqrt(k / (k - 1))
    return np.sqrt(entry.features * entry.strengths[1] / entry.nodes) * spread


def _edges(draw: np.random.RandomState, labels: np.ndarray, entry: BlockModel) -> np.ndarray:
    """Each pair of nodes once at most, with the probability of their classes: int [2, edges], the lower one first."""
    within, between = entry.probabilities
    found = []
    for node in range(1, entry.nodes):
        chances = np.where(labels[:node] == labels[node], within, between)
        others = np.flatnonzero(draw.random_sample(node) < chances)
        found.append(np.stack([others, np.full(len(others), node)]))
    return np.concatenate(found, axis=1)


def _split(
    draw: np.random.RandomState, labels: np.ndarray, entry: BlockModel
) -> dict[str, np.ndarray]:
    shuffled = draw.permutation(entry.nodes)
    drawn = [shuffled[labels[shuffled] == k][: entry.train_per_class] for k in range(entry.classes)]
    train = np.sort(np.concatenate(drawn))
    test = np.setdiff1d(np.arange(entry.nodes), train)
    return {"train": train, "validation": train[:0], "test": test}


def oracle_accuracy(
    features: np.ndarray,
    edges: np.ndarray,
    labels: np.ndarray,
    nodes: np.ndarray,
    centres: np.ndarray,
    entry: BlockModel,
) -> float:
    """How often the likeliest class of a node is right for one who knows the model, its centres and all other labels.

    That decision is Bayes' own, since edges and features are independent given the labels, and any method knows less: no
    accuracy is higher but by chance. It bounds the Bayes-optimal accuracy of the task, which is known in the limit of
    large graphs for two classes alone (Duranthon and Zdeborova, arXiv:2306.07948).
    """
    joined = np.zeros((entry.nodes, entry.classes))  # neighbours of each class
    for a, b in (edges, edges[::-1]):
        np.add.at(joined, (a, labels[b]), 1)
    others = np.bincount(labels, minlength=entry.classes) - np.eye(entry.classes)[labels]
    within, between = entry.probabilities
    of_edges = joined * np.log(within / between)
    of_edges += (others - joined) * np.log((1 - within) / (1 - between))
    of_features = features @ centres.T - (centres**2).sum(1) / 2
    likeliest = (of_edges + of_features).argmax(1)
    return float((likeliest[nodes] == labels[nodes]).mean())
