"""The encoder of sentence pairs: its weights, its arithmetic with and without grids, its mask, its counts."""

import os
import subprocess
import sys
from pathlib import Path

import attention_by_numpy as reference
import keras
import numpy as np
import pytest
from attention_by_numpy import HEADS, WIDTH
from lstm_by_numpy import affine, quantized
from pydantic import ValidationError
from scipy.special import ndtr
from small_networks import PRECISIONS, build, network, variables

from sixteen import networks
from sixteen.networks.parts import counting
from sixteen.networks.parts.attention import Attention
from sixteen.precision import quantizers
from sixteen.precision.layers import Layers, QuantizedDense
from sixteen.precision.proofs import check_dtypes
from sixteen.precision.quantizers import RANGE, GradientQuantizer

LENGTH, WORDS, CLASSES = 6, 9, 3
SHAPE = (LENGTH, WORDS)
BLOCKS, MLP = 2, 12
EVERY = PRECISIONS | {"quantized": quantized(8)}


def encoder(**changed):
    about = {"blocks": BLOCKS, "dimension": WIDTH, "heads": HEADS, "mlp": MLP, "dropout": 0.0}
    return network("encoder", **(about | changed))


def model_of(precision=PRECISIONS["float32"], entry=None, **about):
    return build(entry or encoder(), SHAPE, precision, classes=CLASSES, **about)


def pairs(batch=4):
    """Tokens, segments and mask of random rows, all but the first with padding."""
    draw = np.random.default_rng(1)
    tokens = draw.integers(1, WORDS, (batch, LENGTH)).astype(np.int32)
    mask = np.arange(LENGTH) < np.array([LENGTH, *draw.integers(2, LENGTH, batch - 1)])[:, None]
    segments = (np.arange(LENGTH) > 1).astype(np.int32) * mask
    return [tokens * mask, segments.astype(np.int32), mask]


def drawn(model):
    """Float32 weights by name after all of them, norms and biases as well, were drawn anew."""
    draw = np.random.default_rng(0)
    for weight in model.trainable_variables:
        values = draw.normal(0, 0.3, weight.shape)
        weight.assign(values + 1 if "gamma" in weight.path else values)
    return variables(model)


def logits_of(w, tokens, segments, mask, bits=32):
    """BERT's forward pass (arXiv:1810.04805; HuggingFace's names of steps), on grids of that many bits."""

    def dense(x, name):
        kernel = affine(w[f"{name}/kernel"], bits, 0)
        return affine(x, bits, None) @ kernel + affine(w[f"{name}/bias"], bits, None)

    def norm(x, name):
        deviation = np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return (x - x.mean(-1, keepdims=True)) / deviation * w[f"{name}/gamma"] + w[f"{name}/beta"]

    x = w["words/embeddings"][tokens] + w["segment/embeddings"][segments]
    x = norm(x + w["positions/embeddings"], "embeddings_norm")
    for name in ("block1", "block2"):
        parts = [dense(x, f"{name}_{part}") for part in ("query", "key", "value")]
        y = dense(reference.ByNumpy(parts, mask, bits, 32).result, f"{name}_output")
        x = norm(x + y, f"{name}_norm1")
        y = dense(x, f"{name}_dense1")
        x = norm(x + dense(y * ndtr(y), f"{name}_dense2"), f"{name}_norm2")
    return dense(np.tanh(dense(x[:, 0], "pooler")), "classifier")


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_logits_are_those_of_an_independent_forward_pass(dropout):
    model = model_of(entry=encoder(dropout=dropout))
    weights = {name: values.astype(np.float64) for name, values in drawn(model).items()}
    found = np.asarray(model(pairs(), training=False))
    wanted = logits_of(weights, *pairs())
    assert wanted.shape == (4, CLASSES) and wanted.std(0).min() > 1e-2
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_logits_on_grids_are_those_of_numpy(training):
    model = model_of(quantized(8))
    wanted = logits_of(drawn(model), *pairs(), bits=8)
    # Float32 rounds otherwise in another order, which moves a few numbers by a step of their grid.
    assert np.asarray(model(pairs(), training=training)) == pytest.approx(wanted, abs=0.02)
    few = model_of(quantized(4))
    wanted = logits_of(drawn(few), *pairs(), bits=4)
    assert np.asarray(few(pairs(), training=training)) == pytest.approx(wanted, abs=0.15)
    assert np.abs(logits_of(drawn(few), *pairs()) - wanted).max() > 0.2


def test_what_stands_at_padding_is_without_effect():
    tokens, segments, mask = pairs()
    others = np.where(mask, tokens, 5), np.where(mask, segments, 1)
    assert not np.array_equal(others[0], tokens)
    model = model_of()
    drawn(model)
    found = np.asarray(model([tokens, segments, mask]))
    assert np.array_equal(found, np.asarray(model([*others, mask])))
    assert np.abs(found - np.asarray(model([tokens, segments, mask | True])))[1:].max() > 1e-3


GRIDS = [(3, 4), (8, 8), (4, 32), (32, 4), (32, 32)]


@pytest.mark.parametrize(("bits", "gradients"), GRIDS)
def test_attention_on_grids_is_that_of_numpy_forward_and_backward(bits, gradients):
    reference.check("tensorflow", bits, gradients)


def test_attention_on_grids_is_that_of_numpy_on_jax_too():
    pytest.importorskip("jax", reason="JAX isn't installed")
    program = f"""
import sys
sys.path[:0] = [{str(Path(__file__).parent)!r}]
from sixteen.training import backends
backends.start("jax", 1)
import attention_by_numpy
for bits, gradients in {GRIDS}:
    attention_by_numpy.check("jax", bits, gradients)
print("checked")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=dict(os.environ), capture_output=True, text=True
    )
    assert done.stdout.strip() == "checked", done.stderr


def test_attention_takes_the_ranges_of_the_batch_in_tests_too():
    layer = reference.made(quantized(3))
    inputs, *_ = reference.drawn()
    layer(*inputs * np.float32(9), reference.MASK, training=True)
    wanted = reference.ByNumpy(inputs, reference.MASK, 3, 32).result
    found = np.asarray(layer(*inputs, reference.MASK, training=False))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    assert not [weight for weight in layer.weights if RANGE in weight.path]


def test_gradients_of_a_dense_layer_have_a_range_for_each_place_but_for_the_last_two_layers(
    monkeypatch,
):
    import tensorflow as tf

    monkeypatch.setattr(quantizers, "uniform", lambda shape, *_: tf.zeros(shape))
    model = model_of(quantized(32, gradients=3))
    dense = {layer.name: layer for layer in model.layers if isinstance(layer, QuantizedDense)}
    assert len(dense) == 6 * BLOCKS + 2
    draw = np.random.default_rng(3)
    for name, layer in dense.items():
        one = name in ("pooler", "classifier")
        shape = (4, WIDTH) if one else (4, LENGTH, layer.kernel.shape[0])
        x = tf.constant(draw.normal(0, 1, shape).astype(np.float32))
        upstream = draw.normal(0, 1, (*shape[:-1], layer.units)).astype(np.float32)
        with tf.GradientTape() as tape:
            y = layer(x, training=True)
        found = tape.gradient(y, layer.bias.value, output_gradients=tf.constant(upstream))
        on_grid = affine(upstream, 3, None if one else (0, 2))
        wanted = on_grid.reshape(-1, layer.units).sum(0)
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", EVERY)
def test_every_precision_starts_from_the_same_numbers_and_keeps_what_it_promises(name):
    precision, start = EVERY[name], variables(model_of())
    model = model_of(precision)
    check_dtypes(model, keras.optimizers.SGD(0.01), precision)
    held = {v.path: v for v in model.weights if not v.path.endswith(RANGE)}
    assert set(held) == set(start)
    for path, values in start.items():
        rounded = keras.ops.cast(values, held[path].dtype)
        assert np.array_equal(held[path].numpy(), rounded.numpy())
    logits = model(pairs(), training=True)
    assert keras.backend.standardize_dtype(logits.dtype) == precision.compute
    digits = {"float32": 1e-5, "float16": 5e-3, "bfloat16": 5e-2}[precision.compute]
    digits = 0.05 if name == "quantized" else digits
    wanted = logits_of(start, *pairs())
    assert np.asarray(keras.ops.cast(logits, "float32")) == pytest.approx(wanted, abs=digits)


def test_32_bits_are_float32():
    model, plain = model_of(quantized(8)), model_of()
    with quantizers.at(32):
        assert np.array_equal(np.asarray(model(pairs())), np.asarray(plain(pairs())))


def test_seed_decides_weights_dropout_and_noise():
    entry = encoder(dropout=0.5)
    ones, again, others = (model_of(quantized(8), entry, seed=seed) for seed in (0, 0, 1))
    found = [variables(model) for model in (ones, again, others)]
    for name, values in found[0].items():
        assert np.array_equal(values, found[1][name])
        assert np.array_equal(values, found[2][name]) == (
            not (name.endswith(("kernel", "embeddings")))
        )
    first, second, third = (np.asarray(m(pairs(), training=True)) for m in (ones, again, again))
    assert np.array_equal(first, second) and not np.array_equal(second, third)
    states = [v.numpy().tolist() for v in others.variables if "seed" in v.path]
    # Noise of each dense layer and of two products a block; dropout of embeddings, pooler, and thrice a block.
    expected = (6 * BLOCKS + 2) + 2 * BLOCKS + 2 + 3 * BLOCKS
    assert len({tuple(state) for state in states}) == len(states) == expected


def test_shares_of_the_attention_are_dropped_in_training_alone():
    inputs, *_ = reference.drawn()
    dropout = keras.layers.Dropout(0.5, seed=0)
    layer = Attention(HEADS, dropout, Layers(PRECISIONS["float32"], 0))
    kept = reference.ByNumpy(inputs, reference.MASK, 32, 32).result
    assert np.asarray(layer(*inputs, reference.MASK)) == pytest.approx(kept, abs=1e-5)
    values = np.ones_like(inputs[2])
    found = np.asarray(layer(*inputs[:2], values, reference.MASK, training=True))
    # Shares that are kept count twice; without dropout they add up to one.
    assert found.std() > 0.1 and found.mean() == pytest.approx(1, abs=0.3)


def test_layers_and_cost_are_those_of_the_built_network():
    for blocks in (1, 3):
        entry = encoder(blocks=blocks, dropout=0.1)
        for precision in (PRECISIONS["float32"], quantized()):
            model = model_of(precision, entry)
            assert networks.layers(entry) == counting.layers_of(model) == 6 * blocks + 2
            assert networks.cost(entry, SHAPE, CLASSES) == counting.cost_of(model)
    a_token = 4 * WIDTH**2 + 2 * WIDTH * LENGTH + 2 * WIDTH * MLP
    assert networks.cost(entry, SHAPE, CLASSES) == 3 * LENGTH * a_token + WIDTH**2 + WIDTH * CLASSES
    model = model_of()
    tokens = 5 + 11 * BLOCKS  # outputs of the size of the tokens: embeddings' sums, norms, dropouts
    assert counting.activation_elements(model) > tokens


def test_l2_is_on_every_kernel_and_on_nothing_else():
    model = model_of(l2=0.5)
    kernels = [v for path, v in variables(model).items() if path.endswith("kernel")]
    assert len(kernels) == 6 * BLOCKS + 2
    wanted = 0.5 * sum(np.square(kernel).sum() for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(wanted, rel=1e-4)
    assert not model_of().losses


def test_heads_must_divide_the_dimension():
    with pytest.raises(ValidationError, match=r"multiple of `heads`, 3, came 8"):
        encoder(heads=3)


def test_an_encoder_tells_what_stays_in_float32():
    told = networks.unquantized(encoder())
    for part in ("embeddings", "layer normalisation", "softmax", "residual sums", "dropout"):
        assert part in told
    noisy = [x for x in model_of(quantized())._flatten_layers() if isinstance(x, GradientQuantizer)]
    assert len(noisy) == 8 * BLOCKS + 2
