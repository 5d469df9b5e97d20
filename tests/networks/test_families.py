"""Families beside ResNets: same network in every precision, counted as it is built."""

import functools
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml
from pydantic import ValidationError
from small_networks import FLOAT16, PRECISIONS, build, network, variables

from sixteen import networks
from sixteen.errors import UserError
from sixteen.networks import application
from sixteen.networks.parts import counting
from sixteen.precision.proofs import check_dtypes

DIGITS, CIFAR = (8, 8, 1), (32, 32, 3)


def of(name, width=1.0, blocks=None):
    return network("application", name=name, width=width, blocks=blocks)


def vit(**other):
    fields = {
        "blocks": 2,
        "patch": 2,
        "dimension": 16,
        "heads": 2,
        "mlp": 64,
        "head": [64, 64],
        "dropout": 0.1,
        "head_dropout": 0.5,
    }
    return network("vit", **(fields | other))


PAPERS_VIT = {"patch": 6, "dimension": 64, "heads": 4, "mlp": 512, "head": [512, 512]}
PLAIN = {"blocks": 2, "patch": 1, "dimension": 8, "heads": 2, "mlp": 16}
SMALL = {
    "plain_vit": network("plain_vit", **PLAIN),
    "alexnet": network("alexnet", width=0.125),
    "vgg": network("vgg", depth=16, width=0.0625),
    "vit": vit(),
    "densenet": of("DenseNet121", 0.25, [1, 2, 1, 1]),
    "xception": of("Xception", 0.0625),
    "mobilenetv2": of("MobileNetV2", 0.25),
}
small = pytest.mark.parametrize("network", SMALL.values(), ids=SMALL)


@functools.cache
def full_size(network):
    """Parameters, kinds of layers, layers and multiply-adds of a network as built for CIFAR; some take seconds."""
    model = build(network, CIFAR)
    kinds = [type(layer) for layer in model.layers]
    return model.count_params(), kinds, counting.layers_of(model), counting.cost_of(model)


@small
def test_every_precision_starts_from_the_same_numbers_and_gives_finite_logits(network):
    images = np.random.default_rng(0).standard_normal((4, *DIGITS), dtype=np.float32)
    start = variables(build(network))
    for precision in PRECISIONS.values():
        model = build(network, precision=precision)
        check_dtypes(model, keras.optimizers.SGD(0.01), precision)
        assert model.input.dtype == precision.compute
        for variable in model.weights:
            rounded = keras.ops.cast(start[variable.path], variable.dtype)
            assert np.array_equal(variable.numpy(), rounded.numpy())
        logits = model(keras.ops.cast(images, precision.compute), training=True)
        assert keras.backend.standardize_dtype(logits.dtype) == precision.compute
        assert logits.shape == (4, 10)
        assert np.isfinite(np.asarray(keras.ops.cast(logits, "float32"))).all()


@small
def test_seed_decides_the_weights_and_names_do_not_depend_on_what_was_built_before(network):
    first, again, other = (variables(build(network, seed=seed)) for seed in (0, 0, 1))
    assert list(first) == list(again)
    assert all(np.array_equal(first[path], again[path]) for path in first)
    assert any(not np.array_equal(first[path], other[path]) for path in first)


@small
@pytest.mark.parametrize("shape", [DIGITS, (35, 33, 3)], ids=["digits", "odd"])
def test_layers_and_cost_are_those_of_the_built_network(network, shape):
    model = build(network, shape, classes=7)
    assert networks.layers(network) == counting.layers_of(model)
    assert networks.cost(network, shape, 7) == counting.cost_of(model)


@pytest.mark.parametrize("depth", [8, 14])
def test_counting_agrees_with_the_closed_forms_of_resnets(depth):
    entry = network("resnet", depth=depth, width=5)
    model = build(entry, (9, 7, 1))
    assert networks.layers(entry) == counting.layers_of(model)
    assert networks.cost(entry, (9, 7, 1), 10) == counting.cost_of(model)


@small
def test_l2_is_on_every_kernel_and_on_nothing_else(network):
    model = build(network, l2=0.5)
    kernels = [v for path, v in variables(model).items() if path.endswith("kernel")]
    expected = 0.5 * sum(float(np.square(kernel).sum()) for kernel in kernels)
    assert sum(map(float, model.losses)) == pytest.approx(expected, rel=1e-4)
    assert not build(network).losses


# What keras.applications itself builds for ten classes; each counts its layers as it is named.
@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("DenseNet121", 121),
        ("DenseNet169", 169),
        ("Xception", 41),  # 36 of the paper, 4 shortcuts, the head
        ("MobileNetV2", 53),
    ],
)
def test_full_size_is_the_network_of_keras_applications(name, layers):
    network = of(name)
    original = application.skeleton(network, CIFAR, 10)
    parameters, kinds, counted, cost = full_size(network)
    assert parameters == original.count_params()
    assert kinds == [type(layer) for layer in original.layers]
    assert networks.layers(network) == layers == counted
    assert networks.cost(network, CIFAR, 10) == cost


# Counted by hand from the layers of the code of arXiv:2305.10947.
@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        (network("alexnet", width=1.0), 20_972_394),
        (network("vgg", depth=16, width=1.0), 33_638_218 + 4 * (64 + 128 + 256 + 512 + 512)),
        (network("vgg", depth=19, width=1.0), 38_947_914 + 4 * (64 + 128 + 256 + 512 + 512)),
        (vit(**PAPERS_VIT, blocks=8), 2_158_090),
        (vit(**PAPERS_VIT, blocks=12), 2_158_090 + 4 * 132_736),
    ],
)
def test_own_networks_have_the_parameters_of_the_authors_code(network, parameters):
    assert full_size(network)[0] == parameters


def test_notes_on_the_papers_networks_tell_how_many_numbers_ours_have():
    top = Path(__file__).parents[2]
    entries = yaml.safe_load((top / "params.yaml").read_text())["networks"]
    tables = yaml.safe_load((top / "papers" / "2305.10947.yaml").read_text())["tables"]
    (notes,) = (table["notes"] for table in tables.values() if "notes" in table)
    counted = {name: full_size(network(**entries[name]))[0] for name in notes}
    assert len(counted) == 12
    for name, count in counted.items():
        assert notes[name].startswith(f"Ours has {count:,}. "), (name, count)


@small
def test_kernels_are_spread_as_keras_spreads_them(network):
    """Glorot-uniform, convolutions of each channel and pointwise ones, attention and all; each its own numbers."""
    kernels = [v for path, v in variables(build(network)).items() if path.endswith("kernel")]
    for kernel in kernels:
        theirs = np.asarray(keras.initializers.GlorotUniform(0)(kernel.shape))
        assert np.abs(kernel).max() <= np.abs(theirs).max() * 1.35 + 1e-6
        if kernel.size > 500:
            assert np.abs(kernel).max() == pytest.approx(np.abs(theirs).max(), rel=0.02)
            assert kernel.std() == pytest.approx(theirs.std(), rel=0.1)
            assert abs(kernel.mean()) < 0.2 * theirs.std()
    assert len({kernel.tobytes() for kernel in kernels}) == len(kernels) > 4


def test_width_multiplies_all_but_the_head():
    narrow, wide = (build(of("MobileNetV2", width)) for width in (0.125, 0.25))
    for one, two in zip(narrow.layers, wide.layers, strict=True):
        if isinstance(one, keras.layers.Conv2D):
            assert 2 * one.filters == two.filters
    assert narrow.output_shape == wide.output_shape == (None, 10)


def test_small_images_are_enlarged_by_repeating_pixels():
    model = build(SMALL["alexnet"])
    images = np.arange(64, dtype=np.float32).reshape(1, *DIGITS)
    enlarged = np.asarray(model.get_layer("enlarge")(images))
    assert enlarged.shape == (1, 32, 32, 1)
    assert np.array_equal(enlarged, images.repeat(4, 1).repeat(4, 2))
    assert "enlarge" not in [layer.name for layer in build(SMALL["alexnet"], CIFAR).layers]


def test_patches_are_those_of_the_image_and_the_rest_is_left_out():
    model = build(vit(**PAPERS_VIT, blocks=1), CIFAR)
    images = np.random.default_rng(0).standard_normal((2, *CIFAR), dtype=np.float32)
    inner = keras.Model(model.input, model.get_layer("patches").output)
    patches = np.asarray(inner(images))
    assert patches.shape == (2, 25, 108)
    assert np.array_equal(patches[1, 7], images[1, 6:12, 12:18].ravel())


def test_the_softmax_of_attention_is_computed_in_16_bits():
    model = build(SMALL["vit"], precision=FLOAT16)
    _, shares = model.get_layer("block1_attention").output
    assert shares.dtype == "float16"


def test_dropout_takes_its_seeds_from_the_run():
    def dropped(seed):
        model = build(SMALL["alexnet"], seed=seed)
        layers = [x for x in model.layers if isinstance(x, keras.layers.Dropout)]
        return [np.asarray(layer(np.ones((1, 512)), training=True)) for layer in layers]

    first, again, other = dropped(0), dropped(0), dropped(1)
    assert all(abs((one == 0).mean() - 0.5) < 0.1 for one in first)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_activations_are_the_outputs_of_all_operations():
    model = build(SMALL["alexnet"])
    expected = sum(int(np.prod(layer.output.shape[1:])) for layer in model.layers[1:])
    assert networks.activation_elements(model) == expected
    one, two = (networks.activation_elements(build(vit(blocks=n))) for n in (1, 2))
    tokens, dimension, heads, mlp = 16, 16, 2, 64
    block = tokens * (8 * dimension + mlp) + 4 * tokens * heads * dimension + 2 * heads * tokens**2
    assert two - one == block


def test_a_layer_that_serves_twice_counts_twice():
    inputs = keras.Input((4, 6, 2))
    layer = keras.layers.Conv2D(2, 3, padding="same", use_bias=False)
    model = keras.Model(inputs, layer(layer(inputs)[:, ::2]))
    assert counting.cost_of(model) == (24 + 12) * 9 * 2 * 2
    assert networks.activation_elements(model) == (24 + 12 + 12) * 2
    assert counting.layers_of(model) == 1


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (of("Xception", 0.001), "at least one filter"),
        (network("alexnet", width=0.001), "at least one filter"),
        (vit(patch=9), "images of 8x8, came 9x9"),
    ],
)
def test_what_leaves_nothing_of_a_network_is_refused(network, message):
    with pytest.raises(UserError, match=message):
        build(network)
    with pytest.raises(UserError, match=message):
        networks.cost(network, DIGITS, 10)


@pytest.mark.parametrize(
    ("family", "fields", "message"),
    [
        ("application", {"name": "LeNet", "width": 1.0, "blocks": None}, "'DenseNet121'"),
        (
            "application",
            {"name": "Xception", "width": 1.0, "blocks": [1, 1, 1, 1]},
            "only a DenseNet",
        ),
        ("application", {"name": "DenseNet121", "width": 1.0, "blocks": [1, 1]}, "at least 4"),
        ("vgg", {"depth": 17, "width": 1.0}, "16 or 19"),
        ("resnet", {"depth": 7, "width": 16}, "greater than or equal to 8"),
        ("resnet", {"depth": 8, "width": 0}, "greater than or equal to 1"),
        ("resnet", {"depth": 8.0, "width": 16}, "integer"),
        ("no-such-family", {}, "'resnet'"),
    ],
)
def test_an_entry_that_is_no_network_is_refused(family, fields, message):
    with pytest.raises(ValidationError, match=message):
        network(family, **fields)
