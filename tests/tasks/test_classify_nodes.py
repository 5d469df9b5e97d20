import numpy as np
import pytest

from sixteen import tasks
from sixteen.datasets.prepared.graph import Graph
from sixteen.errors import UserError


@pytest.fixture
def task(tmp_path):
    """Nine nodes in a ring but for the last, which is alone; four for training, two for validation, three for the test."""
    features = np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)
    edges = np.stack([np.arange(8), (np.arange(8) + 1) % 8])
    labels = np.arange(9) % 3
    parts = {"train": [7, 0, 2, 3], "validation": [1, 4], "test": [8, 6, 5]}
    parts = {part: np.array(nodes) for part, nodes in parts.items()}
    Graph.of(features, edges, labels, parts, tuple("abc")).save(tmp_path)
    return tasks.bind("classify_nodes", tmp_path)


def arrays(nest):
    return [np.asarray(tensor) for tensor in nest]


def test_sizes_are_those_of_the_dataset(task):
    assert (task.item, task.shape, task.outputs) == ("node", (4,), 3)
    assert (task.train_items, task.test_items) == (4, 3)


def test_an_epoch_is_one_step_over_all_training_nodes(task):
    rows = task.rows(1, "none", 0, 1)
    assert rows.shape == (1, 4) and rows.dtype == np.int32
    assert task.items(rows) == 4
    assert np.array_equal(rows, task.rows(1, "none", 5, 7))


@pytest.mark.parametrize(
    ("batch", "augmentation", "word"), [(1, "crop-flip", "none"), (4, "none", "1")]
)
def test_what_a_graph_cannot_do_is_refused_in_a_sentence(task, batch, augmentation, word):
    with pytest.raises(UserError, match=rf"expected `\w+: {word}` .*classify_nodes.*came .*choose"):
        task.rows(batch, augmentation, 0, 1)


@pytest.mark.parametrize("compute", ["float32", "float16"])
def test_the_batch_is_the_graph_and_the_labels_are_those_of_the_nodes_asked_for(task, compute):
    rows = task.rows(1, "none", 0, 1)[0]
    inputs, targets = task.train_batch(task.train_data(), rows, "none", compute)
    features, edges, degrees, asked = arrays(inputs)
    assert features.dtype == compute
    assert np.array_equal(features, task.graph.features.astype(compute))
    assert np.array_equal(edges, task.graph.edges)
    assert degrees.tolist() == [2] * 8 + [0]
    assert asked.tolist() == [7, 0, 2, 3]
    assert np.asarray(targets).tolist() == [1, 0, 2, 0]
    _, some = task.train_batch(task.train_data(), np.array([2, 0], np.int32), "none", compute)
    assert np.asarray(some).tolist() == [2, 1]


def test_all_test_nodes_come_in_their_order_in_one_batch(task):
    (batch,) = task.test_batches(1)
    *_, asked = arrays(task.test_batch(task.test_data(), batch, "float32"))
    assert asked.tolist() == [8, 6, 5]


def test_loss_and_accuracy_are_those_of_softmax_cross_entropy_on_the_test_nodes(task):
    logits = np.float32([[0, 0, 3], [2, 0, 0], [1, 0, 0]])
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    entropy = -np.log(shares[np.arange(3), [2, 0, 2]]).mean()
    labels = np.array([2, 0, 2], np.int32)
    assert float(task.loss(logits, labels, "float32", 0.0)) == pytest.approx(entropy, rel=1e-5)
    assert float(task.correct(logits, labels)) == 2
    assert task.tested(logits) == {
        "test_loss": pytest.approx(entropy, rel=1e-6),
        "test_accuracy": pytest.approx(2 / 3),
    }


def test_random_graphs_are_trained_on_like_any(tmp_path):
    Graph.random(7, (4,), 3).save(tmp_path)
    task = tasks.bind("classify_nodes", tmp_path)
    assert (task.shape, task.outputs) == ((4,), 3)
    assert task.train_items == task.test_items >= 7
