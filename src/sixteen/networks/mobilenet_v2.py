"""MobileNetV2 for small images as arXiv:2403.02243 ran it: the variant whose stem and second stage keep the resolution.

Inverted residuals (Sandler et al., arXiv:1801.04381, table 2): a 1x1 convolution that expands, a 3x3 one of each channel,
a 1x1 one that projects, each normalised, with a ReLU after the first two (not ReLU6, as there). Where the resolution stays,
the input is added, by way of a 1x1 convolution and a normalisation where the number of channels changes. Kernels,
normalisation and head are those of `resnet_v1`; the kernel of a channel by itself is normal with variance 2 / (9 channels).
`width` multiplies all filters, 1 is the paper's.
"""

from typing import TYPE_CHECKING, Any, Literal

from sixteen.entry import Multiple
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.shared import scaled
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

    from sixteen.networks.resnet_v1 import Parts

STEM, LAST = 32, 1280  # filters of the first convolution and of the last
# Expansion, filters, blocks and stride of the first block of each stage.
STAGES = (
    *((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)
KERNEL = 3  # height and width of the stem and of the convolutions of single channels

TASKS = ("classify_images", "classify_image_files")
UNQUANTIZED = ("batch normalisation", "ReLU", "sums of shortcuts", "pooling", "the head")


class MobileNetV2(Network):
    """MobileNetV2; `width` multiplies filters."""

    family: Literal["mobilenet_v2"]
    width: Multiple


def build(
    network: MobileNetV2,
    shape: tuple[int, int, int],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build the network for images [batch, *shape] in the compute type; logits [batch, classes].

    Kernels are drawn in order of the layers. Raises UserError for a width that leaves no filter.
    """
    # Here, not above: the plan asks for `layers`, and must not wait for TensorFlow.
    import keras

    from sixteen.networks.resnet_v1 import Parts

    parts = Parts(precision, l2, seed)
    inputs = keras.Input(shape, dtype=precision.compute, name="images")
    x = parts.relu(parts.normalised(inputs, scaled(STEM, network.width), KERNEL, 1, "stem"), "stem")
    for name, expansion, filters, stride in _blocks(network):
        x = _block(parts, x, expansion, filters, stride, name)
    x = parts.relu(parts.normalised(x, scaled(LAST, network.width), 1, 1, "last"), "last")
    x = keras.layers.GlobalAveragePooling2D(dtype=parts.weights, name="pool")(x)
    head = keras.layers.Dense(classes, name="head", **parts.kernel(x.shape[-1] * classes))
    return keras.Model(inputs, head(x), name="mobilenet_v2")


def _blocks(network: MobileNetV2) -> list[tuple[str, int, int, int]]:
    """Name, expansion, filters and stride of each block."""
    return [
        (f"stage{s}_block{b + 1}", expansion, scaled(filters, network.width), 1 if b else stride)
        for s, (expansion, filters, blocks, stride) in enumerate(STAGES, 1)
        for b in range(blocks)
    ]


def _block(parts: "Parts", x: Any, expansion: int, filters: int, stride: int, name: str) -> Any:
    import keras

    channels = x.shape[-1]
    inner = parts.relu(
        parts.normalised(x, expansion * channels, 1, 1, f"{name}_expand"), f"{name}_expand"
    )
    inner = parts.relu(_depthwise(parts, inner, stride, f"{name}_depthwise"), f"{name}_depthwise")
    inner = parts.normalised(inner, filters, 1, 1, f"{name}_project")
    if stride != 1:
        return inner
    if channels != filters:
        x = parts.normalised(x, filters, 1, 1, f"{name}_shortcut")
    return keras.layers.Add(dtype=parts.weights, name=f"{name}_add")([x, inner])


def _depthwise(parts: "Parts", x: Any, stride: int, name: str) -> Any:
    """A padded convolution of each channel, and its batch normalisation."""
    kernel = parts.kernel(KERNEL * KERNEL * x.shape[-1])
    about = {
        "depthwise_initializer": kernel["kernel_initializer"],
        "depthwise_regularizer": kernel["kernel_regularizer"],
        "dtype": kernel["dtype"],
    }
    x = parts.layers.depthwise(
        kernel_size=KERNEL, strides=stride, padding="same", name=f"{name}_conv", **about
    )(x)
    return parts.norm(x, name)


def layers(network: MobileNetV2) -> int:
    """Convolutions but those of shortcuts, and the head: 54 whatever the width (the first block expands too)."""
    return 3 * len(_blocks(network)) + 3


def cost(network: MobileNetV2, shape: tuple[int, int, int], classes: int) -> int:
    """Multiply-adds of convolutions, shortcuts and head in the forward pass of one image."""
    height, width, channels = shape
    filters = scaled(STEM, network.width)
    total = height * width * KERNEL**2 * channels * filters
    for _, expansion, wanted, stride in _blocks(network):
        channels, filters = filters, wanted
        inner = expansion * channels
        total += height * width * channels * inner
        height, width = -(-height // stride), -(-width // stride)
        shortcut = channels * filters if stride == 1 and channels != filters else 0
        total += height * width * (KERNEL**2 * inner + inner * filters + shortcut)
    last = scaled(LAST, network.width)
    return total + height * width * filters * last + last * classes
