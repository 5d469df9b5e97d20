import json

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from sixteen import tasks
from sixteen.datasets.prepared.tokens import Tokens
from sixteen.errors import UserError
from sixteen.tasks.measured import module
from sixteen.tasks.parts import carried

END = 0
TRAIN, TEST = 47, 23
WINDOW = 4


@pytest.fixture
def text(tmp_path):
    """Training and test text in which every token is another one, as prepared."""
    train = np.arange(100, 100 + TRAIN, dtype=np.int32)
    test = np.arange(200, 200 + TEST, dtype=np.int32)
    words = tuple(map(str, range(1, 300)))
    best = np.log(np.linspace(0.1, 0.9, TEST))
    Tokens(train, train[:5], test, best, ("<eos>", *words), (WINDOW,)).save(tmp_path)
    return tmp_path


@pytest.fixture
def task(text):
    return tasks.bind("model_language", text)


def array(tensor):
    return np.asarray(tensor)


def test_sizes_are_those_of_the_text(task):
    assert (task.item, task.shape, task.outputs) == ("token", (WINDOW,), 300)
    assert (task.train_items, task.test_items) == (TRAIN, TEST)


def test_streams_go_on_where_they_stood_and_every_token_is_foretold_once(task):
    rows = task.rows(3, "none", 0, 1)
    assert rows.dtype == np.int32 and rows.shape == (3, 3)  # 47 // 3 = 15 tokens are 3 windows
    assert task.items(rows) == 36
    data = task.train_data()
    batches = [task.train_batch(data, row, "none", "float32") for row in rows]
    inputs, targets = (np.concatenate(part, 1) for part in zip(*batches, strict=True))
    whole = task.tokens.train_tokens
    assert np.array_equal(targets, [whole[15 * n : 15 * n + 12] for n in range(3)])
    assert np.array_equal(inputs[:, 1:], targets[:, :-1])
    assert inputs[:, 0].tolist() == [END, whole[14], whole[29]]


def test_every_epoch_reads_the_same(task):
    assert np.array_equal(task.rows(3, "none", 0, 1), task.rows(3, "none", 5, 7))


@pytest.mark.parametrize(("batch", "right"), [(11, True), (12, False)])
def test_more_streams_than_windows_are_refused(task, batch, right):
    if right:
        assert len(task.rows(batch, "none", 0, 1)) == 1
        return
    with pytest.raises(
        UserError, match=r"at most 11 streams, each with a window of 4 .*, came 12; lower"
    ):
        task.rows(batch, "none", 0, 1)


def test_an_augmentation_is_refused_in_a_sentence(task):
    with pytest.raises(UserError, match=r"expected .*none.*, came crop-flip, .*; choose"):
        task.rows(3, "crop-flip", 0, 1)


@pytest.mark.parametrize("batch", [1, 2, 3, 5, 23, 24, 40])
def test_every_test_token_is_predicted_once_after_the_one_before_it_and_in_its_order(task, batch):
    data, predictions = task.test_data(), []
    before = {END: 0} | {200 + n: n + 1 for n in range(TEST)}
    for indices in task.test_batches(batch):
        inputs = array(task.test_batch(data, indices, "float32"))
        outputs = np.zeros((batch, WINDOW, 300), np.float32)
        outputs[..., 1] = np.vectorize(before.get)(inputs)  # a logit that tells where it stood
        likelihoods = array(task.predicted(outputs, data, indices))
        assert likelihoods.shape == (batch, WINDOW)
        predictions.append(likelihoods)
    found = task.in_order(np.stack(predictions))
    stood = np.arange(TEST)  # the input of token n is the one before it
    assert found == pytest.approx(-np.log(299 + np.exp(stood)), rel=1e-5)


def test_a_prediction_is_the_likelihood_of_what_comes_next(task):
    data, indices = task.test_data(), task.test_batches(2)[1]
    logits = np.random.default_rng(0).standard_normal((2, WINDOW, 300)).astype(np.float32)
    found = array(task.predicted(logits, data, indices))
    for stream, first in enumerate(indices):
        for step in range(WINDOW):
            shares = np.exp(logits[stream, step]) / np.exp(logits[stream, step]).sum()
            assert found[stream, step] == pytest.approx(
                np.log(shares[200 + first + step]), abs=1e-5
            )


def test_loss_is_the_mean_over_all_tokens_of_a_batch_and_nothing_is_right_or_wrong(task):
    logits = np.random.default_rng(0).standard_normal((2, WINDOW, 300)).astype(np.float32)
    targets = np.arange(8, dtype=np.int32).reshape(2, WINDOW)
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    wanted = -np.log(np.take_along_axis(shares, targets[..., None], -1)).mean()
    assert float(task.loss(logits, targets, "float32", 0.0)) == pytest.approx(wanted, rel=1e-5)
    assert np.isnan(float(task.correct(logits, targets)))
    assert task.tested(np.log(np.float32([0.5, 0.25]))) == {
        "test_loss": pytest.approx(1.5 * np.log(2))
    }


class Remembering(keras.layers.Dense):
    """Carries something from batch to batch."""

    def carry(self, batch):
        self.seen = carried.hold(self, (batch, 2), "sum")


def test_what_is_carried_is_made_room_for_and_reset(task):
    inputs = keras.Input((WINDOW,))
    layer = Remembering(2)
    model = keras.Model(inputs, keras.layers.Dense(2)(layer(inputs)))
    before = [variable.path for variable in model.variables]
    task.carry(model, 3)
    assert {v.path for v in model.variables} - set(before) == {layer.seen.path}
    assert [v.path for v in model.weights if v.name.startswith(carried.CARRIED)] == [
        layer.seen.path
    ]
    assert not layer.seen.trainable and layer.seen.shape == (3, 2)
    layer.seen.assign(np.ones((3, 2)))
    kernels = [variable.numpy() for variable in model.trainable_variables]
    task.begin(model)
    assert not layer.seen.numpy().any()
    for variable, kernel in zip(model.trainable_variables, kernels, strict=True):
        assert np.array_equal(variable.numpy(), kernel)


@pytest.fixture
def run(tmp_path, text):
    """A function that writes what a run leaves, evaluates it, and returns its metrics."""

    def evaluated(likelihoods, last=None, outcome="finished", losses=(3.0,)):
        last = -np.mean(likelihoods) if last is None else last
        save_file({"logits": np.float32(likelihoods)}, tmp_path / "predictions.safetensors")
        history = [
            "epoch,test_loss",
            "0,9.5",
            *(f"{n},{x}" for n, x in enumerate([*losses, last], 1)),
        ]
        (tmp_path / "history.csv").write_text("\n".join(history) + "\n")
        (tmp_path / "outcome.json").write_text(json.dumps({"outcome": outcome}))
        facts = module("model_language").evaluate(text, tmp_path, tmp_path)
        found = json.loads((tmp_path / "metrics.json").read_text())
        assert facts["perplexity"] == found["perplexity"]
        return found

    return evaluated


def test_perplexity_is_measured_beside_the_least_possible_loss(run, tmp_path):
    likelihoods = np.log(np.linspace(0.05, 0.5, TEST))
    found = run(likelihoods, losses=(3.0, 1.0, 2.0))
    loss = -np.float32(likelihoods).astype(float).mean()
    assert found["n"] == TEST and found["outcome"] == "finished"
    assert found["loss"] == pytest.approx(loss)
    assert found["perplexity"] == pytest.approx(np.exp(loss))
    assert found["excess_loss"] == pytest.approx(loss + np.log(np.linspace(0.1, 0.9, TEST)).mean())
    assert (found["last_epoch"], found["best_epoch"], found["best_epoch_loss"]) == (4, 2, 1)
    assert found["best_epoch_bias"] == pytest.approx(loss - 1)
    assert (tmp_path / "per_class.csv").read_text() == "class,n,correct,accuracy\n"


def test_where_nobody_knows_the_least_loss_nothing_is_said_of_it(run, tmp_path):
    known = Tokens.load(tmp_path)
    texts = (known.train_tokens, known.validation_tokens, known.test_tokens)
    Tokens(*texts, np.array([]), known.vocabulary, known.shape).save(tmp_path)
    assert run(np.full(TEST, -1.0))["excess_loss"] is None


def test_a_run_that_is_not_finite_has_no_metrics(run):
    found = run(np.full(TEST, np.nan), last=1)
    assert (found["outcome"], found["perplexity"], found["loss"]) == ("diverged", None, None)
    assert run(np.full(TEST, -1.0), outcome="diverged")["perplexity"] is None


def test_a_loss_beyond_every_perplexity_has_none(run):
    found = run(np.full(TEST, -800.0))
    assert (found["outcome"], found["perplexity"], found["loss"]) == ("finished", None, 800)


def test_likelihoods_of_another_text_or_of_another_epoch_are_refused(run):
    with pytest.raises(UserError, match=r"expected log-likelihoods of the 23 tokens .*, came .*22"):
        run(np.full(TEST - 1, -1.0))
    with pytest.raises(UserError, match=r"with test loss 1.01 in history.csv, came some with 1 "):
        run(np.full(TEST, -1.0), last=1.01)
