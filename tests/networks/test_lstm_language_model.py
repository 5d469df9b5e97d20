"""The language model: its weights, its arithmetic with and without grids, and what it carries from batch to batch."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import lstm_by_numpy as reference
import numpy as np
import pytest
from lstm_by_numpy import BATCH, STEPS, UNITS, averages, made, on, quantized, sigmoid
from small_networks import PRECISIONS, build, network, variables

from sixteen import networks
from sixteen.networks.parts import counting
from sixteen.precision.proofs import check_dtypes
from sixteen.precision.quantizers import at
from sixteen.tasks.parts.carried import CARRIED

WORDS, WINDOW = 11, 5
ENTRY = network("lstm_language_model", units=6, layers=2, dropout=0.5)
EVERY = PRECISIONS | {"quantized": quantized()}


def model_of(precision=PRECISIONS["float32"], entry=ENTRY, batch=None, **about):
    model = build(entry, (WINDOW,), precision, classes=WORDS, **about)
    for layer in model.layers:
        if batch and hasattr(layer, "carry"):
            layer.carry(batch)
    return model


def tokens(batches=1, batch=3):
    return np.random.default_rng(1).integers(0, WORDS, (batches, batch, WINDOW), np.int32)


def logits_of(weights, tokens):
    """Float64 logits of streams [batch, steps] read from their beginning."""
    x = weights["embedding/embeddings"].astype(float)[tokens]
    for layer in (1, 2):
        W, U, b = (weights[f"lstm{layer}/{name}"].astype(float) for name in reference.NAMES)
        h = c = np.zeros((len(x), 6))
        outputs = []
        for t in range(x.shape[1]):
            i, f, g, o = np.split(x[:, t] @ W + h @ U + b, 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            outputs.append(h)
        x = np.stack(outputs, 1)
    return x @ weights["decoder/kernel"] + weights["decoder/bias"]


@pytest.mark.parametrize("training", [False, True])
def test_logits_are_those_of_the_equations_over_windows_that_go_on_where_the_last_one_ended(
    training,
):
    entry = network("lstm_language_model", units=6, layers=2, dropout=0.0)
    model = model_of(entry=entry, batch=3)
    windows = tokens(batches=3)
    found = [np.asarray(model(window, training=training)) for window in windows]
    whole = logits_of(variables(model), np.concatenate(list(windows), axis=1))
    assert np.concatenate(found, axis=1) == pytest.approx(whole, abs=1e-5)
    alone = logits_of(variables(model), windows[1])
    assert np.abs(found[1] - alone).max() > 1e-3


def test_without_room_for_a_state_every_window_begins_at_zero():
    model, (one, two) = model_of(), tokens(batches=2)
    for window in (one, two):
        wanted = logits_of(variables(model), window)
        assert np.asarray(model(window)) == pytest.approx(wanted, abs=1e-5)


def test_weights_are_uniform_within_the_limits_of_the_papers_code():
    entry = network("lstm_language_model", units=64, layers=1, dropout=0.5)
    weights = variables(build(entry, (WINDOW,), classes=50))
    assert not weights.pop("decoder/bias").any()
    assert len(weights) == 5
    for name, values in weights.items():
        limit = 1 / 8 if name.startswith("lstm") else 0.1
        assert limit * 0.98 < np.abs(values).max() <= limit
        assert values.std() == pytest.approx(limit / np.sqrt(3), rel=0.1)


@pytest.mark.parametrize("name", EVERY)
def test_every_precision_starts_from_the_same_numbers_and_keeps_what_it_promises(name):
    precision, start = EVERY[name], variables(model_of())
    model = model_of(precision, batch=3)
    check_dtypes(model, keras.optimizers.SGD(0.01), precision)
    held = {v.path: v for v in model.weights if not v.path.endswith("input_range")}
    carried = {path: v for path, v in held.items() if v.name.startswith(CARRIED)}
    assert set(held) - set(carried) == set(start)
    for path, values in start.items():
        rounded = keras.ops.cast(values, held[path].dtype)
        assert np.array_equal(held[path].numpy(), rounded.numpy())
    for window in tokens(batches=2):
        logits = model(window, training=True)
        assert keras.backend.standardize_dtype(logits.dtype) == precision.compute
        assert np.isfinite(np.asarray(keras.ops.cast(logits, "float32"))).all()
    assert len(carried) == 4 and all(variable.numpy().any() for variable in carried.values())


def test_seed_decides_weights_dropout_and_noise():
    window = tokens()[0]
    ones, again, others = (model_of(quantized(), seed=seed) for seed in (0, 0, 1))
    found = [variables(model) for model in (ones, again, others)]
    for name, values in found[0].items():
        assert np.array_equal(values, found[1][name])
        assert not values.any() or not np.array_equal(values, found[2][name])
    first, second, third = (np.asarray(m(window, training=True)) for m in (ones, again, again))
    assert np.array_equal(first, second) and not np.array_equal(second, third)
    states = [
        [v.numpy().tolist() for v in model.variables if "seed" in v.path]
        for model in (ones, again, others)
    ]
    # Two of gradients in each layer of LSTM, one in the decoder, three of dropout; no two alike.
    assert len({tuple(state) for state in states[2]}) == len(states[2]) == 8


def test_l2_asks_for_the_squares_of_the_kernels():
    model = model_of(l2=0.5)
    model(tokens()[0])
    kernels = [v for path, v in variables(model).items() if path.endswith("kernel")]
    assert len(kernels) == 5
    assert float(sum(model.losses)) == pytest.approx(0.5 * sum((k**2).sum() for k in kernels))


def test_layers_and_the_cost_of_a_token_are_those_of_the_built_network():
    for layers in (1, 3):
        entry = network("lstm_language_model", units=7, layers=layers, dropout=0.1)
        for precision in (PRECISIONS["float32"], quantized()):
            model = model_of(precision, entry=entry)
            assert networks.layers(entry) == counting.layers_of(model) == layers + 1
            assert WINDOW * networks.cost(entry, (WINDOW,), WORDS) == counting.cost_of(model)
    assert networks.cost(entry, (WINDOW,), WORDS) == 3 * 4 * 7 * 14 + 7 * WORDS
    outputs = 7 + 3 * (6 * 7) + 4 * 7 + WORDS  # embedding, cells, dropouts, logits
    assert counting.activation_elements(model_of(entry=entry)) == WINDOW * outputs


GRIDS = [(3, 4), (8, 8), (4, 32), (32, 4), (32, 32)]


@pytest.mark.parametrize(("bits", "gradients"), GRIDS)
def test_a_step_on_grids_is_that_of_numpy_forward_and_backward(bits, gradients):
    reference.check("tensorflow", bits, gradients)


def test_a_step_on_grids_is_that_of_numpy_on_jax_too():
    pytest.importorskip("jax", reason="JAX isn't installed")
    program = f"""
import sys
sys.path[:0] = [{str(Path(__file__).parent)!r}]
from sixteen.training import backends
backends.start("jax", 1)
import lstm_by_numpy
for bits, gradients in {GRIDS}:
    lstm_by_numpy.check("jax", bits, gradients)
print("checked")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=dict(os.environ), capture_output=True, text=True
    )
    assert done.stdout.strip() == "checked", done.stderr


def test_averages_of_ranges_go_on_from_batch_to_batch_step_by_step():
    layer, weights, x, _, _ = made(quantized())
    zero = np.zeros((2, BATCH, UNITS), np.float32)
    ranges = {"input": [], "output": []}
    for number in (1, 2):
        layer(x * number, training=True)
        by_hand = reference.ByNumpy(weights, x * np.float32(number), zero, 3, 4)
        for name, steps in by_hand.ranges.items():
            ranges[name] += steps
    for name, quantizer in (("input", layer.of_input), ("output", layer.of_output)):
        assert quantizer.moving.numpy() == pytest.approx(averages(ranges[name]), rel=1e-4)
    assert len(ranges["input"]) == 2 * STEPS


@pytest.mark.parametrize("ranges", ["moving", "corrected"])
def test_a_test_takes_the_averages_at_every_step_and_leaves_them(ranges):
    layer, weights, x, _, _ = made(quantized(ranges=ranges))
    layer(x, training=True)
    held = {n: q.moving.numpy() for n, q in (("x", layer.of_input), ("h", layer.of_output))}
    other = x[::-1] * np.float32(0.7)
    found = np.asarray(layer(other, training=False))
    part = held["x"][2] if ranges == "corrected" else np.float32(1)
    W, U = (reference.affine(weights[name], 3, 0) for name in reference.NAMES[:2])
    b = reference.affine(weights["bias"], 3, None)
    h = c = np.zeros((BATCH, UNITS), np.float32)
    for t in range(STEPS):
        qx, qh = (
            on(value, 3, held[name][0] / part, held[name][1] / part)
            for name, value in (("x", other[:, t]), ("h", h))
        )
        i, f, g, o = np.split(qx @ W + b + qh @ U, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        assert found[:, t] == pytest.approx(h, abs=1e-5)
    assert np.array_equal(layer.of_input.moving.numpy(), held["x"])
    assert np.array_equal(layer.of_output.moving.numpy(), held["h"])


def test_bits_of_the_moment_are_those_of_the_loop_too():
    layer, weights, x, _, _ = made(quantized(low=8))
    with at(keras.ops.convert_to_tensor(3)):
        found = np.asarray(layer(x, training=True))
    zero = np.zeros((2, BATCH, UNITS), np.float32)
    wanted = np.stack(reference.ByNumpy(weights, x, zero, 3, 4).outputs, 1)
    assert found == pytest.approx(wanted, abs=1e-5)


def test_a_language_model_tells_what_stays_in_float32():
    assert networks.unquantized(ENTRY) == ("the embedding", "dropout", "gates", "cell states")
