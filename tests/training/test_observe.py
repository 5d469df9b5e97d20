"""Theory beside measurement, held against closed forms, finite differences and plain numpy."""

import csv
import importlib.util
import json
import shutil
import sys
import types

import numpy as np
import pytest
from small_runs import ADAM, TABLES, VIT, WATCH, bytes_of, precision, recipe, watched

from sixteen.datasets.prepared.images import Images
from sixteen.networks.parts.family import Network
from sixteen.training.parameters import Training
from sixteen.training.tensors import CHECKPOINT, load_checkpoint

BATCH, CLASSES, SIDE = 16, 3, 4
NO_MOMENTUM = {"momentum": 0.0, "l2": 0.0}


@pytest.fixture(scope="module", autouse=True)
def families(keras_started):
    """Network families small enough to compile in seconds."""
    import keras

    from sixteen.precision.policies import policies

    def linear(network, shape, classes, precision, l2, seed):
        inputs = keras.Input(shape, dtype=precision.compute)
        weights, _ = policies(precision)
        x = keras.layers.Flatten(dtype=weights)(inputs)
        outputs = keras.layers.Dense(classes, dtype=weights, name="head")(x)
        return drawn(keras.Model(inputs, outputs), seed)

    def smooth(network, shape, classes, precision, l2, seed):
        weights, statistics = policies(precision)
        regularizer = keras.regularizers.L2(l2)
        inputs = keras.Input(shape, dtype=precision.compute)
        x = keras.layers.Conv2D(
            4, 3, kernel_regularizer=regularizer, dtype=weights, name="convolution"
        )(inputs)
        x = keras.layers.BatchNormalization(dtype=statistics, name="norm")(x)
        x = keras.layers.Activation("silu", dtype=weights)(x)
        x = keras.layers.Flatten(dtype=weights)(x)
        x = keras.layers.Dropout(0.5, seed=seed, dtype=weights)(x)
        outputs = keras.layers.Dense(
            classes, kernel_regularizer=regularizer, dtype=weights, name="head"
        )(x)
        return drawn(keras.Model(inputs, outputs), seed)

    def kinked(network, shape, classes, precision, l2, seed):
        weights, statistics = policies(precision)
        inputs = keras.Input(shape, dtype=precision.compute)
        x = keras.layers.Conv2D(8, 3, dtype=weights, name="convolution")(inputs)
        x = keras.layers.BatchNormalization(dtype=statistics, name="norm")(x)
        x = keras.layers.ReLU(1.0, dtype=weights, name="clipped")(x)
        x = keras.layers.Flatten(dtype=weights)(x)
        x = keras.layers.Dense(32, activation="relu", dtype=weights, name="hidden")(x)
        x = keras.layers.Dense(32, dtype=weights, name="middle")(x)
        x = keras.layers.Activation("relu", dtype=weights, name="rectified")(x)
        outputs = keras.layers.Dense(classes, dtype=weights, name="head")(x)
        return drawn(keras.Model(inputs, outputs), seed)

    def shallow(network, shape, classes, precision, l2, seed):
        weights, _ = policies(precision)
        inputs = keras.Input(shape, dtype=precision.compute)
        x = keras.layers.Flatten(dtype=weights)(inputs)
        x = keras.layers.Dense(20, activation="relu", dtype=weights, name="hidden")(x)
        outputs = keras.layers.Dense(classes, dtype=weights, name="head")(x)
        return drawn(keras.Model(inputs, outputs), seed)

    def drawn(model, seed):
        draw = np.random.default_rng(seed)
        for weight in model.trainable_variables:
            if weight.name == "kernel":
                weight.assign(0.3 * draw.standard_normal(weight.shape).astype(np.float32))
        return model

    modules = {"linear": linear, "smooth": smooth, "kinked": kinked, "shallow": shallow}
    for name, build in modules.items():
        module = types.ModuleType(f"sixteen.networks.{name}")
        module.build = build
        sys.modules[module.__name__] = module
    yield
    for name in modules:
        del sys.modules[f"sixteen.networks.{name}"]


class Observed:
    """A learner, and the observer of it."""

    def __init__(self, family, storage="float32", deviation=80.0, scale="own", **changes):
        from sixteen.tasks.classify_images import ClassifyImages
        from sixteen.training.learner import Learner
        from sixteen.training.observer import Observer

        draw = np.random.default_rng(0)
        images = draw.integers(0, 256, (4 * BATCH, SIDE, SIDE, 1), dtype=np.uint8)
        labels = draw.integers(0, CLASSES, 4 * BATCH).astype(np.int32)
        about = (np.float32([120]), np.float32([deviation]))
        self.images = Images(images, labels, images, labels, *about, tuple("abc"))
        self.rows = np.zeros((4, BATCH, 4), np.int32)
        self.rows[..., 0] = draw.permutation(4 * BATCH).reshape(4, BATCH)
        format = precision(storage) if scale == "own" else precision(storage, loss_scale=scale)
        # Not validated: these families are no modules of the package.
        parameters = Training.model_construct(
            backend="tensorflow",
            threads=1,
            seed=1,
            network=Network(family=family),
            precision=format,
            recipe=recipe(batch=BATCH, **changes),
        )
        self.learner = Learner(parameters, ClassifyImages(self.images), None)
        self.observer = Observer(self.learner)

    @property
    def optimizer(self):
        return self.learner.optimizer

    @property
    def model(self):
        return self.learner.model

    def train(self, rows):
        rates, bits = np.full(len(rows), self.rate(), np.float32), np.full(len(rows), 32)
        self.learner.train(rows, rates, bits, lambda: None)

    def rate(self):
        return float(self.optimizer.learning_rate.numpy())

    def weights(self):
        return [variable.numpy() for variable in self.model.trainable_variables]

    def observe(self, epoch, cast_to="float16"):
        return self.observer.observe(epoch, self.rows, self.rate(), cast_to)


@pytest.fixture(scope="module")
def float32():
    """Trained for an epoch, so that momentum isn't zero."""
    observed = Observed("smooth")
    observed.train(observed.rows)
    return observed


@pytest.fixture(scope="module")
def mixed():
    return Observed("smooth", "mixed_float16")


@pytest.fixture(scope="module")
def linear():
    return Observed("linear", **NO_MOMENTUM)


@pytest.fixture(scope="module")
def float16():
    return Observed("linear", "float16", learning_rate=0.001, **NO_MOMENTUM)


def of_all(rows):
    return next(row for row in rows["observations"] if row["tensor"] == "all")


def flat(tensors):
    return np.concatenate([np.ravel(tensor).astype(np.float64) for tensor in tensors])


def softmax(dataset, rows, weights, bias, deviation=80.0):
    """Images, probabilities, and the gradient with respect to the logits, of a linear network."""
    images = dataset.train_images[rows[:, 0]].reshape(len(rows), -1).astype(np.float64)
    images = (images - 120) / deviation
    logits = images @ weights + bias
    likely = np.exp(logits - logits.max(1, keepdims=True))
    likely /= likely.sum(1, keepdims=True)
    wrong = likely - np.eye(CLASSES)[dataset.train_labels[rows[:, 0]]]
    return images, likely, wrong / len(rows)


def test_derivatives_of_softmax_regression_are_those_of_the_textbook(linear):
    draw = np.random.default_rng(3)
    weights, vectors = linear.weights(), [draw.standard_normal(w.shape) for w in linear.weights()]
    batch = linear.rows[0]
    derived = linear.observer.exact.at(
        weights, batch, vectors=[vector.astype(np.float32) for vector in vectors]
    )
    images, likely, wrong = softmax(linear.images, batch, *weights)
    assert derived.gradients[0] == pytest.approx(images.T @ wrong, abs=1e-6)
    assert derived.gradients[1] == pytest.approx(wrong.sum(0), abs=1e-6)
    assert derived.activations[0].numpy() == pytest.approx(wrong, abs=1e-6)
    along = images @ vectors[0] + vectors[1]
    turned = likely * (along - (likely * along).sum(1, keepdims=True)) / len(batch)
    assert derived.products[0] == pytest.approx(images.T @ turned, abs=1e-5)
    assert derived.products[1] == pytest.approx(turned.sum(0), abs=1e-5)
    right = likely[np.arange(len(batch)), linear.images.train_labels[batch[:, 0]]]
    assert derived.loss == pytest.approx(-np.log(right).mean(), rel=1e-5)


def test_hessian_products_are_finite_differences_of_gradients(float32):
    # Through batch normalisation in training, whose second derivative TensorFlow's own moments get wrong.
    weights, batch = float32.weights(), float32.rows[0]
    draw = np.random.default_rng(4)
    vectors = [draw.standard_normal(w.shape).astype(np.float32) for w in weights]
    at = float32.observer.exact.at
    h = np.float32(0.01)

    def moved(sign):
        there = [w + sign * h * v for w, v in zip(weights, vectors, strict=True)]
        return flat(at(there, batch, vectors=vectors).gradients)

    expected = (moved(1) - moved(-1)) / (2 * h)
    product = flat(at(weights, batch, vectors=vectors).products)
    assert np.linalg.norm(product - expected) < 5e-3 * np.linalg.norm(expected)


@pytest.mark.parametrize("run", ["float32", "mixed", "float16"])
def test_leaves_the_run_as_it_was(run, request):
    observed = request.getfixturevalue(run)
    before = observed.learner.snapshot()
    first = observed.observe(1)
    after = observed.learner.snapshot()
    assert all(np.array_equal(before[name], after[name]) for name in before | after)
    assert observed.observe(1) == first


@pytest.mark.parametrize("run", ["float32", "mixed", "float16"])
def test_rows_are_those_of_the_files(run, request):
    from sixteen.training.observer import OBSERVATIONS, TABLES

    observed = request.getfixturevalue(run)
    rows = observed.observe(3)
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert all(tuple(row) == TABLES[name] for name in rows for row in rows[name])
    assert all(row["epoch"] == 3 for name in rows for row in rows[name])
    tensors = [variable.path for variable in observed.model.trainable_variables]
    assert [row["tensor"] for row in rows["observations"]] == [*tensors, "all"]
    *parts, whole = rows["observations"]
    for column in OBSERVATIONS[2:]:
        if whole[column] is None or column == "gradient_cosine":
            continue
        if isinstance(whole[column], int):
            assert whole[column] == sum(part[column] for part in parts)
        else:
            # Relative alone: the squares of some columns are far below pytest's absolute tolerance.
            squares = sum(part[column] ** 2 for part in parts)
            assert whole[column] ** 2 == pytest.approx(squares, rel=1e-6, abs=0)


def empty(row):
    return {name for name, cell in row.items() if cell is None}


QUANTIZATION = {
    "quantization_error",
    "quantization_bound",
    "hessian_product",
    "gradient_change",
    "gradient_change_gap",
}
KINKS = {"held_change", "held_change_gap"}
ARITHMETIC = {"gradient_error", "gradient_cosine", "underflowed_gradients"}


def test_cells_that_mean_nothing_are_empty(float32, mixed, float16):
    assert empty(of_all(float32.observe(1))) == ARITHMETIC | KINKS
    assert empty(of_all(mixed.observe(1))) == KINKS
    assert empty(of_all(float16.observe(1))) == QUANTIZATION | KINKS
    assert mixed.observe(1)["kinks"] == float16.observe(1)["kinks"] == []  # no unit is rectified


def test_quantization_keeps_its_bound_and_the_mean_value_theorem_holds(float32, mixed):
    for observed in (float32, mixed):
        for row in observed.observe(1)["observations"]:
            assert row["quantization_error"] <= row["quantization_bound"]
        row = of_all(observed.observe(1))
        theta = flat(observed.weights())
        assert row["quantization_error"] == pytest.approx(
            np.linalg.norm(theta - theta.astype(np.float16)), rel=1e-6
        )
        # A smooth network: what a step of 2^-11 leaves of the second order is small.
        assert 0 < row["gradient_change_gap"] < 0.05 * row["gradient_change"]
        assert row["hessian_product"] == pytest.approx(row["gradient_change"], rel=0.05)


def test_what_the_hessian_misses_is_the_norm_of_a_difference():
    """By the textbook, where the cast moves far: biases of some hundreds, of which bfloat16 knows every second."""
    observed = Observed("linear", **NO_MOMENTUM)
    kernel, bias = observed.model.trainable_variables
    bias.assign([300.4, 300.9, 299.3])
    weights = [w.astype(np.float64) for w in observed.weights()]
    theirs = [kernel.numpy().astype("bfloat16").astype(np.float64), np.float64([300, 300, 300])]
    errors = [rounded - exact for rounded, exact in zip(theirs, weights, strict=True)]

    images, likely, wrong = softmax(observed.images, observed.rows[0], *weights)
    _, _, there = softmax(observed.images, observed.rows[0], *theirs)
    change = flat([images.T @ (there - wrong), (there - wrong).sum(0)])
    along = images @ errors[0] + errors[1]
    turned = likely * (along - (likely * along).sum(1, keepdims=True)) / BATCH
    product = flat([images.T @ turned, turned.sum(0)])

    rows = observed.observer.observe(1, observed.rows, observed.rate(), "bfloat16")
    row = of_all(rows)
    norm = np.linalg.norm
    assert row["quantization_error"] == pytest.approx(norm(flat(errors)), rel=1e-5)
    assert row["gradient_change"] == pytest.approx(norm(change), rel=1e-3)
    assert row["hessian_product"] == pytest.approx(norm(product), rel=1e-3)
    assert row["gradient_change_gap"] == pytest.approx(norm(change - product), rel=1e-2)
    # A difference of norms would be something else.
    assert norm(change - product) > 1.1 * abs(norm(change) - norm(product))


def test_derivatives_are_those_of_training_on_the_batch_without_dropout(float32):
    """Batch norm by the statistics of the batch, the penalty included."""
    import keras

    observed, batch = float32, float32.rows[0]
    (dropout,) = (x for x in observed.model.layers if isinstance(x, keras.layers.Dropout))
    pixels = observed.images.train_images[batch[:, 0]].astype(np.float32)
    before, dropout.rate = observed.learner.snapshot(), 0.0
    logits = observed.model((pixels - 120) / 80, training=True).numpy().astype(np.float64)
    dropout.rate = 0.5
    observed.learner.restore(before)
    labels = observed.images.train_labels[batch[:, 0]]
    likely = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    kernels = [v.numpy() for v in observed.model.trainable_variables if v.path.endswith("kernel")]
    penalty = 1e-4 * sum((kernel.astype(np.float64) ** 2).sum() for kernel in kernels)
    expected = penalty - likely[np.arange(BATCH), labels].mean()
    assert observed.observer.exact.at(observed.weights(), batch).loss == pytest.approx(
        expected, rel=1e-5
    )


def test_gradient_of_16_bit_arithmetic_is_near_but_not_equal(mixed, float16):
    for observed in (mixed, float16):
        row = of_all(observed.observe(1))
        assert 0 < row["gradient_error"] < 0.05 * row["gradient_norm"]
        assert 0.99 < row["gradient_cosine"] < 1


@pytest.mark.parametrize("storage", ["float16", "mixed_unscaled"])
def test_the_gradient_of_a_run_is_that_which_its_step_applies(storage):
    """A plain step of rate 1 moves weights by it: as far as they can tell, it is bit by bit that of the run."""
    observed = Observed("linear", storage, learning_rate=1.0, **NO_MOMENTUM)
    before = observed.weights()
    exact = observed.observer.exact.at([w.astype(np.float32) for w in before], observed.rows[0])
    _, gradient = observed.observer._gradients(before, observed.rows[0], exact)
    observed.train(observed.rows[:1])
    for weight, step, after in zip(before, gradient, observed.weights(), strict=True):
        assert np.array_equal(after, (weight - step.astype(weight.dtype)).astype(weight.dtype))
    assert not np.array_equal(flat(gradient), flat(exact.gradients))


def test_gradients_underflow_without_scale_and_less_with(float16):
    faint = {"deviation": 1e8}  # inputs of about 1e-6
    without = of_all(Observed("linear", "float16", **NO_MOMENTUM, **faint).observe(0))
    scaled = of_all(Observed("linear", "float16_static", **NO_MOMENTUM, **faint).observe(0))
    assert without["underflowed_gradients"] > scaled["underflowed_gradients"]
    assert without["gradient_cosine"] < scaled["gradient_cosine"]
    assert of_all(float16.observe(0))["underflowed_gradients"] == 0


@pytest.mark.parametrize("storage", ["float16", "mixed_unscaled"])
def test_a_penalty_hides_no_gradient_that_underflows(storage):
    """The gradient of L2 is no zero, and in float32 where weights stand in it; a backward pass loses as much beside it."""
    faint = {"deviation": 1e8, "momentum": 0.0}
    alone, penalized = (
        Observed("smooth", storage, l2=l2, **faint).observe(0) for l2 in (0.0, 1e-2)
    )
    lost = of_all(alone)["underflowed_gradients"]
    assert of_all(penalized)["underflowed_gradients"] == lost > 0
    assert of_all(penalized)["gradient_norm"] != of_all(alone)["gradient_norm"]
    assert penalized["exponents"] == alone["exponents"]


@pytest.mark.parametrize("rate", [0.001, 1.0])
def test_descent_is_a_plain_gradient_step(float16, rate):
    """At a rate where weights are lost to rounding, and at one where the loss bends: no term is small in both."""
    (row,) = float16.observer.observe(1, float16.rows, rate, "float16")["descent"]
    batch, labels = float16.rows[0], float16.images.train_labels
    weights, bias = (w.astype(np.float64) for w in float16.weights())
    images, likely, wrong = softmax(float16.images, batch, weights, bias)
    gradients = (images.T @ wrong, wrong.sum(0))
    assert row["learning_rate"] == pytest.approx(rate)
    stepped = [
        (w - rate * g).astype(np.float16).astype(np.float64)
        for w, g in zip((weights, bias), gradients, strict=True)
    ]

    def loss(likely):
        return -np.log(likely[np.arange(BATCH), labels[batch[:, 0]]]).mean()

    before, after = loss(likely), loss(softmax(float16.images, batch, *stepped)[1])
    # The step is that of the float16 gradient, whose last bits round a weight or two the other way.
    near = {"rel": 1e-2, "abs": 1e-3 * abs(before - after)}
    assert row["loss_before"] == pytest.approx(before, rel=1e-5)
    assert row["loss_after"] == pytest.approx(after, rel=1e-4)
    predicted = rate * (flat(gradients) ** 2).sum()
    assert row["predicted_decrease"] == pytest.approx(predicted, rel=1e-4)
    assert row["actual_decrease"] == pytest.approx(before - after, **near)
    assert row["remainder"] == pytest.approx(predicted - (before - after), **near)
    # What is left over is neither the decrease nor nothing.
    assert (
        min(abs(row["remainder"]), abs(abs(row["remainder"]) - abs(predicted))) > 0.05 * predicted
    )


def test_updates_of_float16_weights_are_lost_as_by_hand(float16):
    row = of_all(float16.observe(1))
    weights = float16.weights()
    *_, wrong = softmax(float16.images, float16.rows[0], *(w.astype(np.float64) for w in weights))
    images, *_ = softmax(float16.images, float16.rows[0], *weights)
    updates = flat([-0.001 * images.T @ wrong, -0.001 * wrong.sum(0)])
    before = flat(weights)
    lost = (before + updates).astype(np.float16) == before
    assert row["updates"] == len(updates)
    assert row["update_norm"] == pytest.approx(np.linalg.norm(updates), rel=1e-4)
    error = np.linalg.norm(updates - ((before + updates).astype(np.float16) - before))
    assert row["update_error"] == pytest.approx(error, rel=0.02)
    assert np.linalg.norm(updates[lost]) < row["update_error"] < row["update_norm"]
    assert 0 < lost.sum() < len(updates)
    # Updates within a rounding error of half a unit may go either way.
    assert abs(row["lost_updates"] - lost.sum()) <= 1


@pytest.mark.parametrize(
    "changes",
    [
        {},
        ADAM | {"optimizer": "adamw", "epsilon": 1e-4, "weight_decay": 0.1},
        {"clip_norm": 0.01},
    ],
    ids=["momentum", "adamw", "clipped"],
)
def test_the_intended_update_is_the_real_one_of_a_float32_run(changes):
    observed = Observed("linear", **changes, averaging=0.9)
    observed.train(observed.rows)
    before = observed.weights()
    gradients = observed.observer.exact.at(before, observed.rows[0]).gradients
    intended = observed.observer._intended(before, gradients, observed.rate())
    observed.train(observed.rows[:1])
    moved = flat(observed.weights()) - flat(before)
    assert flat(intended) == pytest.approx(moved, abs=3e-7)
    assert np.abs(moved).max() > 1e-4


@pytest.mark.parametrize("scale", [None, {"kind": "static", "factor": 8}], ids=["plain", "scaled"])
def test_intended_and_real_updates_come_from_one_gradient(scale, monkeypatch):
    """Also where the run drops units out, and where the loss of a float32 run is scaled."""
    from sixteen.training import theory

    compared = []
    monkeypatch.setattr(theory, "lost_updates", lambda *vectors: compared.append(vectors) or (1, 0))
    observed = Observed("smooth", scale=scale)
    observed.train(observed.rows)
    observed.observe(1)
    intended, before, after = compared[-1]
    assert flat([intended]) == pytest.approx(flat([after]) - flat([before]), abs=3e-7)
    assert np.abs(intended).max() > 1e-4


def test_a_step_that_is_skipped_has_no_updates(mixed):
    before = mixed.optimizer.dynamic_scale.numpy()
    mixed.optimizer.dynamic_scale.assign(2.0**60)
    row = of_all(mixed.observe(1))
    mixed.optimizer.dynamic_scale.assign(before)
    updates = {"updates", "lost_updates", "update_norm", "update_error"}
    assert updates | {"gradient_error", "gradient_cosine"} | KINKS == empty(row)


def test_exponents_count_every_gradient(float32):
    rows = float32.observe(1)["exponents"]
    sizes = {v.path: int(np.prod(v.shape)) for v in float32.model.trainable_variables}
    counted = dict.fromkeys(sizes, 0)
    for row in rows:
        if row["of"] == "weights":
            counted[row["tensor"]] += row["count"]
    assert counted == sizes
    activations = {"convolution": BATCH * 2 * 2 * 4, "head": BATCH * CLASSES}
    for name, size in activations.items():
        counts = [
            row["count"] for row in rows if (row["of"], row["tensor"]) == ("activations", name)
        ]
        assert sum(counts) == size


def test_exponents_are_powers_of_two():
    from sixteen.training import theory

    values = np.float32([0, -0.0, 1, -1.5, 2, 0.75, 2.0**-30, np.inf])
    assert list(theory.exponents(values)) == [(None, 2), (-30, 1), (-1, 1), (0, 2), (1, 1)]


def test_lost_updates_by_hand():
    from sixteen.training import theory

    before = np.float16([1, 1, 1, 0.001])
    intended = np.float32([1e-4, 1e-2, 0, 1e-6])
    after = before + intended.astype(np.float16)
    assert theory.lost_updates(intended, before, after) == (3, 1)


def test_the_error_of_an_update_is_what_is_lost_and_what_is_rounded():
    from sixteen.training import theory

    before, after = np.float32([1, 1, 1]), np.float32([1, 1.5, 0])
    intended = np.float32([3, 0.5, -5])  # lost, kept, rounded by 4
    assert theory.update_error(intended, before, after) == 5
    assert theory.update_error(np.float32([np.inf]), before[:1], after[:1]) is None


def test_cosines_and_norms_by_hand():
    from sixteen.training import theory

    one, other = np.float32([3, 4]), np.float32([4, -3])
    assert theory.norm(one) == 5
    assert theory.cosine(one, one) == pytest.approx(1)
    assert theory.cosine(one, other) == 0
    assert theory.cosine(one, -one) == pytest.approx(-1)
    assert theory.cosine(one, np.zeros(2)) is None
    assert theory.norm(np.float32([np.inf, 1])) is None
    assert theory.underflowed(np.float32([1e-9, 0, 1]), np.float32([0, 0, 1])) == 1


def test_units_that_cross_their_kink_are_counted_and_held_as_by_hand():
    observed = Observed("shallow", **NO_MOMENTUM)
    here = observed.weights()
    draw = np.random.default_rng(5)
    there = [w + np.float32(0.02) * draw.standard_normal(w.shape).astype(np.float32) for w in here]
    crossing = observed.observer.kinks.between(here, there, observed.rows[0])
    images, *_ = softmax(observed.images, observed.rows[0], np.zeros((SIDE**2, CLASSES)), 0)
    old, new = (images @ weights[0] + weights[1] > 0 for weights in (here, there))
    assert crossing.units == {"hidden": BATCH * 20}
    assert crossing.crossed == {"hidden": (old != new).sum()}
    assert 0 < (old != new).sum() < BATCH * 20 / 2
    hidden = (images @ there[0] + there[1]) * old
    logits = hidden @ there[2] + there[3]
    likely = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = observed.images.train_labels[observed.rows[0][:, 0]]
    wrong = (likely - np.eye(CLASSES)[labels]) / BATCH
    back = (wrong @ there[2].T) * old
    expected = [images.T @ back, back.sum(0), hidden.T @ wrong, wrong.sum(0)]
    assert flat(crossing.gradients) == pytest.approx(flat(expected), abs=1e-5)


def test_what_the_hessian_misses_is_gone_where_no_unit_crosses_its_kink():
    observed = Observed("kinked")
    observed.train(observed.rows)
    rows = observed.observe(1, "bfloat16")
    kinks = {row["layer"]: row for row in rows["kinks"]}
    assert list(kinks) == ["clipped", "hidden", "rectified", "all"]
    assert kinks["clipped"]["units"] == BATCH * 2 * 2 * 8
    for column in ("units", "crossed"):
        *parts, whole = (row[column] for row in kinks.values())
        assert whole == sum(parts) > 0
    row = of_all(rows)
    assert row["gradient_change_gap"] > 0.2 * row["gradient_change"]
    assert row["held_change_gap"] < 0.05 * row["held_change"]
    assert observed.observe(1, "bfloat16") == rows


def test_nothing_crosses_from_weights_to_themselves():
    observed = Observed("kinked")
    weights, batch = observed.weights(), observed.rows[0]
    crossing = observed.observer.kinks.between(weights, weights, batch)
    assert set(crossing.crossed.values()) == {0}
    gradients = observed.observer.exact.at(weights, batch).gradients
    assert flat(crossing.gradients) == pytest.approx(flat(gradients), abs=1e-6)


def epochs_of(folder):
    with (folder / "descent.csv").open() as file:
        return [int(row["epoch"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def watched_run(runner):
    """A training that two observations are planned with."""
    plans = [watched("often"), watched("seldom", every=3, cast_to="bfloat16")]
    return runner.run("watched", watched=plans)


def test_observing_while_training_doesnt_change_the_run(watched_run, trained):
    assert watched_run.deterministic() == trained.deterministic()
    assert watched_run.facts["observe_seconds"] > 0
    assert trained.facts["observe_seconds"] == 0


def test_takes_the_tables_that_the_training_has_left(runner, watched_run):
    seen = {}
    for name, epochs in (("often", [0, 2, 4]), ("seldom", [0, 3, 4])):
        folder, facts = runner.observe(name, watched_run.into, WATCH)
        assert facts["trained_again"] is False
        assert facts["observe_seconds"] == watched_run.facts["observe_seconds"]
        assert epochs_of(folder) == epochs
        assert {path.name for path in folder.iterdir()} == set(TABLES)
        with (folder / "observations.csv").open() as file:
            seen[name] = [row for row in csv.DictReader(file) if row["epoch"] == "0"]
    for half, brain in zip(seen["often"], seen["seldom"], strict=True):
        assert half["gradient_norm"] == brain["gradient_norm"]
        assert float(half["quantization_error"]) < float(brain["quantization_error"]) or (
            float(half["weight_norm"]) == 0 or half["tensor"].endswith(("gamma", "beta"))
        )


def test_trains_again_where_the_tables_are_missing_or_of_other_weights(
    runner, trained, watched_run
):
    live = runner.scratch("later") / "live"
    live.mkdir(parents=True)
    (live / "descent.csv").write_text("of another training")
    (live / "of.json").write_text('{"weights": "another", "observe_seconds": 1}')
    before = runner.observe("later", trained.into, WATCH, checkpoint_steps=2)
    again, facts = before
    assert facts["trained_again"] is True
    # Where no checkpoint of another run is believed, see `load_checkpoint`.
    assert load_checkpoint(runner.scratch("later") / "later" / CHECKPOINT)
    assert epochs_of(again) == [0, 2, 4]
    together = runner.scratch("often") / "live"
    assert bytes_of(again, TABLES) == bytes_of(together, TABLES)


def test_tables_that_a_training_left_are_believed_only_as_they_were_written(
    runner, trained, watched_run, tmp_path
):
    from sixteen.training.observe import _are_of
    from sixteen.training.watching import digest

    live = tmp_path / "live"
    shutil.copytree(runner.scratch("often") / "live", live)
    weights = digest(trained.into / "weights.safetensors")
    of = json.loads((live / "of.json").read_text())["weights"]
    assert _are_of(live, of) and not _are_of(live, weights[::-1])
    table = live / "observations.csv"
    table.write_bytes(table.read_bytes().replace(b"1", b"2", 1))
    assert not _are_of(live, of)
    (live / "of.json").write_text("{}")
    assert not _are_of(live, of)


def test_refuses_to_observe_a_run_whose_weights_come_out_differently(runner, trained):
    with pytest.raises(RuntimeError, match=r"UserError: expected the weights of .* came others"):
        runner.observe("other", trained.into, WATCH, seed=1)


def test_both_backends_observe_alike_under_a_dynamic_scale(runner):
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX isn't installed: there is nothing to compare with")
    seen, losses = [], []
    for backend in ("tensorflow", "jax"):
        plans = [watched(f"by-{backend}")]
        about = {"precision": "float16_scaled", "network": VIT, "until": 1, "watched": plans}
        trained = runner.run(f"observed-on-{backend}", backend=backend, **about)
        losses.append(trained.column("loss") + trained.column("test_loss"))
        with (runner.scratch(f"by-{backend}") / "live" / "observations.csv").open() as file:
            seen.append([row for row in csv.DictReader(file) if row["tensor"] == "all"])
    # Gradients of biases are summed in 16 bit by JAX alone.
    exact = {"weight_norm": 1e-6, "gradient_norm": 1e-4, "updates": 0.01, "lost_updates": 0.03}
    start, end = zip(*seen, strict=True)
    for (first, second), factor in ((start, 1), (end, 300)):
        for name, near in (exact | {"gradient_error": 0.15}).items():
            near = max(near, min(near * factor, 0.1))
            assert float(first[name]) == pytest.approx(float(second[name]), rel=near, abs=0), name
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert float(end[0]["weight_norm"]) != float(start[0]["weight_norm"])
