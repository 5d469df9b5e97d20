"""LSTM: the same network in every precision, recurrent state in the compute type at every step."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import PRECISIONS, build, network, variables

from sixteen import networks
from sixteen.networks.parts import counting
from sixteen.precision.proofs import check_dtypes

SHAPE = (9, 3)  # length and channels
TWO = network("lstm", units=5, layers=2)
# What a cell does at each step, forward and backward.
CELL = ("Sigmoid", "Tanh", "MatMul", "BatchMatMulV2", "Mul", "AddV2", "BiasAdd")
CELL += ("SigmoidGrad", "TanhGrad")
FLOATS = {"float16", "bfloat16", "float32", "float64"}


def sequences(batch=4, shape=SHAPE):
    return np.random.default_rng(0).standard_normal((batch, *shape), dtype=np.float32)


def reference(weights, x, layers):
    """Logits in float64 by the equations of an LSTM, gate by gate."""

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    for layer in range(1, layers + 1):
        kernel, recurrent, bias = (
            weights[f"lstm{layer}/lstm_cell/{name}"].astype(np.float64)
            for name in ("kernel", "recurrent_kernel", "bias")
        )
        h = c = np.zeros((len(x), len(recurrent)))
        outputs = []
        for step in range(x.shape[1]):
            i, f, g, o = np.split(x[:, step] @ kernel + h @ recurrent + bias, 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            outputs.append(h)
        x = np.stack(outputs, axis=1)
    return x[:, -1] @ weights["head/kernel"] + weights["head/bias"]


@pytest.mark.parametrize("precision", PRECISIONS.values(), ids=PRECISIONS)
def test_every_precision_starts_from_the_same_numbers_and_gives_the_logits_of_an_lstm(precision):
    start = variables(build(TWO, SHAPE))
    model = build(TWO, SHAPE, precision=precision)
    check_dtypes(model, keras.optimizers.SGD(0.01), precision)
    assert model.input.dtype == precision.compute
    for variable in model.weights:
        rounded = keras.ops.cast(start[variable.path], variable.dtype)
        assert np.array_equal(variable.numpy(), rounded.numpy()), variable.path
    logits = model(keras.ops.cast(sequences(), precision.compute), training=True)
    assert keras.backend.standardize_dtype(logits.dtype) == precision.compute
    expected = reference(start, sequences().astype(np.float64), 2)
    digits = {"float32": 1e-5, "float16": 5e-3, "bfloat16": 4e-2}[precision.compute]
    np.testing.assert_allclose(np.asarray(keras.ops.cast(logits, "float32")), expected, atol=digits)


def test_seed_decides_the_weights():
    first, again, other = (variables(build(TWO, SHAPE, seed=seed)) for seed in (0, 0, 1))
    assert all(np.array_equal(first[path], again[path]) for path in first)
    for path in first:
        assert np.array_equal(first[path], other[path]) == path.endswith("bias"), path


def test_recurrent_kernels_are_orthogonal_and_kernels_spread_as_by_keras():
    model = build(network("lstm", units=64, layers=2), SHAPE)
    weights = variables(model)
    for layer in (1, 2):
        recurrent = weights[f"lstm{layer}/lstm_cell/recurrent_kernel"]
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(64), atol=1e-6)
        assert abs(recurrent.mean()) < 0.01 and abs((recurrent > 0).mean() - 0.5) < 0.02
        kernel = weights[f"lstm{layer}/lstm_cell/kernel"]
        theirs = keras.initializers.GlorotUniform(0)(kernel.shape)
        assert np.abs(kernel).max() == pytest.approx(np.abs(np.asarray(theirs)).max(), rel=0.05)


def test_orthogonal_matrices_are_drawn_without_preference_for_a_sign():
    tiny = network("lstm", units=1, layers=1)
    path = "lstm1/lstm_cell/recurrent_kernel"
    first = [variables(build(tiny, SHAPE, seed=seed))[path][0, 0] for seed in range(12)]
    assert 3 <= sum(value > 0 for value in first) <= 9


def test_only_the_forget_gates_begin_with_a_bias_and_it_is_one():
    bias = variables(build(TWO, SHAPE))["lstm1/lstm_cell/bias"]
    assert bias.reshape(4, 5).tolist() == [[0] * 5, [1] * 5, [0] * 5, [0] * 5]


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("shape", [SHAPE, (40, 1)], ids=str)
def test_layers_cost_and_activations_are_those_of_the_built_network(layers, shape):
    entry = network("lstm", units=7, layers=layers)
    model = build(entry, shape, classes=6)
    assert networks.layers(entry) == counting.layers_of(model) == layers + 1
    assert networks.cost(entry, shape, 6) == counting.cost_of(model)
    assert networks.activation_elements(model) == layers * shape[0] * 6 * 7 + 6
    # By hand: the kernels of four gates of 7 units, on the outputs of 7 units and on what is below, at every step.
    above = (layers - 1) * shape[0] * 4 * 7 * (7 + 7)
    assert networks.cost(entry, shape, 6) == shape[0] * 4 * 7 * (shape[1] + 7) + above + 7 * 6


def test_l2_is_on_every_kernel_and_on_nothing_else():
    model = build(TWO, SHAPE, l2=0.5)
    kernels = [v for path, v in variables(model).items() if path.endswith("kernel")]
    assert len(kernels) == 5
    expected = 0.5 * sum(float(np.square(kernel).sum()) for kernel in kernels)
    assert sum(map(float, model.losses)) == pytest.approx(expected, rel=1e-4)
    assert not build(TWO, SHAPE).losses


@pytest.mark.parametrize("name", PRECISIONS)
def test_gates_and_recurrent_state_are_in_the_compute_type_at_every_step_forward_and_backward(name):
    precision = PRECISIONS[name]
    model = build(TWO, SHAPE, precision=precision)

    def gradients(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x, training=True))
        return tape.gradient(loss, model.trainable_variables)

    traced = tf.function(gradients, autograph=False)
    graph = traced.get_concrete_function(tf.zeros((4, *SHAPE), precision.compute)).graph
    # The inside of the loops: what is carried from step to step, and what a cell computes.
    bodies = [
        graph._get_function(operation.get_attr("body").name).graph
        for operation in graph.get_operations()
        if operation.type in ("While", "StatelessWhile")
    ]
    assert len(bodies) == 4  # two layers, forward and backward
    computed, summed = set(), set()
    for body in bodies:
        for tensor in (*body.inputs, *body.outputs):
            if (
                tensor.dtype.is_floating
            ):  # states, or weights and their gradients as they are stored
                assert tensor.dtype.name in {precision.compute, precision.storage}, tensor
        for operation in body.get_operations():
            floats = {t.dtype.name for t in (*operation.inputs, *operation.outputs)} & FLOATS
            if operation.type in CELL and floats:
                computed.add(operation.type)
                assert floats == {precision.compute}, operation
            elif operation.type == "AddN":
                summed |= floats
    assert computed >= {"Sigmoid", "Tanh", "MatMul", "Mul", "AddV2", "SigmoidGrad", "TanhGrad"}
    # Over the steps, gradients of weights are summed as they are stored; those of states in the compute type.
    assert summed == {precision.compute, precision.storage}


JAXPR = """
import sys
sys.path[:0] = [{here!r}]
from sixteen.training import backends
backends.start("jax", 1)
import jax
from small_networks import PRECISIONS, build, network

def equations(jaxpr):
    for equation in jaxpr.eqns:
        yield equation
        for value in jax.tree.leaves(equation.params, is_leaf=lambda v: hasattr(v, "eqns")):
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from equations(inner)

COMPUTES = ("dot_general", "logistic", "tanh", "mul", "add", "sub")
for name, precision in PRECISIONS.items():
    model = build(network("lstm", units=5, layers=2), (9, 3), precision=precision)

    def loss(trainable, x):
        outputs, _ = model.stateless_call(trainable, [v.value for v in model.non_trainable_variables], x, training=True)
        return outputs.sum()

    x = jax.numpy.zeros((4, 9, 3), precision.compute)
    traced = jax.make_jaxpr(jax.grad(loss))([v.value for v in model.trainable_variables], x)
    stored = {{v.value.dtype.name for v in model.trainable_variables}}
    assert stored == {{precision.storage}}
    scans = [e for e in equations(traced.jaxpr) if e.primitive.name in ("scan", "while")]
    assert len(scans) == 4, len(scans)
    computed, summed = set(), set()
    for scan in scans:
        allowed = {{precision.compute, precision.storage}}
        for variable in (*scan.invars, *scan.outvars):
            kind = variable.aval.dtype
            if jax.numpy.issubdtype(kind, jax.numpy.floating):
                assert kind.name in allowed, (name, variable.aval)
        for equation in equations(scan.params["jaxpr"].jaxpr):
            kinds = {{v.aval.dtype.name for v in (*equation.invars, *equation.outvars)}}
            if equation.primitive.name in COMPUTES and kinds & {{"float16", "bfloat16", "float32"}}:
                computed.add(equation.primitive.name)
                assert kinds == {{precision.compute}}, (name, equation)
            elif equation.primitive.name == "add_any":
                summed |= kinds
    assert computed >= {{"dot_general", "logistic", "tanh", "mul"}}, computed
    assert precision.storage in summed, (name, summed)
print("checked")
"""


def test_jax_computes_gates_and_recurrent_state_in_the_compute_type_at_every_step():
    pytest.importorskip("jax", reason="JAX isn't installed: there is no jaxpr to look at")
    program = JAXPR.format(here=str(Path(__file__).parent))
    done = subprocess.run(
        [sys.executable, "-c", program], env=dict(os.environ), capture_output=True, text=True
    )
    assert done.stdout.strip().endswith("checked"), done.stderr
