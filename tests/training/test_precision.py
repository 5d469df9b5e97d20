import pytest
from conftest import PRECISIONS

from sixteen import networks
from sixteen.errors import UserError

pytestmark = pytest.mark.usefixtures("keras_started")


def build(precision):
    import keras

    from sixteen.training.precision import with_loss_scale

    network = {"family": "resnet", "depth": 8, "width": 4}
    model = networks.build(network, (8, 8, 1), 10, precision, l2=1e-4, seed=0)
    optimizer = with_loss_scale(keras.optimizers.SGD(0.1, momentum=0.9), precision)
    optimizer.build(model.trainable_variables)
    return model, optimizer


@pytest.mark.parametrize(
    ("name", "kernels", "norms", "activations"),
    [
        ("float32", "float32", "float32", "float32"),
        ("float16", "float16", "float32", "float16"),
        ("all_float16", "float16", "float16", "float16"),
        ("bfloat16", "bfloat16", "float32", "bfloat16"),
        ("mixed_float16", "float32", "float32", "float16"),
    ],
)
def test_every_variable_is_stored_as_promised(name, kernels, norms, activations):
    from sixteen.training.precision import check_dtypes

    model, optimizer = build(PRECISIONS[name])
    for variable in model.weights:
        assert variable.numpy().dtype == (norms if "norm" in variable.path else kernels)
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for variable, momentum in zip(model.trainable_variables, inner.momentums, strict=True):
        assert momentum.numpy().dtype == variable.numpy().dtype
    assert model.output.dtype == activations
    check_dtypes(model, optimizer, PRECISIONS[name])


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
    from sixteen.training.precision import check_dtypes

    with pytest.raises(UserError, match=message):
        check_dtypes(*build(PRECISIONS[built]), PRECISIONS[promised])


def test_an_activation_in_another_format_is_found_though_it_stores_nothing():
    import keras

    from sixteen.training.precision import check_dtypes

    model, optimizer = build(PRECISIONS["float16"])
    model.get_layer(
        next(
            x.name
            for x in model.layers
            if isinstance(x, keras.layers.ReLU | keras.layers.Activation)
        )
    ).dtype_policy = "float32"
    with pytest.raises(UserError, match=r"the arithmetic of .* in float16, came float32"):
        check_dtypes(model, optimizer, PRECISIONS["float16"])


def test_momentum_in_another_format_is_found():
    from sixteen.training.precision import check_dtypes

    model, _ = build(PRECISIONS["float16"])
    _, optimizer = build(PRECISIONS["float32"])
    with pytest.raises(UserError, match="momentum of stem/kernel in float16, came float32"):
        check_dtypes(model, optimizer, PRECISIONS["float16"])


def test_refuses_storage_that_no_policy_offers():
    from sixteen.training.precision import policies

    with pytest.raises(UserError, match="expected storage in float32"):
        policies(PRECISIONS["float32"] | {"variables": "float16"})
