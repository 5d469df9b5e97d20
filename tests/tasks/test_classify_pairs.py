import numpy as np
import pytest

from sixteen import tasks
from sixteen.datasets.prepared.pairs import SPECIAL, Pair, Pairs
from sixteen.errors import UserError

CLASSES = ("entailment", "neutral", "contradiction")


def pair(premise, hypothesis, label):
    return Pair(premise.split(), hypothesis.split(), CLASSES[label], "the test")


@pytest.fixture
def task(tmp_path):
    """Four pairs for training and three for the test, of up to eight tokens, of which five are words."""
    train = [pair("a b", "a", 0), pair("b", "a", 2), pair("c", "a b", 1), pair("a b c", "b b", 1)]
    test = [pair("c", "c", 0), pair("b a", "c", 2), pair("a", "b a c", 1)]
    parts = {"train": train, "validation": [], "test": test}
    Pairs.of(parts, (*SPECIAL, "a", "b", "c"), 8).save(tmp_path)
    return tasks.bind("classify_pairs", tmp_path)


def arrays(nest):
    return [np.asarray(tensor) for tensor in nest]


def test_sizes_are_those_of_the_dataset(task):
    assert (task.item, task.shape, task.outputs) == ("pair", (8, 6), 3)
    assert (task.train_items, task.test_items) == (4, 3)


def test_an_epoch_has_each_pair_once_in_an_order_of_its_own(task):
    rows = task.rows(2, "none", 0, 1)
    assert rows.shape == (2, 2, 4) and rows.dtype == np.int32
    assert sorted(rows[..., 0].ravel().tolist()) == [0, 1, 2, 3]
    assert task.items(rows) == 4
    assert np.array_equal(rows, task.rows(2, "none", 0, 1))
    others = [task.rows(2, "none", *which)[..., 0].tolist() for which in ((0, 2), (1, 1), (1, 2))]
    assert any(other != rows[..., 0].tolist() for other in others)


def test_what_is_for_images_is_refused_in_a_sentence(task):
    with pytest.raises(
        UserError, match=r"expected `augmentation: none` .*pairs, came crop.*choose"
    ):
        task.rows(2, "crop-flip", 0, 1)


@pytest.mark.parametrize("compute", ["float32", "float16"])
def test_a_batch_has_tokens_segments_a_mask_and_labels_of_the_pairs_asked_for(task, compute):
    rows = np.array([[3, 0, 0, 0], [1, 0, 0, 0]], np.int32)
    inputs, labels = task.train_batch(task.train_data(), rows, "none", compute)
    tokens, segments, mask = arrays(inputs)
    assert tokens.tolist() == [[1, 3, 4, 5, 2, 4, 4, 2], [1, 4, 2, 3, 2, 0, 0, 0]]
    assert segments.tolist() == [[0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0, 0, 0]]
    assert mask.tolist() == [[True] * 8, [True] * 5 + [False] * 3]
    assert np.asarray(labels).tolist() == [1, 2]


def test_test_pairs_come_in_their_order(task):
    batches = task.test_batches(2)
    found = [arrays(task.test_batch(task.test_data(), batch, "float32"))[0] for batch in batches]
    assert np.concatenate(found)[:3].tolist() == task.pairs.test_tokens.tolist()


def test_loss_and_accuracy_are_those_of_softmax_cross_entropy_on_the_test_pairs(task):
    logits = np.float32([[0, 0, 3], [2, 0, 0], [1, 4, 0]])
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = np.array([0, 2, 1], np.int32)
    entropy = -np.log(shares[np.arange(3), labels]).mean()
    assert float(task.loss(logits, labels, "float32", 0.0)) == pytest.approx(entropy, rel=1e-5)
    assert float(task.correct(logits, labels)) == 1
    assert task.tested(logits) == {
        "test_loss": pytest.approx(entropy, rel=1e-6),
        "test_accuracy": pytest.approx(1 / 3),
    }


def test_random_pairs_are_trained_on_like_any(tmp_path):
    Pairs.random(7, (9, 20), 3).save(tmp_path)
    task = tasks.bind("classify_pairs", tmp_path)
    assert (task.shape, task.outputs) == ((9, 20), 3)
    assert task.train_items == task.test_items == 7
    *_, mask = arrays(task.test_batch(task.test_data(), np.arange(7), "float32"))
    assert mask.any(1).all()
