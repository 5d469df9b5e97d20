"""Quantizers against NumPy, bit for bit where neither side fuses operations."""

import numpy as np
import pytest

from sixteen.precision.bits import Static
from sixteen.precision.entry import FLOAT32, Quantized

keras = pytest.importorskip("keras")
BITS = [2, 3, 5, 8, 16]
AXES = [None, (0,), (1,), (0, 1)]


@pytest.fixture(scope="module", autouse=True)
def quantizers():
    from sixteen.training import backends

    backends.start("tensorflow", threads=1)
    from sixteen.precision import quantizers

    return quantizers


def quantized(**changes) -> Quantized:
    about = {"low": 3, "high": 4, "gradients": 5, "ranges": "moving", "bits": Static(kind="static")}
    return Quantized(**(FLOAT32.model_dump() | about | changes))


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.3, 2, shape).astype(np.float32)


def affine(x, bits, axes=None, noise=0):
    """The formula of the paper, in float32: rint(clip((x - min) / scale, 0, 2^b - 1)) scale + min."""
    least, most = x.min(axis=axes, keepdims=True), x.max(axis=axes, keepdims=True)
    scale = np.maximum((most - least) / np.float32(2**bits - 1), np.float32(1e-8))
    place = np.clip((x - least) / scale + np.float32(noise), np.float32(0), np.float32(2**bits - 1))
    return np.rint(place) * scale + least


def gradient_of(function, x):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x := tf.constant(x))
        y = function(x)
    return y, lambda upstream: tape.gradient(y, x, tf.constant(upstream)).numpy()


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("axes", AXES)
def test_numbers_go_to_the_nearest_of_the_grid_bit_for_bit(quantizers, bits, axes):
    x = numbers(7, 5, 3)
    found = quantizers.fake_quantize(x, bits, axes).numpy()
    assert np.array_equal(found, affine(x, bits, axes))
    assert len(np.unique(found)) <= 2**bits * (x.size // affine(x, 2, axes).size + 105)
    if axes is None:
        assert len(np.unique(found)) <= 2**bits


def test_each_range_has_its_own_grid(quantizers):
    x = numbers(50, 3) * np.float32([0.01, 1, 100])
    found = quantizers.fake_quantize(x, 3, (0,)).numpy()
    for column in range(3):
        assert len(np.unique(found[:, column])) <= 8
        step = np.ptp(x[:, column]) / 7
        assert np.abs(found - x)[:, column].max() <= step / 2 * 1.0001
    whole = quantizers.fake_quantize(x, 3, None).numpy()
    assert len(np.unique(whole)) <= 8


def test_ties_go_to_the_even_place(quantizers):
    # A grid of 0 to 7 in whole steps.
    x = np.float32([0, 0.5, 1.5, 2.5, 3.5, 7])
    assert list(quantizers.fake_quantize(x, 3, None).numpy()) == [0, 0, 2, 2, 4, 7]


def test_32_bits_are_the_identity_and_an_empty_range_is_kept(quantizers):
    x = numbers(40, 5)
    assert np.array_equal(quantizers.fake_quantize(x, 32, None).numpy(), x)
    same = np.full((4, 2), 0.1, np.float32)
    assert np.array_equal(quantizers.fake_quantize(same, 3, None).numpy(), same)


@pytest.mark.parametrize("bits", [3, 32])
def test_gradients_pass_straight_through(quantizers, bits):
    x, upstream = numbers(6, 4), numbers(6, 4, seed=1)
    _, pull = gradient_of(lambda x: quantizers.fake_quantize(x, bits, None), x)
    assert np.array_equal(pull(upstream), upstream)


def test_what_is_traced_has_the_present_bits_and_else_the_most(quantizers):
    x, quantizer = numbers(30, 4), quantizers.ForwardQuantizer(quantized(), (0,))
    with quantizers.at(3):
        assert np.array_equal(quantizer(x).numpy(), affine(x, 3, (0,)))
        with quantizers.at(2):
            assert np.array_equal(quantizer(x).numpy(), affine(x, 2, (0,)))
        assert np.array_equal(quantizer(x).numpy(), affine(x, 3, (0,)))
    assert np.array_equal(quantizer(x).numpy(), affine(x, 4, (0,)))


@pytest.mark.parametrize("axes", AXES)
def test_gradients_are_rounded_with_noise_bit_for_bit(quantizers, axes):
    x, upstream = numbers(6, 4, 3), numbers(6, 4, 3, seed=1)
    noise = np.random.default_rng(2).uniform(-0.5, 0.5, x.shape).astype(np.float32)
    y, pull = gradient_of(lambda x: quantizers.round_gradient(x, noise, 5, axes), x)
    assert np.array_equal(y.numpy(), x)
    assert np.array_equal(pull(upstream), affine(upstream, 5, axes, noise))


def test_the_expectation_of_a_rounded_gradient_is_the_gradient(quantizers):
    upstream, draws = np.float32([[-1, -0.31, 0.0001, 0.2, 0.77, 1.4]]), 4000
    many = np.repeat(upstream, draws, axis=0)
    quantizer = quantizers.GradientQuantizer(quantized(gradients=3), (1,), seed=0)
    _, pull = gradient_of(lambda x: quantizer(x, training=True), many)
    found, step = pull(many), 2.4 / 7
    assert len(np.unique(found, axis=0)) > 2
    # The standard error of the mean of numbers that are a step apart is at most half a step over the root.
    assert np.abs(found.mean(axis=0) - upstream).max() < 5 * step / 2 / draws**0.5
    assert (
        np.abs(found[:, [0, 5]] - many[:, [0, 5]]).max() < 1e-6
    )  # the ends are numbers of the grid
    nearest = affine(upstream, 3)
    assert (
        np.abs(nearest - upstream).max() > 5 * step / 2 / draws**0.5
    )  # which rounding to nearest is not


def test_noise_differs_from_step_to_step_and_by_seed_and_goes_on_from_its_state(quantizers):
    x, upstream = numbers(8, 5), numbers(8, 5, seed=1)

    def pulled(quantizer):
        return gradient_of(lambda x: quantizer(x, training=True), x)[1](upstream)

    one, same, other = (quantizers.GradientQuantizer(quantized(), None, s) for s in (3, 3, 4))
    first, second = pulled(one), pulled(one)
    assert np.array_equal(pulled(same), first)
    assert not np.array_equal(first, second)
    assert not np.array_equal(pulled(other), first)
    (state,) = same.variables
    kept = state.numpy()
    assert np.array_equal(pulled(same), second)
    state.assign(kept)
    assert np.array_equal(pulled(same), second)


def test_gradients_of_32_bits_and_those_of_tests_are_left_alone(quantizers):
    x, upstream = numbers(8, 5), numbers(8, 5, seed=1)
    for settings, training in (({"gradients": 32}, True), ({}, False)):
        quantizer = quantizers.GradientQuantizer(quantized(**settings), None, 0)
        _, pull = gradient_of(lambda x, q=quantizer, t=training: q(x, training=t), x)
        assert np.array_equal(pull(upstream), upstream)


@pytest.mark.parametrize("ranges", ["moving", "corrected"])
def test_a_moving_range_is_the_batchs_in_training_and_the_average_in_tests(quantizers, ranges):
    quantizer = quantizers.MovingQuantizer(quantized(ranges=ranges))
    batches = [numbers(9, 4, seed=seed) * np.float32(1 + seed) for seed in range(3)]
    fresh = quantizer(batches[0], training=False).numpy()
    assert np.array_equal(fresh, affine(batches[0], 4))  # before any batch
    least = width = share = 0.0
    for x in batches:
        assert np.array_equal(quantizer(x, training=True).numpy(), affine(x, 4))
        least, width = 0.9 * least + 0.1 * x.min(), 0.9 * width + 0.1 * np.ptp(x)
        share = 0.9 * share + 0.1
    if ranges == "corrected":
        least, width = least / share, width / share
    x = batches[0] * 100
    found, step = quantizer(x, training=False).numpy(), width / 15
    wanted = np.rint(np.clip((x - least) / step, 0, 15)) * step + least
    assert found == pytest.approx(wanted, rel=1e-5)
    assert found.max() == pytest.approx(
        least + width, rel=1e-5
    )  # what is beyond the range becomes its end
    assert [weight.path.rpartition("/")[2] for weight in quantizer.weights] == [quantizers.RANGE]


def test_a_quantized_dense_layer_computes_by_hand_what_it_says(quantizers):
    from sixteen.precision.layers import Layers

    x, upstream = numbers(6, 4), numbers(6, 3, seed=1)
    layer = Layers(quantized(gradients=32), 0).dense(units=3, name="dense")
    layer.build((None, 4))
    kernel, bias = numbers(4, 3, seed=2), numbers(3, seed=3)
    layer.kernel.assign(kernel)
    layer.bias.assign(bias)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(given := tf.constant(x))
        y = layer(given, training=True)
    on = {"x": affine(x, 4), "w": affine(kernel, 4, (0,)), "b": affine(bias, 4)}
    assert y.numpy() == pytest.approx(on["x"] @ on["w"] + on["b"], rel=1e-5, abs=1e-5)
    watched = [given, layer.kernel.value, layer.bias.value]
    dx, dw, db = tape.gradient(y, watched, tf.constant(upstream))
    assert dx.numpy() == pytest.approx(upstream @ on["w"].T, rel=1e-5, abs=1e-5)
    assert dw.numpy() == pytest.approx(on["x"].T @ upstream, rel=1e-5, abs=1e-5)
    assert db.numpy() == pytest.approx(upstream.sum(axis=0), rel=1e-5, abs=1e-5)


def test_gradients_of_a_layer_are_computed_from_the_rounded_one(quantizers):
    from sixteen.precision.layers import Layers

    x, upstream = numbers(50, 4), numbers(50, 1, seed=1)
    layer = Layers(quantized(gradients=2), 0).dense(units=1, use_bias=True, name="dense")
    import tensorflow as tf

    with tf.GradientTape() as tape:
        y = layer(tf.constant(x), training=True)
    got = tape.gradient(y, layer.bias.value, tf.constant(upstream)).numpy()
    ends = upstream.min(), np.ptp(upstream)
    # A sum of fifty of the four numbers of the grid.
    steps = (got - 50 * ends[0]) / (ends[1] / 3)
    assert steps == pytest.approx(np.rint(steps), abs=1e-3)
    assert abs(steps - (upstream.sum() - 50 * ends[0]) / (ends[1] / 3)) > 1e-3


def test_a_quantized_convolution_has_a_range_for_each_filter(quantizers):
    from sixteen.precision.layers import Layers

    x, kernel = numbers(2, 5, 5, 2), numbers(3, 3, 2, 4, seed=1) * np.float32([1, 10, 100, 0.1])
    layer = Layers(quantized(), 0).convolution(
        filters=4, kernel_size=3, use_bias=False, name="conv"
    )
    layer.build((None, 5, 5, 2))
    layer.kernel.assign(kernel)
    plain = keras.ops.conv(affine(x, 4), affine(kernel, 4, (0, 1, 2)), 1, "valid").numpy()
    assert layer(x, training=True).numpy() == pytest.approx(plain, rel=1e-4, abs=1e-4)


def test_layers_are_keras_own_where_nothing_is_quantized(quantizers):
    from sixteen.precision.layers import Layers

    layers = Layers(FLOAT32, 0)
    assert type(layers.dense(units=3)) is keras.layers.Dense
    assert type(layers.convolution(filters=3, kernel_size=1)) is keras.layers.Conv2D
