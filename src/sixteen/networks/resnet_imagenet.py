"""ResNets for photographs (He et al., arXiv:1512.03385, table 1): 18, 34 or 50 layers.

A 7x7 convolution and a max pooling, each with stride 2, then four stages with `width` to 8 `width` filters. A unit is two
3x3 convolutions; with 50 layers a 1x1, a 3x3 and a 1x1 one with four times the filters, and the 3x3 one has the stride
(as in what is called v1.5). The rest is as in `sixteen.networks.resnet_v1`: normalisation after each convolution, shortcuts that
are trained where the shape changes, no biases, kernels normal with variance 2 / (k^2 filters). Where a precision quantizes,
the first convolution and those of shortcuts stay in float32, as in the code of arXiv:2403.02243.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sixteen.entry import Size
from sixteen.networks.parts.family import Network
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

STEM, KERNEL = 7, 3
UNITS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
WIDENING = 4  # of the last convolution of a unit of three

TASKS = ("classify_images", "classify_image_files")
UNQUANTIZED = (
    "the first convolution",
    "convolutions of shortcuts",
    "batch normalisation",
    "ReLU",
    "sums of shortcuts",
    "pooling",
    "the head",
)


class ResnetImagenet(Network):
    """A ResNet of so many layers, see the top of this module; `width` is 64 in the paper."""

    family: Literal["resnet_imagenet"]
    depth: Literal[18, 34, 50]
    width: Size


class _Convolution(NamedTuple):
    filters: int
    size: int
    stride: int


def build(
    network: ResnetImagenet,
    shape: tuple[int, int, int],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build the network for images [batch, *shape] in the compute type; logits [batch, classes].

    Kernels are drawn in order of the layers.
    """
    # Here, not above: the plan asks for `layers`, and must not wait for TensorFlow.
    import keras

    from sixteen.networks.resnet_v1 import Parts

    parts = Parts(precision, l2, seed)
    inputs = keras.Input(shape, dtype=precision.compute, name="images")
    x = parts.relu(_exact(parts, inputs, _Convolution(network.width, STEM, 2), "stem"), "stem")
    x = keras.layers.MaxPooling2D(3, 2, "same", dtype=parts.weights, name="stem_pool")(x)
    for name, unit in _units(network):
        x = _unit(parts, x, unit, name)
    x = keras.layers.GlobalAveragePooling2D(dtype=parts.weights, name="pool")(x)
    head = keras.layers.Dense(classes, name="head", **parts.kernel(x.shape[-1] * classes))
    return keras.Model(inputs, head(x), name="resnet_imagenet")


def _units(network: ResnetImagenet) -> Iterator[tuple[str, list[_Convolution]]]:
    """The name and the convolutions of each unit."""
    for stage, units in enumerate(UNITS[network.depth]):
        filters = network.width * 2**stage
        for unit in range(units):
            stride = 2 if stage > 0 and unit == 0 else 1
            if network.depth == 50:
                inner = [_Convolution(filters, 1, 1), _Convolution(filters, KERNEL, stride)]
                unit_of = [*inner, _Convolution(WIDENING * filters, 1, 1)]
            else:
                unit_of = [_Convolution(filters, KERNEL, s) for s in (stride, 1)]
            yield f"stage{stage + 1}_unit{unit + 1}", unit_of


def _unit(parts: Any, x: Any, unit: list[_Convolution], name: str) -> Any:
    """The convolutions of a unit with their normalisations, added to the shortcut."""
    import keras

    residual, filters, stride = x, unit[-1].filters, max(one.stride for one in unit)
    for number, one in enumerate(unit, 1):
        residual = parts.normalised(residual, *one, f"{name}_{number}")
        if number < len(unit):
            residual = parts.relu(residual, f"{name}_{number}")
    if stride != 1 or x.shape[-1] != filters:
        x = _exact(parts, x, _Convolution(filters, 1, stride), f"{name}_shortcut")
    x = keras.layers.Add(dtype=parts.weights, name=f"{name}_add")([x, residual])
    return parts.relu(x, name)


def _exact(parts: Any, x: Any, one: _Convolution, name: str) -> Any:
    """A convolution that isn't quantized, and its normalisation."""
    import keras

    kernel = parts.kernel(one.size**2 * one.filters)
    convolution = keras.layers.Conv2D(
        one.filters, one.size, one.stride, "same", use_bias=False, name=f"{name}_conv", **kernel
    )
    return parts.norm(convolution(x), name)


def layers(network: ResnetImagenet) -> int:
    """Convolutions but those of shortcuts, and the head."""
    return 2 + sum(len(unit) for _, unit in _units(network))


def cost(network: ResnetImagenet, shape: tuple[int, int, int], classes: int) -> int:
    """Multiply-adds of convolutions, shortcuts and head in the forward pass of one image."""
    height, width, channels = -(-shape[0] // 2), -(-shape[1] // 2), shape[2]
    total = height * width * STEM**2 * channels * network.width
    height, width, before = -(-height // 2), -(-width // 2), network.width
    for _, unit in _units(network):
        start, inputs = before, before
        for one in unit:
            height, width = -(-height // one.stride), -(-width // one.stride)
            total += height * width * one.size**2 * inputs * one.filters
            inputs = one.filters
        before = inputs
        if start != before or any(one.stride > 1 for one in unit):
            total += height * width * start * before
    return total + before * classes
