"""ResNets for photographs: the published sizes, and every unit by its shapes."""

import keras
import numpy as np
import pytest
from small_networks import FLOAT16, FLOAT32, build, network, variables

from sixteen import networks
from sixteen.networks.parts import counting

PHOTOGRAPH = (224, 224, 3)
# Parameters that torchvision's networks of these names train, and the multiply-adds that are told of them.
KNOWN = {
    18: (11_689_512, 1_814_073_344),
    34: (21_797_672, 3_663_761_408),
    50: (25_557_032, 4_089_184_256),
}


@pytest.mark.parametrize("depth", KNOWN)
def test_full_size_is_the_network_of_its_name(depth):
    entry = network("resnet_imagenet", depth=depth, width=64)
    model = build(entry, PHOTOGRAPH, classes=1000)
    trained = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert (trained, networks.cost(entry, PHOTOGRAPH, 1000)) == KNOWN[depth]
    assert counting.cost_of(model) == KNOWN[depth][1]
    shortcuts = sum("shortcut_conv" in layer.name for layer in model.layers)
    assert networks.layers(entry) == depth == counting.layers_of(model) - shortcuts


@pytest.mark.parametrize("depth", KNOWN)
@pytest.mark.parametrize("shape", [(33, 47, 3), (64, 64, 1)])
def test_cost_is_that_of_the_built_network_at_any_size(depth, shape):
    entry = network("resnet_imagenet", depth=depth, width=2)
    assert networks.cost(entry, shape, 7) == counting.cost_of(build(entry, shape, classes=7))


def test_the_stride_of_a_unit_of_three_is_in_its_second_convolution():
    model = build(network("resnet_imagenet", depth=50, width=2), (64, 64, 3))
    strides = [model.get_layer(f"stage2_unit1_{i}_conv").strides for i in (1, 2, 3)]
    assert strides == [(1, 1), (2, 2), (1, 1)]


def test_float16_starts_from_the_same_numbers_and_gives_finite_logits():
    entry = network("resnet_imagenet", depth=18, width=4)
    wide, narrow = (variables(build(entry, (32, 32, 3), precision=p)) for p in (FLOAT32, FLOAT16))
    for path, values in narrow.items():
        assert np.array_equal(values, wide[path].astype(values.dtype)), path
    model = build(entry, (32, 32, 3), precision=FLOAT16)
    images = np.random.default_rng(0).standard_normal((2, 32, 32, 3)).astype(np.float16)
    logits = model(keras.ops.convert_to_tensor(images))
    assert (
        np.isfinite(np.asarray(logits)).all()
        and keras.backend.standardize_dtype(logits.dtype) == "float16"
    )
