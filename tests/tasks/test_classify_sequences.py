import numpy as np
import pytest

from sixteen import tasks
from sixteen.datasets.prepared.sequences import Sequences
from sixteen.errors import UserError


@pytest.fixture
def task(tmp_path):
    """Ten training and seven test sequences of length 5 and two channels, as prepared."""
    draw = np.random.default_rng(0)
    train, test = (draw.standard_normal((n, 5, 2)).astype(np.float32) for n in (10, 7))
    labels = np.arange(17, dtype=np.int32) % 3
    Sequences(train, labels[:10], test, labels[10:], tuple("abc")).save(tmp_path)
    return tasks.bind("classify_sequences", tmp_path)


def arrays(nest):
    return [np.asarray(tensor) for tensor in nest]


def test_sizes_are_those_of_the_dataset(task):
    assert (task.item, task.shape, task.outputs) == ("sequence", (5, 2), 3)
    assert (task.train_items, task.test_items) == (10, 7)


def test_every_epoch_shows_each_sequence_at_most_once_and_in_an_order_of_seed_and_epoch(task):
    rows = task.rows(3, "none", 0, 1)
    assert rows.shape[:2] == (3, 3) and rows.dtype == np.int32
    assert len(np.unique(rows[..., 0])) == 9
    assert np.array_equal(rows, task.rows(3, "none", 0, 1))
    for other in (task.rows(3, "none", 0, 2), task.rows(3, "none", 1, 1)):
        assert not np.array_equal(rows[..., 0], other[..., 0])


def test_an_augmentation_is_refused_in_a_sentence(task):
    with pytest.raises(UserError, match=r"expected .*none.*, came crop-flip, .*; choose"):
        task.rows(3, "crop-flip", 0, 1)


def test_a_batch_larger_than_the_training_set_is_refused(task):
    with pytest.raises(UserError, match="at most 10"):
        task.rows(11, "none", 0, 1)


@pytest.mark.parametrize("compute", ["float32", "float16"])
def test_a_batch_is_what_its_rows_name_in_the_compute_type(task, compute):
    rows = task.rows(4, "none", 0, 1)[1]
    inputs, targets = arrays(task.train_batch(task.train_data(), rows, "none", compute))
    sequences, labels = task.train_data()
    assert inputs.dtype == compute and targets.dtype == np.int32
    assert np.array_equal(inputs, sequences[rows[:, 0]].astype(compute))
    assert np.array_equal(targets, labels[rows[:, 0]])


def test_all_test_sequences_come_in_their_order(task):
    batches = task.test_batches(3)
    inputs = np.concatenate(
        arrays(task.test_batch(task.test_data(), batch, "float32") for batch in batches)
    )
    assert np.array_equal(inputs[:7], task.test_data()[0])


def test_loss_and_accuracy_are_those_of_softmax_cross_entropy(task):
    logits = np.random.default_rng(6).standard_normal((7, 3)).astype(np.float32)
    labels = task.test_data()[1]
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    entropy = -np.log(shares[np.arange(7), labels]).mean()
    assert float(task.loss(logits, labels, "float32", 0.0)) == pytest.approx(entropy, rel=1e-5)
    hits = int((logits.argmax(1) == labels).sum())
    assert float(task.correct(logits, labels)) == hits == 3
    assert task.tested(logits) == {
        "test_loss": pytest.approx(entropy, rel=1e-6),
        "test_accuracy": pytest.approx(hits / 7),
    }
