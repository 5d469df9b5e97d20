"""The ResNets of arXiv:2403.02243: post-activation, shortcuts that are trained."""

import keras
import numpy as np
import pytest
from small_networks import FLOAT16, FLOAT32, build, network

from sixteen import networks
from sixteen.networks.parts import counting
from sixteen.precision.bits import Static
from sixteen.precision.entry import Quantized
from sixteen.precision.layers import QuantizedConv2D, QuantizedDense

QUANTIZED = Quantized(
    **FLOAT32.model_dump(),
    **{"low": 3, "high": 8, "gradients": 8, "ranges": "moving", "bits": Static(kind="static")},
)


def resnet(depth=14, width=4):
    return network("resnet_v1", depth=depth, width=width)


def of(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def test_activations_follow_sums_and_shortcuts_are_trained_where_the_shape_changes():
    model = build(resnet(), (16, 16, 3))
    shortcuts = [x for x in of(model, keras.layers.Conv2D) if x.name.endswith("shortcut_conv")]
    assert [x.name for x in shortcuts] == [f"stage{i}_unit1_shortcut_conv" for i in (2, 3)]
    assert all(x.kernel_size == (1, 1) and x.strides == (2, 2) for x in shortcuts)
    for add in of(model, keras.layers.Add):
        (after,) = [node.operation for node in add._outbound_nodes]
        assert isinstance(after, keras.layers.ReLU)
    assert len(of(model, keras.layers.Conv2D)) == 14 - 1 + len(shortcuts)
    assert networks.layers(resnet(depth=74)) == 74
    assert networks.layers(resnet(depth=152)) == 152


def test_settings_are_those_of_the_authors_code():
    model = build(resnet(width=32), (16, 16, 3))
    norms = of(model, keras.layers.BatchNormalization)
    assert {(norm.momentum, norm.epsilon) for norm in norms} == {(0.9, 1e-5)}
    assert not any(x.use_bias for x in of(model, keras.layers.Conv2D))
    kernel = model.get_layer("stage2_unit1_1_conv").kernel.numpy()
    assert kernel.std() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)
    head = model.get_layer("head").kernel.numpy()
    assert head.std() == pytest.approx((2 / (128 * 10)) ** 0.5, rel=0.1)


@pytest.mark.parametrize("shape", [(32, 32, 3), (9, 7, 1)])
def test_cost_is_that_of_the_built_network(shape):
    assert networks.cost(resnet(width=5), shape, 10) == counting.cost_of(
        build(resnet(width=5), shape)
    )


def test_all_but_what_it_lists_is_quantized_and_weights_have_the_same_names():
    plain, on_grids = build(resnet()), build(resnet(), precision=QUANTIZED)
    convolutions = of(on_grids, keras.layers.Conv2D)
    assert all(isinstance(layer, QuantizedConv2D) for layer in convolutions)
    assert not of(on_grids, QuantizedDense)
    assert "the head" in networks.unquantized(resnet())
    weights = {v.path: v.numpy() for v in plain.weights}
    for variable in on_grids.weights:
        if not variable.path.endswith("/input_range"):
            assert np.array_equal(variable.numpy(), weights.pop(variable.path))
    assert not weights
    seeds = {tuple(layer.of_gradient.seed_generator.state.numpy()) for layer in convolutions}
    assert len(seeds) == len(convolutions)


def test_seed_decides_the_weights_and_precision_only_rounds_them():
    first, again, other = (build(resnet(), seed=seed).get_weights() for seed in (0, 0, 1))
    half = build(resnet(), precision=FLOAT16).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert np.array_equal(half[0], first[0].astype(np.float16))
