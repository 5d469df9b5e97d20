"""RetinaNet: its pyramid and heads against NumPy, what is quantized, how it is counted."""

import keras
import numpy as np
import pytest
from pydantic import ValidationError
from small_networks import FLOAT32, PRECISIONS, build, network
from test_forward import convolved, drawn, normalised, relu

from sixteen import networks
from sixteen.errors import UserError
from sixteen.networks import retinanet
from sixteen.networks.parts import counting
from sixteen.precision.bits import Static
from sixteen.precision.entry import Quantized
from sixteen.precision.layers import QuantizedConv2D
from sixteen.precision.proofs import check_dtypes
from sixteen.tasks.parts import anchors

QUANTIZED = Quantized(
    **FLOAT32.model_dump(),
    **{"low": 3, "high": 8, "gradients": 8, "ranges": "moving", "bits": Static(kind="static")},
)
SHAPE = (32, 48, 1)
FIELDS = {"width": 4, "units": [1, 2, 1], "levels": 4, "features": 6, "convolutions": 2}


def entry(**changes):
    return network("retinanet", **(FIELDS | changes))


def of(changes=None, precision=FLOAT32, shape=SHAPE, **other):
    return build(entry(**(changes or {})), shape, precision, classes=5, **other)


def pooled(x):
    """Max pooling over 3x3 with stride 2; where sides are even, the odd row and column is behind."""
    x = np.pad(x, [(0, 0), (0, 1), (0, 1), (0, 0)], constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    return windows[:, ::2, ::2].max((-1, -2))


def forward(w, x):
    """Stages of units, two with a level and two more above, and heads of two convolutions and an output."""

    def layer(x, name, stride=1):
        return convolved(x, w[f"{name}/kernel"], w[f"{name}/bias"], stride)

    def normal(x, name, stride=1):
        x = convolved(x, w[f"{name}_conv/kernel"], stride=stride)
        return normalised(w, x, f"{name}_norm", epsilon=1e-5)

    def unit(x, name, stride):
        y = normal(relu(normal(x, f"{name}_1", stride)), f"{name}_2")
        return relu(y + (normal(x, f"{name}_shortcut", 2) if stride == 2 else x))

    x = unit(pooled(relu(normal(x, "stem", 2))), "stage1_unit1", 1)
    third = unit(unit(x, "stage2_unit1", 2), "stage2_unit2", 1)
    fourth = unit(third, "stage3_unit1", 2)
    upper = layer(fourth, "lateral2")
    lower = layer(third, "lateral1") + upper.repeat(2, 1).repeat(2, 2)
    levels = [layer(lower, "level1"), layer(upper, "level2"), layer(fourth, "level3", 2)]
    levels.append(layer(relu(levels[2]), "level4", 2))

    def head(x, name, many):
        for number in (1, 2):
            x = relu(layer(x, f"{name}{number}"))
        return layer(x, name).reshape(
            len(x), -1, many
        )  # row by row, place by place, anchor by anchor

    heads = (("classes", 5), ("offsets", 4))
    return np.concatenate(
        [np.concatenate([head(x, *about) for about in heads], -1) for x in levels], 1
    )


def test_outputs_are_those_of_an_independent_forward_pass_in_the_order_of_the_anchors():
    model = of()
    weights = drawn(model)
    pictures = np.random.default_rng(1).standard_normal((3, *SHAPE))
    expected = forward(weights, pictures)
    found = np.asarray(model(pictures.astype(np.float32), training=False))
    assert found.shape == (3, len(anchors.anchors(SHAPE, found.shape[1])), 9)
    assert found.shape[1] == 9 * (4 * 6 + 2 * 3 + 1 * 2 + 1 * 1)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4 * np.abs(expected).max())


def test_what_both_sides_say_of_anchors_is_the_same():
    assert (retinanet.EACH, retinanet.STRIDE * 2) == (anchors.EACH, 2**anchors.FIRST)


def test_at_first_every_class_has_one_per_cent_and_boxes_are_their_anchors():
    pictures = np.random.default_rng(1).standard_normal((2, *SHAPE)).astype(np.float32)
    found = np.asarray(of()(pictures, training=True))
    assert 1 / (1 + np.exp(-found[..., :5])) == pytest.approx(0.01, rel=1e-4)
    assert not found[..., 5:].any()


@pytest.mark.parametrize(
    "changes", [{}, {"units": [2, 2, 2, 2], "levels": 5}, {"units": [1, 1], "levels": 1}]
)
def test_layers_and_cost_are_those_of_the_built_network(changes):
    shape = (64, 96, 3)
    model = of(changes, shape=shape)
    shortcuts = sum(layer.name.endswith("shortcut_conv") for layer in model.layers)
    assert networks.layers(entry(**changes)) == counting.layers_of(model) - shortcuts
    assert networks.cost(entry(**changes), shape, 5) == counting.cost_of(model)


def test_heads_count_on_every_level_among_activations():
    model = of()
    (head,) = [layer for layer in model.layers if layer.name == "offsets"]
    assert len(head._inbound_nodes) == 4
    more = networks.activation_elements(model) - networks.activation_elements(of({"levels": 3}))
    # A level of one place: the level and its ReLU before, of 2 places; two heads; twice more in being put together.
    assert more == 2 * 6 + 6 + 2 * 2 * 2 * 6 + 9 * 9 * 2 + 9 * 9 * 2


def test_every_convolution_is_quantized_and_a_head_moves_its_range_on_every_level():
    plain, on_grids = of(), of(precision=QUANTIZED)
    convolutions = [x for x in on_grids.layers if isinstance(x, keras.layers.Conv2D)]
    assert all(isinstance(layer, QuantizedConv2D) for layer in convolutions)
    weights = {v.path: v.numpy() for v in plain.weights}
    ranges = {}
    on_grids(np.random.default_rng(1).standard_normal((2, *SHAPE)), training=True)
    for variable in on_grids.weights:
        if variable.path.endswith("/input_range"):
            ranges[variable.path.split("/")[0]] = float(variable.numpy()[2])
        elif variable.path in weights and "moving" not in variable.path:
            assert np.array_equal(variable.numpy(), weights[variable.path])
    assert len(ranges) == len(convolutions)
    for name, share in ranges.items():
        calls = 4 if name.startswith(("classes", "offsets")) else 1
        assert share == pytest.approx(1 - 0.9**calls), name
    seeds = {tuple(layer.of_gradient.seed_generator.state.numpy()[:1]) for layer in convolutions}
    assert len(seeds) == len(convolutions)


@pytest.mark.parametrize("name", PRECISIONS)
def test_every_precision_starts_from_the_same_numbers_and_gives_finite_outputs(name):
    start, precision = {v.path: v for v in of().weights}, PRECISIONS[name]
    model = of(precision=precision)
    check_dtypes(model, keras.optimizers.SGD(0.01), precision)
    for variable in model.weights:
        rounded = keras.ops.cast(start[variable.path], variable.dtype)
        assert np.array_equal(variable.numpy(), rounded.numpy())
    pictures = keras.ops.ones((2, *SHAPE), precision.compute)
    outputs = model(pictures, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == precision.compute
    assert np.isfinite(np.asarray(keras.ops.cast(outputs, "float32"))).all()


def test_l2_is_on_kernels_alone():
    weights = [v.numpy() for v in of().weights if v.path.endswith("kernel")]
    expected = 0.5 * sum(float(np.square(kernel).sum()) for kernel in weights)
    assert sum(map(float, of(l2=0.5).losses)) == pytest.approx(expected, rel=1e-4)


def test_what_is_no_pyramid_is_refused():
    with pytest.raises(
        ValidationError, match=r"a level for each of the 2 stages .*, came 1 `levels`"
    ):
        entry(levels=1)
    for ask in (networks.build, networks.cost):
        about = (FLOAT32, 0.0, 0) if ask is networks.build else ()
        with pytest.raises(UserError, match=r"multiples of 16, .*, came 40 x 48; choose"):
            ask(entry(), (40, 48, 1), 5, *about)
