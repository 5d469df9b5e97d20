"""The block model against its formulas, and what can be known of its nodes against a count by hand."""

import math

import numpy as np
import pytest
from pydantic import ValidationError

from sixteen.datasets.block_model import BlockModel, items, read, shape
from sixteen.errors import UserError


def entry(**changes):
    about = {
        **{"kind": "block-model", "seed": 0, "nodes": 1200, "features": 40, "classes": 3},
        **{"degree": 8.0, "phi": 0.5, "epsilon": 3.25, "train_per_class": 20},
    }
    return BlockModel(**(about | changes))


def labels_of(graph):
    labels = np.full(len(graph.features), -1)
    labels[graph.train_nodes], labels[graph.test_nodes] = graph.train_labels, graph.test_labels
    return labels


def test_two_classes_have_the_published_strengths():
    two = entry(classes=2, nodes=800, features=1000, degree=5.0)
    strength, of_features = two.strengths
    assert strength == pytest.approx(math.sqrt(4.25) * math.sin(math.pi / 4))
    assert of_features == pytest.approx(math.sqrt(0.8 * 4.25) * math.cos(math.pi / 4))
    within, between = two.probabilities
    assert within * 800 == pytest.approx(5 + math.sqrt(5) * strength)
    assert between * 800 == pytest.approx(5 - math.sqrt(5) * strength)


@pytest.mark.parametrize("classes", [2, 3])
def test_edges_and_features_are_those_of_the_model(classes):
    told = entry(classes=classes, nodes=3000, features=200)
    graph = read(None, told)
    labels = labels_of(graph)
    within, between = told.probabilities
    same = labels[graph.edges[0]] == labels[graph.edges[1]]
    sizes = np.bincount(labels)
    pairs = int((sizes**2).sum() - 3000)
    assert same.sum() / pairs == pytest.approx(within, rel=0.05)
    assert (~same).sum() / (3000 * 2999 - pairs) == pytest.approx(between, rel=0.05)
    # On the average over classes a node has `degree` neighbours.
    assert graph.edges.shape[1] / 3000 == pytest.approx(8.0, rel=0.05)
    means = np.array([graph.features[labels == k].mean(0) for k in range(classes)])
    assert np.abs(means.mean(0)).max() < 0.1  # centres are centred
    # The distance between two of them: sqrt(p mu / n) times that of the u, 4 for +-u, whatever K.
    expected = 200 * told.strengths[1] / 3000 * (4 if classes == 2 else 3)
    by_chance = 200 * (1 / sizes[0] + 1 / sizes[1])
    found = np.square(means[0] - means[1]).sum() - by_chance
    assert found == pytest.approx(expected, rel=0.25)
    residuals = graph.features - means[labels]
    assert residuals.std() == pytest.approx(1, rel=0.02)
    assert np.array_equal(graph.features * 4096, np.rint(graph.features * 4096))


def test_by_features_alone_the_best_accuracy_is_that_of_two_gaussians():
    """phi = 0: nothing is known by the edges; of two centres +-m, one is right with the odds Phi(|m|)."""
    graph = read(None, entry(classes=2, nodes=6000, phi=0.0, epsilon=0.0))
    labels = labels_of(graph)
    centre = (graph.features[labels == 0].mean(0) - graph.features[labels == 1].mean(0)) / 2
    expected = 0.5 * (1 + math.erf(np.linalg.norm(centre) / math.sqrt(2)))
    assert graph.best_accuracy[0] == pytest.approx(expected, abs=0.015)
    assert 0.55 < expected < 0.99


def test_of_more_centres_the_nearest_is_the_best_guess():
    graph = read(None, entry(classes=5, features=30, nodes=1500, phi=0.0, epsilon=100.0))
    labels = labels_of(graph)
    means = np.array([graph.features[labels == k].mean(0) for k in range(5)])
    nearest = np.square(graph.features[:, None] - means).sum(2).argmin(1)
    right = (nearest == labels)[graph.test_nodes].mean()
    assert graph.best_accuracy[0] == pytest.approx(right, abs=0.02)
    assert 0.4 < right < 0.9


def test_by_edges_alone_the_best_accuracy_is_that_of_counts_of_all_pairs():
    told = entry(nodes=150, phi=1.0, train_per_class=10, degree=6.0, epsilon=1.0)
    graph = read(None, told)
    labels = labels_of(graph)
    joined = np.zeros((150, 150), bool)
    joined[graph.edges[0], graph.edges[1]] = True
    within, between = told.probabilities

    def likelihood(node, label):
        total = 0.0
        for other in range(150):
            if other != node:
                chance = within if labels[other] == label else between
                total += math.log(chance if joined[node, other] else 1 - chance)
        return total

    right = [
        max(range(3), key=lambda label, node=node: likelihood(node, label)) == labels[node]
        for node in graph.test_nodes
    ]
    assert graph.best_accuracy == (pytest.approx(np.mean(right)),)
    assert graph.facts()["best_accuracy"] == graph.best_accuracy[0]


def test_sizes_are_as_told_and_the_seed_decides():
    graph, again, other = (read(None, entry(seed=seed)) for seed in (0, 0, 1))
    assert (len(graph.train_nodes), len(graph.test_nodes), 3) == items(entry())
    assert graph.shape == shape(entry())
    assert np.bincount(graph.train_labels).tolist() == [20] * 3
    for name, value in vars(graph).items():
        assert np.array_equal(value, getattr(again, name))
    assert not np.array_equal(graph.edges, other.edges)
    assert not np.array_equal(graph.features, other.features)


def test_what_is_no_model_is_refused():
    with pytest.raises(
        ValidationError, match=r"probabilities of edges between 0 and 1, came .*; change"
    ):
        entry(degree=0.5, phi=1.0)
    with pytest.raises(UserError, match=r"more than 400 nodes .*came \d+ in one; raise `nodes`"):
        read(None, entry(train_per_class=400))
