"""Silent promotion: the dtype of every operation in the traced training step of every precision.

Nothing is compiled: the graph that XLA would be given is walked, with the branches of its conditions.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter
from small_runs import ADAM, precision, recipe

from sixteen import networks
from sixteen.datasets.prepared.images import Images
from sixteen.networks import AnyNetwork
from sixteen.precision.entry import Quantized
from sixteen.study.load import load

pytestmark = pytest.mark.usefixtures("keras_started")

# All that params.yaml names and its studies say, variations included, and what it could; where layers are quantized, formats
# are those of float32.
PARAMETERS = load(Path(__file__).parents[2])
SAID = {
    phrase.precision
    for study in PARAMETERS.studies.values()
    for arm in study.sentences
    for phrase in PARAMETERS.phrases(study, None, arm)
}
ENTRIES = {
    name: found
    for name in sorted(SAID | PARAMETERS.precisions.keys())
    if not isinstance(found := PARAMETERS.precision(name), Quantized)
} | {
    "float16_static": precision("float16_static"),
    "mixed_bfloat16": precision("mixed_unscaled", compute="bfloat16"),
    "bfloat16_scaled": precision("float16_scaled", compute="bfloat16"),
    "all_bfloat16": precision("bfloat16", batch_norm="bfloat16"),
}
ADAMW = ADAM | {"optimizer": "adamw", "epsilon": 1e-4, "weight_decay": 0.004}
OPTIMIZERS = {
    "sgd": recipe(averaging=0.99, momentum=0.0, batch=4),
    "momentum": recipe(averaging=0.99, batch=4),
    "adam": recipe(averaging=0.99, **ADAM, epsilon=1e-4, batch=4),
    "adamw": recipe(averaging=0.99, **ADAMW, batch=4),
}
PRODUCTS = ("MatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "XlaDotV2")
CONVOLUTIONS = (
    "Conv2D",
    "Conv2DBackpropFilter",
    "Conv2DBackpropInput",
    "DepthwiseConv2dNative",
    "DepthwiseConv2dNativeBackpropFilter",
    "DepthwiseConv2dNativeBackpropInput",
)
ARITHMETIC = ("Mul", "AddV2", "Sub", "RealDiv", "Sqrt", "Rsqrt", "Square", "Pow", "Neg", "AddN")
FLOATS = ("float16", "bfloat16", "float32", "float64")


def task():
    from sixteen.tasks.classify_images import ClassifyImages

    images = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 2), dtype=np.uint8)
    labels = np.arange(8, dtype=np.int32) % 3
    scale = (np.float32([100]), np.float32([50]))
    return ClassifyImages(Images(images, labels, images, labels, *scale, tuple("abc")))


def network(precision):
    """Every kind of layer that multiplies, in one small network."""
    import keras
    from keras import layers

    from sixteen.precision.policies import policies

    weights, statistics = policies(precision)
    inputs = keras.Input((4, 4, 2), dtype=precision.compute)
    l2 = keras.regularizers.L2(1e-4)
    x = layers.Conv2D(4, 3, padding="same", dtype=weights, kernel_regularizer=l2)(inputs)
    x = layers.BatchNormalization(dtype=statistics)(x)
    x = layers.ReLU(dtype=weights)(x)
    x = layers.DepthwiseConv2D(3, padding="same", dtype=weights)(x)
    x = layers.Reshape((16, 4), dtype=weights)(x)
    x = layers.LayerNormalization(dtype=weights)(x)
    x, _ = layers.MultiHeadAttention(2, 2, dtype=weights)(x, x, return_attention_scores=True)
    x = layers.GlobalAveragePooling1D(dtype=weights)(x)
    return keras.Model(inputs, layers.Dense(3, dtype=weights)(x))


def built(precision, recipe, make=network):
    from sixteen.precision.proofs import check_dtypes
    from sixteen.training import optimizers

    model = make(precision)
    optimizer = optimizers.build(recipe, precision)
    optimizer.build(model.trainable_variables)
    check_dtypes(model, optimizer, precision)
    return model, optimizer


def traced(precision, recipe, make=network):
    """The step's graph, and the number of its operations before the optimizer and after it."""
    import tensorflow as tf

    from sixteen.training.step_tensorflow import TensorFlowStep

    model, optimizer = built(precision, recipe, make)
    step = TensorFlowStep(model, optimizer, task(), precision, recipe)
    marks, apply = [], optimizer.apply

    def marked(*arguments):
        graph = tf.compat.v1.get_default_graph()
        marks.append(len(graph.get_operations()))
        apply(*arguments)
        marks.append(len(graph.get_operations()))

    optimizer.apply = marked
    rows = tf.zeros((4, 4), tf.int32)
    return step._train.get_concrete_function(rows, tf.constant(32)).graph, marks


def with_branches(graph, operations):
    """The operations, and those of the functions that they call."""
    for operation in operations:
        yield operation
        for name in operation.node_def.attr.values():
            if name.HasField("func"):
                inner = graph._get_function(name.func.name).graph
                yield from with_branches(inner, inner.get_operations())


def floats(tensors):
    return {tensor.dtype.name for tensor in tensors if tensor.dtype.name in FLOATS}


def arithmetic_behind(tensor, operations):
    """The arithmetic among these operations by which a tensor of floats is computed."""
    found, seen, left = [], set(), [tensor]
    while left:
        source = left.pop()
        operation = source.op
        if operation.type == "IdentityN":  # passes on all gradients at once
            left.append(operation.inputs[source.value_index])
        elif operation in operations and operation not in seen:
            seen.add(operation)
            left += operation.inputs
            if operation.type in ARITHMETIC and floats(operation.inputs):
                found.append(operation)
    return found


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ENTRIES)
def test_multiplies_and_updates_in_the_formats_that_are_promised(name, optimizer):
    precision = ENTRIES[name]
    compute = precision.compute
    graph, (before, after) = traced(precision, OPTIMIZERS[optimizer])
    operations = graph.get_operations()

    kinds = set()
    for operation in with_branches(graph, operations):
        if operation.type in PRODUCTS + CONVOLUTIONS:
            kinds.add(operation.type)
            assert floats([*operation.inputs, *operation.outputs]) == {compute}, operation.name
    assert kinds >= set(CONVOLUTIONS)
    assert kinds & set(PRODUCTS)

    stored, promoted = set(), set()
    update = set(with_branches(graph, operations[before:after]))
    for operation in update:
        if operation.type in ("AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp"):
            value = operation.inputs[1]
            if value.dtype.name not in FLOATS or len(value.shape) == 0:
                continue  # counters and the loss scale
            stored.add(value.dtype.name)
            promoted |= {
                (source.type, *floats(source.inputs), value.dtype.name)
                for source in arithmetic_behind(value, update)
                if floats(source.inputs) != {value.dtype.name}
            }
    weights = precision.storage
    assert stored == {weights, precision.batch_norm}
    dynamic = precision.loss_scale is not None and precision.loss_scale.kind == "dynamic"
    # Only a dynamic scale, itself float32, unscales 16-bit gradients in float32 before they are rounded back.
    short = stored - {"float32"} if dynamic else ()
    assert promoted == {("RealDiv", "float32", format) for format in short}


@pytest.mark.parametrize("name", ENTRIES)
def test_softmax_and_loss_are_computed_in_the_format_that_is_promised(name):
    """The softmax of the loss; that of the attention, in the compute type, is the forward pass's."""
    precision = ENTRIES[name]
    graph, (before, _) = traced(precision, OPTIMIZERS["sgd"])
    found = {
        (operation.type, *floats(operation.inputs))
        for operation in with_branches(graph, graph.get_operations()[:before])
        if operation.type == "LogSoftmax"
    }
    assert found == {("LogSoftmax", precision.loss)}


@pytest.mark.parametrize(
    ("network", "least"),
    [
        ({"family": "alexnet", "width": 0.0625}, 8),
        (
            {
                "family": "vit",
                "blocks": 1,
                "patch": 2,
                "dimension": 8,
                "heads": 2,
                "mlp": 8,
                "head": [8],
                "dropout": 0.1,
                "head_dropout": 0.5,
            },
            10,
        ),
    ],
)
def test_networks_of_other_families_multiply_in_float16(network, least):
    entry = TypeAdapter(AnyNetwork).validate_python(network)

    def make(precision):
        return networks.build(entry, (4, 4, 2), 3, precision, l2=1e-4, seed=0)

    graph, _ = traced(ENTRIES["mixed"], OPTIMIZERS["sgd"], make)
    products = [
        floats([*operation.inputs, *operation.outputs])
        for operation in with_branches(graph, graph.get_operations())
        if operation.type in PRODUCTS + CONVOLUTIONS
    ]
    assert len(products) >= 3 * least - 1
    assert products == [{"float16"}] * len(products)


def test_batch_norm_computes_in_float32_whatever_it_stores():
    graph, (before, _) = traced(ENTRIES["all_float16"], OPTIMIZERS["sgd"])
    operations = graph.get_operations()[:before]
    moves = [x for x in operations if x.type == "AssignVariableOp"]
    assert len(moves) == 2  # mean and variance
    for move in moves:
        assert move.inputs[1].dtype.name == "float16"
        average, *_ = arithmetic_behind(move.inputs[1], set(operations))
        assert (average.type, floats(average.inputs)) == ("AddV2", {"float32"})


def test_master_weights_are_cast_once_for_each_use():
    graph, (before, _) = traced(ENTRIES["mixed"], OPTIMIZERS["sgd"])
    for operation in graph.get_operations()[:before]:
        if operation.type == "Conv2D":
            kernel = operation.inputs[1].op
            assert (kernel.type, floats(kernel.inputs)) == ("Cast", {"float32"})


JAXPR = """
import sys
sys.path[:0] = [{here!r}]
from sixteen.training import backends
backends.start("jax", 1)
import jax, numpy as np
from test_dtypes_in_graph import ENTRIES, OPTIMIZERS, built, task
from sixteen.training.step_jax import JaxStep

def equations(jaxpr):
    for equation in jaxpr.eqns:
        yield equation
        for value in jax.tree.leaves(equation.params, is_leaf=lambda v: hasattr(v, "eqns")):
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from equations(inner)

UPDATE = ("mul", "add", "sub", "div", "sqrt", "rsqrt", "pow", "integer_pow", "square", "neg")
for name, precision in ENTRIES.items():
    for optimizer, recipe in OPTIMIZERS.items():
        model, rule = built(precision, recipe)
        step = JaxStep(model, rule, task(), precision, recipe)
        state = [[variable.value for variable in group] for group in step._groups()]
        rows = np.zeros((4, 4), np.int32)
        traced = jax.make_jaxpr(step._train_step)(state, step.train_data, rows, np.int32(32))
        found = set()
        for equation in equations(traced.jaxpr):
            if equation.primitive.name in ("dot_general", "conv_general_dilated"):
                found.add(equation.primitive.name)
                kinds = {{v.aval.dtype.name for v in [*equation.invars, *equation.outvars]}}
                assert kinds == {{precision.compute}}, (name, optimizer, equation)
        assert len(found) == 2
        leaves = [value for group in state for value in group]
        for value, moved in zip(leaves, traced.out_avals, strict=False):
            assert value.dtype == moved.dtype, (name, optimizer)

        trainable, _, slots = state
        update = jax.make_jaxpr(rule.stateless_apply)(slots, trainable, trainable)
        stored = {{value.dtype.name for value in trainable}}
        computed, divided = set(), set()
        for equation in equations(update.jaxpr):
            kind = equation.outvars[0].aval
            if equation.primitive.name in UPDATE and kind.shape:
                (divided if equation.primitive.name == "div" else computed).add(kind.dtype.name)
        assert computed == stored, (name, optimizer, computed)
        # A dynamic scale, itself float32, unscales 16-bit gradients in float32 before they are rounded back.
        dynamic = precision.loss_scale and precision.loss_scale.kind == "dynamic"
        assert divided <= stored | ({{"float32"}} if dynamic else set()), (name, optimizer, divided)
print("checked")
"""


def test_jax_multiplies_and_stores_in_the_formats_that_are_promised():
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX isn't installed: there is no jaxpr to look at")
    program = JAXPR.format(here=str(Path(__file__).parent))
    done = subprocess.run(
        [sys.executable, "-c", program], env=dict(os.environ), capture_output=True, text=True
    )
    assert done.stdout.strip() == "checked", done.stderr
