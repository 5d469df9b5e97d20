"""GraphSAGE against NumPy, on whole graphs and on sampled neighbours, in float and on grids."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import PRECISIONS, build, network, variables
from test_gcn import ASKED, CLASSES, FEATURES, called, graph, grid, on_grids, with_biases

from sixteen import networks
from sixteen.errors import UserError
from sixteen.precision import quantizers
from sixteen.precision.proofs import check_dtypes

SAMPLED = (FEATURES, 2, 3)  # a target, 2 neighbours, 3 of each of them: 9 nodes


def sage(hidden=4, layers=2, dropout=0.0, aggregation="full"):
    return network("sage", hidden=hidden, layers=layers, dropout=dropout, aggregation=aggregation)


def trees():
    features = np.random.default_rng(0).normal(0.2, 1, (4, 9, FEATURES)).astype(np.float32)
    return (features,)


def edge_mean(x, edges):
    return np.stack(
        [
            x[edges[0][edges[1] == node]].mean(0) if (edges[1] == node).any() else 0 * x[node]
            for node in range(len(x))
        ]
    )


def tree_mean(x):
    """The means of the neighbours of the target and, where they are there, of its two neighbours."""
    if x.shape[1] == 3:
        return x[:, 1:].mean(1, keepdims=True)
    groups = [x[:, 1:3], x[:, 3:6], x[:, 6:9]]
    return np.stack([group.mean(1) for group in groups], axis=1)


def reference(weights, entry, inputs, bits=32):
    """Logits, in the order of operations of the authors' code."""
    x, *where = inputs
    of_means = bits if entry.aggregation == "quantized" else 32
    for layer in range(1, entry.layers + 1):
        place = f"conv{layer}"
        of_neighbours, own = (weights[f"{place}/{name}/kernel"] for name in ("neighbours", "own"))
        bias = weights[f"{place}/add/bias"]

        def product(x, kernel):
            return grid(x, bits) @ grid(kernel.T, bits).T  # one range an output

        narrows = own.shape[0] > own.shape[1]
        sources = grid(product(x, of_neighbours) if narrows else x, of_means)
        mean = edge_mean(sources, where[0]) if where else tree_mean(sources)
        mean = mean if narrows else product(mean, of_neighbours)
        x = product(x if where else x[:, : mean.shape[1]], own) + mean
        x = grid(x, bits) + grid(bias, bits, rows=False)
        if layer < entry.layers:
            x = np.maximum(x, 0)
            x = (x - x.mean()) / np.sqrt(x.var() + np.float32(1e-5))
    return x[where[-1]] if where else x[:, 0]


both = pytest.mark.parametrize(
    ("shape", "inputs"), [((FEATURES,), graph()), (SAMPLED, trees())], ids=["whole", "sampled"]
)


@both
@pytest.mark.parametrize("hidden", [2, 8])
def test_logits_are_those_of_numpy(shape, inputs, hidden):
    """With 8 hidden features the first layer averages first and the last multiplies first; with 2 the other way round."""
    model = with_biases(build(sage(hidden), shape, classes=CLASSES))
    wanted = reference(variables(model), sage(hidden), inputs)
    assert called(model, inputs).numpy() == pytest.approx(wanted, rel=1e-4, abs=1e-5)


@both
@pytest.mark.parametrize("aggregation", ["full", "quantized"])
@pytest.mark.parametrize("bits", [3, 8])
def test_logits_on_grids_are_those_of_numpy(shape, inputs, bits, aggregation):
    entry = sage(8, aggregation=aggregation)
    model = with_biases(build(entry, shape, precision=on_grids(bits), classes=CLASSES))
    wanted = reference(variables(model), entry, inputs, bits)
    for training in (True, False):
        found = called(model, inputs, training=training).numpy()
        assert np.mean(np.abs(found - wanted) < 1e-4) > 0.8
        assert found == pytest.approx(wanted, abs=0.05 if bits == 8 else 2)


@pytest.mark.parametrize("aggregation", ["full", "quantized"])
def test_gradients_come_back_on_grids_as_by_hand(aggregation, monkeypatch):
    """One layer, which multiplies first, and no noise, so that NumPy can do the same."""
    monkeypatch.setattr(quantizers, "uniform", lambda shape, *_: tf.zeros(shape))
    entry = sage(layers=1, aggregation=aggregation)
    model = build(entry, (FEATURES,), precision=on_grids(8, gradients=3), classes=CLASSES)
    features, edges, degrees, asked = graph()
    upstream = np.random.default_rng(2).normal(0, 1, (len(asked), CLASSES)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(called(model, graph(), training=True) * upstream)
    found = tape.gradient(loss, model.trainable_variables)
    gradient = np.zeros((8, CLASSES), np.float32)
    gradient[ASKED] = upstream
    of_sum = grid(gradient, 3, rows=False)
    of_mean = grid(of_sum, 3 if aggregation == "quantized" else 32, rows=False)
    averages = np.zeros((8, 8), np.float32)
    averages[edges[1], edges[0]] = 1
    averages /= np.maximum(degrees, 1)[:, None]
    on_grid = grid(features, 8).T
    wanted = {
        "conv1/add/bias": of_sum.sum(0),
        "conv1/own/kernel": on_grid @ grid(of_sum, 3, rows=False),
        "conv1/neighbours/kernel": on_grid @ grid(averages.T @ of_mean, 3, rows=False),
    }
    by_path = {v.path: g for v, g in zip(model.trainable_variables, found, strict=True)}
    for path, value in wanted.items():
        assert by_path[path].numpy() == pytest.approx(value, abs=1e-5), path


@pytest.mark.parametrize("aggregation", ["full", "quantized"])
def test_gradients_of_means_come_back_on_grids_as_by_hand(aggregation, monkeypatch):
    """One layer, which averages first; what comes back to the features, from the node itself and from its neighbours."""
    monkeypatch.setattr(quantizers, "uniform", lambda shape, *_: tf.zeros(shape))
    entry = sage(layers=1, aggregation=aggregation)
    model = build(entry, (FEATURES,), precision=on_grids(8, gradients=3), classes=7)
    features, edges, degrees, asked = graph()
    upstream = np.random.default_rng(2).normal(0, 1, (len(asked), 7)).astype(np.float32)
    given = tf.constant(features)
    with tf.GradientTape() as tape:
        tape.watch(given)
        outputs = called(model, (given, edges, degrees, asked), training=True)
        loss = tf.reduce_sum(outputs * upstream)
    gradient = np.zeros((8, 7), np.float32)
    gradient[ASKED] = upstream
    gradient = grid(gradient, 3, rows=False)
    weights = variables(model)
    own, of_neighbours = (
        gradient @ grid(weights[f"conv1/{name}/kernel"].T, 8) for name in ("own", "neighbours")
    )
    averages = np.zeros((8, 8), np.float32)
    averages[edges[1], edges[0]] = 1
    averages /= np.maximum(degrees, 1)[:, None]
    of_neighbours = grid(of_neighbours, 3 if aggregation == "quantized" else 32, rows=False)
    wanted = own + averages.T @ of_neighbours
    assert tape.gradient(loss, given).numpy() == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("precision", PRECISIONS.values(), ids=PRECISIONS)
def test_every_precision_starts_from_the_same_numbers(precision):
    start = variables(build(sage(), SAMPLED, classes=CLASSES))
    model = build(sage(), SAMPLED, precision=precision, classes=CLASSES)
    check_dtypes(model, keras.optimizers.SGD(0.01), precision)
    for variable in model.weights:
        rounded = keras.ops.cast(start[variable.path], variable.dtype)
        assert np.array_equal(variable.numpy(), rounded.numpy()), variable.path
    logits = called(model, trees(), precision)
    assert keras.backend.standardize_dtype(logits.dtype) == precision.compute
    digits = {"float32": 1e-5, "float16": 2e-2, "bfloat16": 2e-1}[precision.compute]
    wanted = reference(start, sage(), trees())
    assert np.asarray(keras.ops.cast(logits, "float32")) == pytest.approx(wanted, abs=digits)


def test_kernels_are_drawn_as_by_the_authors_code_and_the_same_for_whole_graphs():
    entry = sage(hidden=64)
    weights = variables(build(entry, (50, 2, 2), classes=CLASSES, seed=3))
    for name, limit in (("neighbours", np.sqrt(12 / 114)), ("own", 1 / np.sqrt(50))):
        kernel = weights[f"conv1/{name}/kernel"]
        assert 0.98 * limit < np.abs(kernel).max() <= limit
        assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    assert not weights["conv1/add/bias"].any()
    whole = variables(build(entry, (50,), classes=CLASSES, seed=3))
    assert all(np.array_equal(whole[path], weights[path]) for path in weights)
    other = variables(build(entry, (50,), classes=CLASSES, seed=4))
    assert not np.array_equal(other["conv1/own/kernel"], weights["conv1/own/kernel"])


def test_layers_and_cost():
    entry = sage(hidden=7)
    assert networks.layers(entry) == 2
    assert networks.cost(entry, (FEATURES,), 6) == 2 * (5 * 7 + 7 * 6)
    # Sampled: 3 nodes get hidden features, by two kernels; the second layer multiplies them all, then averages.
    assert networks.cost(entry, SAMPLED, 6) == 5 * 7 * (3 + 3) + 7 * 6 * (1 + 3)
    assert networks.cost(entry, SAMPLED, 9) == 5 * 7 * (3 + 3) + 7 * 9 * (1 + 1)
    assert len(networks.unquantized(entry)) == 5


def test_dropout_is_drawn_in_training_and_l2_is_on_kernels_alone():
    model = build(sage(dropout=0.5), SAMPLED, classes=CLASSES, l2=0.5)
    once, again = (called(model, trees(), training=True).numpy() for _ in range(2))
    assert not np.allclose(once, again)
    assert np.array_equal(called(model, trees()), called(model, trees()))
    kernels = [v for path, v in variables(model).items() if path.endswith("kernel")]
    assert len(kernels) == 4
    wanted = 0.5 * sum(float(np.square(kernel).sum()) for kernel in kernels)
    assert sum(map(float, model.losses)) == pytest.approx(wanted, rel=1e-4)


def test_as_many_hops_as_layers_are_wanted():
    with pytest.raises(
        UserError, match=r"expected as many hops .* as the 3 layers .*, came 2; choose"
    ):
        build(sage(layers=3), SAMPLED, classes=CLASSES)
