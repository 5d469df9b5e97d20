"""A session against a training loop of its own: every number of history, logits and weights, and the clocks."""

import types

import numpy as np
import pytest
from small_runs import precision, resnet, tensors

from sixteen import networks
from sixteen.datasets.prepared.images import Images

# 256 images in batches of 48: a sixth of a batch is left out; 100 test images, the last batch isn't full either.
BATCH, STEPS, RATE, MOMENTUM, L2 = 48, 5, 0.02, 0.9, 0.01
SETTINGS = {"batch": BATCH, "learning_rate": RATE, "momentum": MOMENTUM, "l2": L2, "seed": 3}


def cross_entropy(logits, labels):
    import tensorflow as tf

    picked = tf.gather(tf.nn.log_softmax(logits), labels, batch_dims=1)
    return -tf.reduce_mean(picked)


class ByHand:
    """Stochastic gradient descent, one eager operation after the other."""

    def __init__(self, dataset):
        self.images = Images.load(dataset)
        self.model = networks.build(resnet(), (8, 8, 1), 10, precision("float32"), l2=0.0, seed=3)
        self.velocities = [np.zeros(v.shape, np.float32) for v in self.model.trainable_variables]

    def inputs(self, pixels):
        return (pixels.astype(np.float32) - self.images.mean) / self.images.std

    def test(self):
        logits = self.model(self.inputs(self.images.test_images), training=False).numpy()
        labels = self.images.test_labels
        return logits, float(cross_entropy(logits, labels)), (logits.argmax(1) == labels).mean()

    def step(self, picked):
        """Loss without penalties, right ones, and zeros among the elements of the gradient."""
        import tensorflow as tf

        labels = self.images.train_labels[picked]
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.model(self.inputs(self.images.train_images[picked]), training=True)
            loss = cross_entropy(logits, labels)
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        zeros = 0
        for i, (variable, gradient) in enumerate(zip(variables, gradients, strict=True)):
            whole = gradient.numpy()
            if variable.path.endswith("kernel"):
                whole = whole + 2 * L2 * variable.numpy()
            zeros += (whole == 0).sum()
            self.velocities[i] = MOMENTUM * self.velocities[i] - RATE * whole
            variable.assign(variable.numpy() + self.velocities[i])
        return float(loss), int((logits.numpy().argmax(1) == labels).sum()), zeros

    def epoch(self, number):
        order = np.random.default_rng([3, number]).permutation(256)[: BATCH * STEPS]
        return np.array([self.step(picked) for picked in order.reshape(STEPS, BATCH)])


def test_a_session_is_stochastic_gradient_descent_on_loss_and_penalty(run, dataset):
    trained, hand = run("trained", **SETTINGS), ByHand(dataset)
    logits = tensors(trained, "predictions")
    found, tested, right = hand.test()
    assert logits["start"] == pytest.approx(found, abs=1e-4)
    assert trained.column("test_loss")[0] == pytest.approx(tested, rel=1e-5)
    assert trained.column("test_accuracy")[0] == right
    count = sum(v.numpy().size for v in hand.model.trainable_variables)
    apart = []
    for epoch in (1, 2):
        losses, hits, zeros = hand.epoch(epoch).T
        found, tested, right = hand.test()
        assert trained.column("loss")[epoch - 1] == pytest.approx(losses.mean(), rel=1e-3)
        assert trained.column("train_accuracy")[epoch - 1] == pytest.approx(
            hits.sum() / (BATCH * STEPS), abs=0.01
        )
        share = zeros.mean() / count
        assert trained.column("zero_gradients")[epoch - 1] == pytest.approx(share, abs=1e-3)
        assert trained.column("test_loss")[epoch] == pytest.approx(tested, rel=1e-2)
        assert trained.column("test_accuracy")[epoch] == pytest.approx(right, abs=0.02)
        apart.append(abs(losses.mean() - losses[-1]))
    np.testing.assert_allclose(logits["logits"], found, atol=0.02 * np.abs(found).max())
    assert max(apart) > 0.01, (
        "the last step is like the mean, so that one could stand for the other"
    )
    for variable in hand.model.weights:
        ended, expected = tensors(trained)[variable.path], variable.numpy()
        np.testing.assert_allclose(ended, expected, atol=0.01 * np.abs(expected).max() + 1e-6)


def test_what_steps_report_becomes_means_and_shares(run, monkeypatch):
    """Of the loss the mean, of right ones a share of the items, of gradient elements a share of all of them."""
    from sixteen.training.learner import Learner

    reports = np.float32(
        [[1, 30, 100, 0], [2, 20, 300, 50], [6, 40, 0, 10], [3, 7, 8, 0], [8, 1, 92, 0]]
    )
    monkeypatch.setattr(Learner, "train", lambda self, rows, *others: reports[: len(rows)])
    # With a dynamic scale, for which gradients that overflow are no divergence.
    told = run("told", precision="mixed_float16", batch=BATCH, until=1)
    elements = run.last.learner.trained_values
    assert told.column("loss") == [4]
    assert told.column("train_accuracy") == pytest.approx([98 / (BATCH * STEPS)])
    assert told.column("zero_gradients") == pytest.approx([100 / elements])
    assert told.column("nonfinite_gradients") == pytest.approx([12 / elements])
    assert told.column("skipped_steps") == [STEPS]


def test_a_switch_starts_with_a_fresh_optimizer_from_the_saved_weights(run, dataset):
    """Momentum at zero, in the second phase as in the first."""
    first = run("first", **SETTINGS, until=1)
    second = run("second", start=first.into, **SETTINGS, until=2)
    hand = ByHand(dataset)
    hand.epoch(1)
    hand.velocities = [np.zeros_like(v) for v in hand.velocities]
    losses = hand.epoch(2)[:, 0]
    assert second.column("loss") == pytest.approx([losses.mean()], rel=1e-3)
    assert np.array_equal(
        tensors(second, "predictions")["start"], tensors(first, "predictions")["logits"]
    )


@pytest.fixture
def clock(monkeypatch, keras_started):
    """A clock that moves by what each part of a session is said to take."""
    from sixteen.training import session
    from sixteen.training.learner import Learner
    from sixteen.training.step_tensorflow import TensorFlowStep

    now = [0.0]

    def takes(owner, name, seconds):
        own = getattr(owner, name)

        def slow(*arguments, **options):
            now[0] += seconds
            return own(*arguments, **options)

        monkeypatch.setattr(owner, name, slow)

    takes(TensorFlowStep, "compile", 1e6)
    takes(Learner, "snapshot", 1e5)
    takes(Learner, "test", 1e3)
    takes(Learner, "train", 8)
    monkeypatch.setattr(session, "time", types.SimpleNamespace(perf_counter=lambda: now[0]))


def test_neither_compiling_nor_testing_nor_observing_counts_as_training_time(run, clock):
    facts = run("timed").facts
    assert facts["compile_seconds"] == 1e6
    assert facts["train_seconds"] == 2 * 8
    assert facts["test_seconds"] == 2 * 1e3
    timing = (run.last.ledger.timing[0], run.last.ledger.timing[1])
    assert [row["items_per_second"] for row in timing] == [256 / 8] * 2


def test_what_a_task_carries_is_reset_before_every_epoch_and_every_test(run, monkeypatch):
    from sixteen.tasks.classify_images import ClassifyImages
    from sixteen.training.step_tensorflow import TensorFlowStep

    done = []

    def noted(owner, name):
        own = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *arguments: done.append(name) or own(*arguments))

    noted(ClassifyImages, "begin")
    noted(TensorFlowStep, "train")
    noted(TensorFlowStep, "predictions")
    run("trained")
    assert done == ["begin", "predictions", *["begin", "train", "begin", "predictions"] * 2]
