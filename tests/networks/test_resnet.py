import numpy as np
import pytest
from small_networks import FLOAT16, FLOAT32, network

from sixteen import networks


def resnet(depth, width=16):
    return network("resnet", depth=depth, width=width)


def build(network, shape=(32, 32, 3), classes=10, precision=FLOAT32, seed=0):
    return networks.build(network, shape, classes, precision, l2=1e-4, seed=seed)


def kernels(model):
    return [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]


def multiply_adds(model):
    return sum(
        int(np.prod(layer.output.shape[1:-1])) * int(np.prod(layer.kernel.shape))
        for layer in model.layers
        if hasattr(layer, "kernel")
    )


# Millions of parameters as published: arXiv:1512.03385, table 6.
@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (56, 0.85), (110, 1.7)])
def test_has_as_many_parameters_as_published(depth, millions):
    digits = 1 if depth == 110 else 2
    count = sum(int(np.prod(v.shape)) for v in build(resnet(depth)).trainable_variables)
    assert round(count / 1e6, digits) == millions


@pytest.mark.parametrize(("depth", "expected"), [(8, 8), (14, 14), (56, 56), (156, 152)])
def test_counts_the_layers_that_are_there(depth, expected):
    assert networks.layers(resnet(depth)) == expected
    assert len(kernels(build(resnet(depth, width=1)))) == expected


@pytest.mark.parametrize("classes", [10, 3, 100])
def test_head_has_as_many_outputs_as_classes(classes):
    assert build(resnet(8), classes=classes).output_shape == (None, classes)


@pytest.mark.parametrize("shape", [(32, 32, 3), (9, 7, 1)])
def test_cost_is_that_of_the_built_network(shape):
    network = resnet(14, width=5)
    assert networks.cost(network, shape, 10) == multiply_adds(build(network, shape))


def test_seed_decides_the_weights_and_precision_only_rounds_them():
    first, again, other = (kernels(build(resnet(8), seed=seed)) for seed in (0, 0, 1))
    half = kernels(build(resnet(8), precision=FLOAT16))
    for a, b, c, h in zip(first, again, other, half, strict=True):
        assert np.array_equal(a.numpy(), b.numpy())
        assert not np.array_equal(a.numpy(), c.numpy())
        assert np.array_equal(a.numpy().astype(np.float16), h.numpy())


def test_names_do_not_depend_on_what_was_built_before():
    assert [v.path for v in build(resnet(8)).weights] == [v.path for v in build(resnet(8)).weights]
