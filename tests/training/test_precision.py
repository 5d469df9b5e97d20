import numpy as np
import pytest
from pydantic import ValidationError
from small_runs import ADAM, precision, recipe, resnet

from sixteen import networks
from sixteen.errors import UserError

pytestmark = pytest.mark.usefixtures("keras_started")


def build(name, **changes):
    from sixteen.training import optimizers

    model = networks.build(resnet(), (8, 8, 1), 10, precision(name), l2=1e-4, seed=0)
    optimizer = optimizers.build(recipe(**changes), precision(name))
    optimizer.build(model.trainable_variables)
    return model, optimizer


def nested(weights, statistics, normed):
    """An attention layer, whose dense layers are inside it, and a network inside a network."""
    import keras
    from keras import layers

    inner = keras.Sequential(
        [
            keras.Input((4, 4), dtype=weights.compute_dtype),
            layers.BatchNormalization(dtype=statistics, name="inner_norm"),
            layers.Dense(4, dtype=normed, name="inner_dense"),
        ]
    )
    inputs = keras.Input((4, 4), dtype=weights.compute_dtype)
    x = layers.MultiHeadAttention(2, 2, dtype=weights, name="attention")(inputs, inputs)
    return keras.Model(inputs, inner(x))


@pytest.mark.parametrize(
    ("name", "kernels", "norms", "activations"),
    [
        ("float32", "float32", "float32", "float32"),
        ("float16", "float16", "float32", "float16"),
        ("all_float16", "float16", "float16", "float16"),
        ("bfloat16", "bfloat16", "float32", "bfloat16"),
        ("mixed_float16", "float32", "float32", "float16"),
        ("mixed_static", "float32", "float32", "float16"),
        ("float16_scaled", "float16", "float32", "float16"),
    ],
)
def test_every_variable_is_stored_as_promised(name, kernels, norms, activations):
    from sixteen.precision.proofs import check_dtypes

    model, optimizer = build(name)
    for variable in model.weights:
        assert variable.numpy().dtype == (norms if "norm" in variable.path else kernels)
    assert model.output.dtype == activations
    check_dtypes(model, optimizer, precision(name))


@pytest.mark.parametrize(
    ("built", "promised", "message"),
    [
        ("float32", "float16", "expected stem/kernel in float16, came float32"),
        ("mixed_float16", "float16", "expected stem/kernel in float16, came float32"),
        ("all_float16", "float16", "_norm/gamma in float32, came float16"),
        ("mixed_float16", "float32", "arithmetic of stem in float32, came float16"),
    ],
)
def test_a_lie_is_found_and_named(built, promised, message):
    from sixteen.precision.proofs import check_dtypes

    with pytest.raises(UserError, match=message):
        check_dtypes(*build(built), precision(promised))


def test_an_activation_in_another_format_is_found_though_it_stores_nothing():
    import keras

    from sixteen.precision.proofs import check_dtypes

    model, optimizer = build("float16")
    model.get_layer(
        next(
            x.name
            for x in model.layers
            if isinstance(x, keras.layers.ReLU | keras.layers.Activation)
        )
    ).dtype_policy = "float32"
    with pytest.raises(UserError, match=r"the arithmetic of .* in float16, came float32"):
        check_dtypes(model, optimizer, precision("float16"))


@pytest.mark.parametrize("changes", [{}, ADAM | {"epsilon": 1e-4}])
def test_all_that_an_optimizer_keeps_is_stored_like_its_weight(changes):
    from sixteen.precision.proofs import check_dtypes

    model, optimizer = build("float16_scaled", **changes, averaging=0.99)
    slots = [v for v in optimizer.inner_optimizer.variables if len(v.shape)]
    kinds = 3 if "epsilon" in changes else 2  # momentum or two moments, and the average
    assert len(slots) == kinds * len(model.trainable_variables)
    for slot in slots:
        assert slot.numpy().dtype == (np.float32 if "norm" in slot.name else np.float16)
    check_dtypes(model, optimizer, precision("float16_scaled"))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "momentum"),
        ({"averaging": 0.9}, "average"),
        (ADAM | {"epsilon": 1e-4}, "momentum"),
    ],
)
def test_what_an_optimizer_keeps_in_another_format_is_found(changes, kind):
    from sixteen.precision.proofs import check_dtypes

    model, _ = build("float16")
    _, optimizer = build("float32", **changes)
    with pytest.raises(UserError, match=f"the {kind} of stem/kernel in float16, came float32"):
        check_dtypes(model, optimizer, precision("float16"))


def test_layers_inside_layers_are_looked_at():
    import keras

    from sixteen.precision.policies import policies
    from sixteen.precision.proofs import check_dtypes

    float16 = precision("float16")
    weights, statistics = policies(float16)
    good = nested(weights, statistics, normed=weights)
    check_dtypes(good, keras.optimizers.SGD(0.1), float16)
    for layer in good.layers:
        if layer.name == "attention":
            layer.query_dense.dtype_policy = "float32"
    with pytest.raises(UserError, match="the arithmetic of query in float16, came float32"):
        check_dtypes(good, keras.optimizers.SGD(0.1), float16)
    bad = nested(weights, statistics, normed="float32")
    with pytest.raises(UserError, match="inner_dense/kernel in float16, came float32"):
        check_dtypes(bad, keras.optimizers.SGD(0.1), float16)


def test_refuses_storage_that_no_policy_offers():
    with pytest.raises(ValidationError, match="expected `batch_norm` in float32 or in the format"):
        precision("float32", batch_norm="float16")
