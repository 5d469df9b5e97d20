import dataclasses

import numpy as np
import pytest

from sixteen import tasks
from sixteen.datasets.digits_graph_sampled import DigitsGraphSampled, items, read, shape
from sixteen.datasets.prepared.graph import Graph
from sixteen.errors import UserError

# Node 0 is joined to 1, 2 and 3, node 4 to 5; node 6 is alone.
EDGES = np.array([[0, 0, 0, 4], [1, 2, 3, 5]])
PARTS = {"train": np.array([4, 0, 1]), "validation": np.array([2]), "test": np.array([6, 3, 5])}


def graph(neighbours):
    features = np.arange(14.0).reshape(7, 2)
    names = tuple("abc")
    return Graph.of(features, EDGES, np.arange(7) % 3, PARTS, names, neighbours=neighbours)


@pytest.fixture
def task(tmp_path):
    graph((3, 2)).save(tmp_path)
    return tasks.bind("classify_nodes_sampled", tmp_path)


def test_sizes_are_those_of_the_dataset(task):
    assert (task.item, task.shape, task.outputs) == ("node", (2, 3, 2), 3)
    assert (task.train_items, task.test_items) == (3, 3)


def test_a_row_is_a_target_its_neighbours_and_theirs(task):
    joined = {0: {1, 2, 3}, 1: {0}, 2: {0}, 3: {0}, 4: {5}, 5: {4}, 6: {6}}
    rows = task.rows(3, "none", 0, 1)
    assert rows.shape == (1, 3, 1 + 3 + 6) and rows.dtype == np.int32
    assert sorted(rows[0, :, 0]) == [0, 1, 4]
    for target, *others in rows[0].tolist():
        assert set(others[:3]) <= joined[target]
        for place, neighbour in enumerate(others[:3]):
            assert set(others[3 + 2 * place : 5 + 2 * place]) <= joined[neighbour]
        if target == 0:
            assert sorted(others[:3]) == [1, 2, 3]  # as many as are drawn: each once


def test_neighbours_are_drawn_anew_in_each_epoch_by_the_seed():
    task = tasks.module("classify_nodes_sampled").ClassifyNodesSampled(graph((2,)))
    rows = task.rows(3, "none", 0, 1)
    assert np.array_equal(rows, task.rows(3, "none", 0, 1))
    drawn = {
        tuple(sorted(row[1:]))
        for epoch in range(1, 30)
        for row in task.rows(3, "none", 0, epoch)[0].tolist()
        if row[0] == 0
    }
    # One of the lower half of 1, 2, 3 and one of the upper one.
    assert drawn == {(1, 2), (1, 3), (2, 2), (2, 3)}


def test_each_neighbour_is_drawn_as_often_as_any():
    task = tasks.module("classify_nodes_sampled").ClassifyNodesSampled(graph((2,)))
    targets = np.zeros(30_000, np.int32)
    drawn = task.sampler.rows(targets, [0])[:, 1:]
    shares = np.bincount(drawn.ravel(), minlength=4)[1:] / drawn.size
    assert shares == pytest.approx([1 / 3] * 3, abs=0.01)


def test_tests_have_all_nodes_in_their_order_and_always_the_same_neighbours(task):
    batches = task.test_batches(2)
    assert len(batches) == 2
    rows = np.concatenate(list(batches))
    assert rows[:, 0].tolist() == [6, 3, 5, 6]
    assert rows[0].tolist() == [6] * 10
    assert np.array_equal(rows, np.concatenate(list(task.test_batches(2))))
    assert np.array_equal(batches[1], rows[2:])


@pytest.mark.parametrize("compute", ["float32", "float16"])
def test_a_batch_has_the_features_of_its_rows_and_the_labels_of_its_targets(task, compute):
    rows = task.rows(3, "none", 0, 1)[0]
    (features,), targets = task.train_batch(task.train_data(), rows, "none", compute)
    assert np.array_equal(np.asarray(features), task.graph.features[rows].astype(compute))
    assert np.asarray(targets).tolist() == [node % 3 for node in rows[:, 0]]
    (tested,) = task.test_batch(task.test_data(), rows, compute)
    assert np.array_equal(tested, features)


def test_what_it_cannot_do_is_refused_in_a_sentence(task):
    with pytest.raises(UserError, match=r"expected .*none.*sampled, came crop-flip, .*; choose"):
        task.rows(3, "crop-flip", 0, 1)
    with pytest.raises(UserError, match="at most 3"):
        task.rows(4, "none", 0, 1)


def test_loss_and_accuracy_are_those_of_softmax_cross_entropy(task):
    logits = np.float32([[3, 0, 0], [2, 0, 0], [1, 0, 0]])
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    entropy = -np.log(shares[np.arange(3), [0, 0, 2]]).mean()
    labels = np.array([0, 0, 2], np.int32)
    assert float(task.loss(logits, labels, "float32", 0.0)) == pytest.approx(entropy, rel=1e-5)
    assert float(task.correct(logits, labels)) == 2
    assert task.tested(logits)["test_accuracy"] == pytest.approx(2 / 3)


def test_digits_are_the_same_graph_and_random_ones_are_as_wide():
    about = {"neighbours": 5, "seed": 0, "train_per_class": 20, "sampled": [4, 3]}
    entry = DigitsGraphSampled(kind="digits-graph-sampled", **about)
    found = read(None, entry)
    assert found.shape == shape(entry) == (64, 4, 3)
    assert (len(found.train_nodes), len(found.test_nodes), 10) == items(entry)
    assert dataclasses.replace(found, neighbours=()).facts()["shape"] == [64]
    assert Graph.random(8, (5, 4, 3), 2).shape == (5, 4, 3)
