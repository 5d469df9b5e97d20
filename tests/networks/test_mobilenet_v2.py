"""The MobileNetV2 of arXiv:2403.02243: for small images, its convolutions of single channels on grids too."""

import keras
import numpy as np
import pytest
from small_networks import FLOAT32, build, network

from sixteen import networks
from sixteen.networks.parts import counting
from sixteen.precision.bits import Static
from sixteen.precision.entry import Quantized
from sixteen.precision.layers import QuantizedConv2D, QuantizedDepthwiseConv2D

QUANTIZED = Quantized(
    **FLOAT32.model_dump(),
    **{"low": 3, "high": 4, "gradients": 8, "ranges": "moving", "bits": Static(kind="static")},
)
SMALL = network("mobilenet_v2", width=0.125)


@pytest.fixture(scope="module")
def plain():
    return build(SMALL, (8, 8, 3))


@pytest.fixture(scope="module")
def on_grids():
    return build(SMALL, (8, 8, 3), precision=QUANTIZED)


def of(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def test_only_three_stages_halve_the_resolution_and_shortcuts_are_trained_where_channels_change(
    plain,
):
    channels = of(plain, keras.layers.DepthwiseConv2D)
    assert len(channels) == 17
    strided = [x.name for x in channels if x.strides == (2, 2)]
    assert strided == [f"stage{s}_block1_depthwise_conv" for s in (3, 4, 6)]
    shortcuts = [x.name for x in plain.layers if x.name.endswith("shortcut_conv")]
    assert shortcuts == [f"stage{s}_block1_shortcut_conv" for s in (1, 2, 5, 7)]
    assert len(of(plain, keras.layers.Add)) == 14
    for add in of(plain, keras.layers.Add):
        assert not any(isinstance(n.operation, keras.layers.ReLU) for n in add._outbound_nodes)


def test_the_full_network_has_as_many_weights_as_that_of_the_authors_code():
    """2,296,922 with ten classes: counted by hand from its table, the first block expanded too."""
    shape = (32, 32, 3)
    table = [(1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1)]
    strided, total, before = {3, 4, 6}, 27 * 32 + 64, 32
    for stage, (expansion, filters, blocks) in enumerate(table, 1):
        for block in range(blocks):
            inner = expansion * before
            total += before * inner + 9 * inner + inner * filters + 4 * inner + 2 * filters
            if before != filters and not (stage in strided and block == 0):
                total += before * filters + 2 * filters
            before = filters
    total += 320 * 1280 + 2 * 1280 + 1280 * 10 + 10
    assert total == 2_296_922
    model = build(network("mobilenet_v2", width=1.0), shape)
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == total


@pytest.mark.parametrize("shape", [(32, 32, 3), (9, 7, 1)])
def test_layers_and_cost_are_those_of_the_built_network(shape):
    model = build(SMALL, shape)
    assert networks.cost(SMALL, shape, 10) == counting.cost_of(model)
    kernels = [v for v in model.trainable_variables if v.path.endswith("kernel")]
    assert networks.layers(SMALL) == len(kernels) - 4 == 54


def test_all_convolutions_are_quantized_and_weights_have_the_same_names(plain, on_grids):
    kinds = (QuantizedConv2D, QuantizedDepthwiseConv2D)
    assert all(isinstance(x, kinds) for x in on_grids.layers if x.name.endswith("_conv"))
    assert len(of(on_grids, QuantizedDepthwiseConv2D)) == 17
    weights = {v.path: v.numpy() for v in plain.weights}
    for variable in on_grids.weights:
        if not variable.path.endswith("/input_range"):
            assert np.array_equal(variable.numpy(), weights.pop(variable.path))
    assert not weights


def test_each_channel_has_a_range_of_its_own_for_its_kernel(on_grids):
    layer = of(on_grids, QuantizedDepthwiseConv2D)[0]
    kernel = layer.kernel.numpy()
    grids = layer.of_kernel(layer.kernel).numpy()
    low, high = kernel.min((0, 1), keepdims=True), kernel.max((0, 1), keepdims=True)
    step = (high - low) / 15
    expected = low + np.round((kernel - low) / step) * step
    assert grids == pytest.approx(expected, abs=1e-6)
