"""Graph convolutional networks against NumPy, in float and on grids, and how they are counted."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import PRECISIONS, build, network, variables

from sixteen import networks
from sixteen.precision import quantizers
from sixteen.precision.bits import Static
from sixteen.precision.entry import FLOAT32, Quantized
from sixteen.precision.proofs import check_dtypes

FEATURES, CLASSES = 5, 3
ASKED = np.array([6, 2, 1], np.int32)  # of unlike degrees


def gcn(hidden=4, layers=3, dropout=0.0, aggregation="full"):
    return network("gcn", hidden=hidden, layers=layers, dropout=dropout, aggregation=aggregation)


def on_grids(bits, gradients=8):
    about = {"low": 2, "high": bits, "gradients": gradients, "ranges": "moving"}
    return Quantized(**FLOAT32.model_dump(), **about, bits=Static(kind="static"))


def graph(nodes=8, seed=0):
    """Features, edges, degrees and the nodes that are asked for; node 1 has no edge, and node 2 most."""
    features = np.random.default_rng(seed).normal(0.2, 1, (nodes, FEATURES)).astype(np.float32)
    pairs = [(0, 2), (2, 3), (2, 4), (2, 5), (3, 4), (6, 7), (5, 6), (0, 7)]
    edges = np.array(sorted({(t, s) for a, b in pairs for s, t in ((a, b), (b, a))}), np.int32)
    edges = edges.T[::-1].copy()
    return features, edges, np.bincount(edges[1], minlength=nodes).astype(np.int32), ASKED


def grid(x, bits, rows=True):
    """The affine quantizer in float32, over rows or the whole tensor; 32 bits are the identity."""
    if bits == 32:
        return x
    axis = -1 if rows else None
    least, most = x.min(axis=axis, keepdims=True), x.max(axis=axis, keepdims=True)
    step = np.maximum((most - least) / np.float32(2**bits - 1), np.float32(1e-8))
    return np.rint(np.clip((x - least) / step, 0, np.float32(2**bits - 1))) * step + least


def reference(weights, entry, inputs, bits=32):
    """Logits with the adjacency as a matrix, in the order of operations of the authors' code."""
    x, edges, degrees, asked = inputs
    adjacency = np.zeros((len(x), len(x)), np.float32)
    adjacency[edges[1], edges[0]] = 1
    scale = (1 / np.sqrt(np.maximum(degrees, 1)).astype(np.float32))[:, None]
    of_sums = bits if entry.aggregation == "quantized" else 32
    for layer in range(1, entry.layers + 1):
        kernel, bias = weights[f"conv{layer}/kernel"], weights[f"conv{layer}/add/bias"]
        x = grid(x, of_sums) * scale
        if kernel.shape[0] > kernel.shape[1]:
            x = adjacency @ grid(grid(x, bits) @ grid(kernel, bits), of_sums)
        else:
            x = grid(adjacency @ grid(x, of_sums), bits) @ grid(kernel, bits)
        x = grid(x, of_sums) * scale
        x = grid(x, bits) + grid(bias, bits, rows=False)
        if layer < entry.layers:
            x = np.maximum(x, 0)
            x = (x - x.mean()) / np.sqrt(x.var() + np.float32(1e-5))
    return x[asked]


def with_biases(model):
    """Biases begin at zero: others, so that they are seen."""
    draw = np.random.default_rng(1)
    for variable in model.weights:
        if variable.path.endswith("bias"):
            variable.assign(draw.normal(0, 1, variable.shape))
    return model


def called(model, inputs, precision=FLOAT32, training=False):
    features, *others = (keras.ops.convert_to_tensor(part) for part in inputs)
    return model([keras.ops.cast(features, precision.compute), *others], training=training)


@pytest.mark.parametrize("hidden", [4, 8])
def test_logits_are_those_of_numpy(hidden):
    """With 8 hidden features the first layer sums first and the last multiplies first; with 4 both multiply first."""
    model = with_biases(build(gcn(hidden), (FEATURES,), classes=CLASSES))
    found = called(model, graph()).numpy()
    wanted = reference(variables(model), gcn(hidden), graph())
    assert found == pytest.approx(wanted, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("aggregation", ["full", "quantized"])
@pytest.mark.parametrize("hidden", [4, 8])
@pytest.mark.parametrize("bits", [2, 3, 8])
def test_logits_on_grids_are_those_of_numpy(bits, hidden, aggregation):
    entry = gcn(hidden, aggregation=aggregation)
    model = with_biases(build(entry, (FEATURES,), precision=on_grids(bits), classes=CLASSES))
    for training in (True, False):  # ranges are those of the batch in tests too
        shares = []
        for inputs in (graph(seed=seed) for seed in range(5)):
            wanted = reference(variables(model), entry, inputs, bits)
            found = called(model, inputs, training=training).numpy()
            shares.append(np.mean(np.abs(found - wanted) < 1e-4))
            assert found == pytest.approx(wanted, abs=0.05 if bits == 8 else 2)
        # Float32 rounds otherwise in another order, and on another processor, which moves a number by a step of its grid now
        # and then; the normalisation of the whole tells all others.
        assert np.median(shares) > 0.8


def test_sums_on_grids_are_another_network():
    models = [
        with_biases(
            build(gcn(aggregation=how), (FEATURES,), precision=on_grids(3), classes=CLASSES)
        )
        for how in ("full", "quantized")
    ]
    full, quantized = (called(model, graph()).numpy() for model in models)
    assert not np.allclose(full, quantized, atol=1e-3)


@pytest.mark.parametrize("aggregation", ["full", "quantized"])
def test_gradients_come_back_on_grids_as_by_hand(aggregation, monkeypatch):
    """One layer, which multiplies first, and no noise, so that NumPy can do the same."""
    monkeypatch.setattr(quantizers, "uniform", lambda shape, *_: tf.zeros(shape))
    entry = gcn(layers=1, aggregation=aggregation)
    model = build(entry, (FEATURES,), precision=on_grids(8, gradients=3), classes=CLASSES)
    features, edges, degrees, asked = graph()
    upstream = np.random.default_rng(2).normal(0, 1, (len(asked), CLASSES)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(called(model, graph(), training=True) * upstream)
    found = tape.gradient(loss, model.trainable_variables)
    adjacency = np.zeros((8, 8), np.float32)
    adjacency[edges[1], edges[0]] = 1
    scale = (1 / np.sqrt(np.maximum(degrees, 1)))[:, None].astype(np.float32)
    of_sums, of_gradients = (8, 3) if aggregation == "quantized" else (32, 32)
    gradient = np.zeros((8, CLASSES), np.float32)
    gradient[asked] = upstream
    of_bias = grid(gradient, 3, rows=False)
    gradient = grid(of_bias, of_gradients, rows=False) * scale
    gradient = adjacency.T @ grid(gradient, of_gradients, rows=False)
    multiplied = grid(grid(features, of_sums) * scale, 8)
    of_kernel = multiplied.T @ grid(gradient, 3, rows=False)
    by_path = {v.path: g for v, g in zip(model.trainable_variables, found, strict=True)}
    assert by_path["conv1/add/bias"].numpy() == pytest.approx(of_bias.sum(0), abs=1e-5)
    assert by_path["conv1/kernel"].numpy() == pytest.approx(of_kernel, abs=1e-5)


def test_each_gradient_has_a_noise_of_its_own():
    from sixteen.precision.quantizers import GradientQuantizer

    for aggregation, count in (("full", 2), ("quantized", 5)):
        entry = gcn(layers=2, aggregation=aggregation)
        layers = build(entry, (FEATURES,), precision=on_grids(8), classes=CLASSES)._flatten_layers()
        seeds = {
            int(layer.seed_generator.state.numpy()[0])
            for layer in layers
            if isinstance(layer, GradientQuantizer)
        }
        assert len(seeds) == 2 * count


@pytest.mark.parametrize("precision", PRECISIONS.values(), ids=PRECISIONS)
def test_every_precision_starts_from_the_same_numbers(precision):
    start = variables(build(gcn(), (FEATURES,), classes=CLASSES))
    model = build(gcn(), (FEATURES,), precision=precision, classes=CLASSES)
    check_dtypes(model, keras.optimizers.SGD(0.01), precision)
    for variable in model.weights:
        rounded = keras.ops.cast(start[variable.path], variable.dtype)
        assert np.array_equal(variable.numpy(), rounded.numpy()), variable.path
    logits = called(model, graph(), precision)
    assert keras.backend.standardize_dtype(logits.dtype) == precision.compute
    digits = {"float32": 1e-5, "float16": 2e-2, "bfloat16": 2e-1}[precision.compute]
    wanted = reference(start, gcn(), graph())
    assert np.asarray(keras.ops.cast(logits, "float32")) == pytest.approx(wanted, abs=digits)


def test_grids_start_from_the_same_numbers_and_32_bits_are_float32():
    start = variables(model := build(gcn(), (FEATURES,), classes=CLASSES))
    quantized = build(gcn(), (FEATURES,), precision=on_grids(8), classes=CLASSES)
    weights = variables(quantized)
    assert set(weights) == set(start)
    assert all(np.array_equal(weights[path], start[path]) for path in start)
    with quantizers.at(32):
        assert np.array_equal(called(quantized, graph()), called(model, graph()))


def test_dropout_is_drawn_in_training_alone():
    model = build(gcn(dropout=0.5), (FEATURES,), classes=CLASSES)
    once, again = (called(model, graph(), training=True).numpy() for _ in range(2))
    assert not np.allclose(once, again)
    assert np.array_equal(called(model, graph()), called(model, graph()))


def test_kernels_are_xavier_uniform_and_biases_zero_and_the_seed_decides():
    model = build(gcn(hidden=64), (50,), classes=CLASSES, seed=3)
    weights = variables(model)
    kernel = weights["conv2/kernel"]
    limit = np.sqrt(6 / (64 + 64))
    assert 0.98 * limit < np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    assert not any(weights[f"conv{layer}/add/bias"].any() for layer in (1, 2, 3))
    other = variables(build(gcn(hidden=64), (50,), classes=CLASSES, seed=4))
    assert not np.array_equal(other["conv2/kernel"], kernel)


def test_layers_and_cost_are_those_of_the_built_network():
    entry = gcn(hidden=7, layers=4)
    model = build(entry, (FEATURES,), classes=6)
    kernels = [v for path, v in variables(model).items() if path.endswith("kernel")]
    assert networks.layers(entry) == len(kernels) == 4
    cost = sum(kernel.size for kernel in kernels)
    assert networks.cost(entry, (FEATURES,), 6) == cost == 5 * 7 + 2 * 7 * 7 + 7 * 6
    assert networks.cost(gcn(512), (128,), 40) == 128 * 512 + 512 * 512 + 512 * 40
    assert networks.cost(gcn(layers=1), (5,), 6) == 30
    assert len(networks.unquantized(entry)) == 5


def test_l2_is_on_every_kernel_and_on_nothing_else():
    model = build(gcn(), (FEATURES,), classes=CLASSES, l2=0.5)
    kernels = [v for path, v in variables(model).items() if path.endswith("kernel")]
    wanted = 0.5 * sum(float(np.square(kernel).sum()) for kernel in kernels)
    assert sum(map(float, model.losses)) == pytest.approx(wanted, rel=1e-4)
    assert not build(gcn(), (FEATURES,), classes=CLASSES).losses


JAX = """
import json, sys
sys.path[:0] = [{here!r}]
from sixteen.training import backends
backends.start("jax", 1)
import numpy as np
from test_gcn import build, called, gcn, graph, on_grids, with_biases
told = []
for aggregation in ("full", "quantized"):
    for hidden in (4, 8):
        entry = gcn(hidden, aggregation=aggregation)
        model = with_biases(build(entry, (5,), precision=on_grids(8), classes=3))
        told.append(np.asarray(called(model, graph())).tolist())
print(json.dumps(told))
"""


def test_jax_gives_the_same_logits():
    pytest.importorskip("jax")
    program = JAX.format(here=str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for aggregation in ("full", "quantized"):
        for hidden in (4, 8):
            entry = gcn(hidden, aggregation=aggregation)
            model = with_biases(build(entry, (FEATURES,), precision=on_grids(8), classes=CLASSES))
            wanted = reference(variables(model), entry, graph(), 8)
            assert np.array(found.pop(0)) == pytest.approx(wanted, abs=0.05)
