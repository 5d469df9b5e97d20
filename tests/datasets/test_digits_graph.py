"""The graph of digits against the package that brings the digits."""

import numpy as np
from sklearn.datasets import load_digits

from sixteen.datasets.digits_graph import DigitsGraph, items, nearest, read, shape

DIGITS = load_digits()


def entry(**changes):
    about = {"kind": "digits-graph", "neighbours": 4, "seed": 0, "train_per_class": 20}
    return DigitsGraph(**(about | changes))


def test_nodes_are_the_bundled_digits_from_0_to_1_in_their_order():
    graph = read(None, entry())
    assert np.array_equal(graph.features, (DIGITS.data / 16).astype(np.float32))
    assert graph.classes == tuple("0123456789")
    assert (len(graph.train_nodes), len(graph.test_nodes), 10) == items(entry())
    assert graph.shape == shape(entry())
    labels = np.full(1797, -1)
    labels[graph.train_nodes], labels[graph.test_nodes] = graph.train_labels, graph.test_labels
    assert np.array_equal(labels, DIGITS.target)


def test_each_node_is_joined_to_its_nearest_and_to_those_that_are_near_to_it():
    edges = read(None, entry()).edges
    joined = {(int(s), int(t)) for s, t in edges.T}
    assert joined == {(t, s) for s, t in joined} and len(joined) == edges.shape[1]
    for node in (0, 77, 1796):
        distances = ((DIGITS.data - DIGITS.data[node]) ** 2).sum(1)
        distances[node] = np.inf
        ours = {s for s, t in joined if t == node}
        furthest = np.sort(distances)[3]
        assert (distances < furthest).sum() <= 4
        assert set(np.flatnonzero(distances < furthest)) <= ours
        for other in ours - set(np.flatnonzero(distances <= furthest)):
            theirs = ((DIGITS.data - DIGITS.data[other]) ** 2).sum(1)
            assert (theirs < theirs[node]).sum() <= 4  # and the node itself


def test_of_equals_the_lower_number_is_nearer():
    points = np.array([[0], [2], [-2], [2], [9]])
    assert nearest(points, 2)[1].reshape(5, 2)[0].tolist() == [1, 2]
    assert nearest(points, 2)[1].reshape(5, 2)[1].tolist() == [3, 0]


def test_the_seed_draws_as_many_of_each_class_for_training():
    graph, again, other = (read(None, entry(seed=seed)) for seed in (0, 0, 1))
    assert np.bincount(graph.train_labels).tolist() == [20] * 10
    assert np.array_equal(graph.train_nodes, again.train_nodes)
    assert not np.array_equal(graph.train_nodes, other.train_nodes)
    assert np.array_equal(graph.edges, other.edges)
    # What other people's numbers are compared on.
    assert graph.train_nodes[:6].tolist() == [13, 19, 43, 48, 55, 60]
