"""AlexNet for images of 32x32, as the code of arXiv:2305.10947 has it.

Five 3x3 convolutions with ReLU (64 with stride 2, 96, 256, 256, 512 filters), pooled after the first, the
second and the last, then two dense layers of 4096 with tanh, each followed by half dropout. `width`
multiplies all of these numbers. Smaller images are enlarged to 32 pixels at least by repeating each.
"""

from typing import TYPE_CHECKING, Any, Literal

from sixteen.entry import Multiple
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.shared import (
    draw_weights,
    dropout_seeds,
    enlarge,
    enlarged,
    scaled,
)
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

KERNEL = 3  # height and width of every convolution
# Filters, stride, and the size of the max pooling (stride 2, unpadded) after it, if any.
CONVOLUTIONS = ((64, 2, 2), (96, 1, 3), (256, 1, None), (256, 1, None), (512, 1, 3))
DENSE = (4096, 4096)
DROPOUT = 0.5

TASKS = ("classify_images", "classify_image_files")


class AlexNet(Network):
    """AlexNet; `width` multiplies filters and units."""

    family: Literal["alexnet"]
    width: Multiple


def build(
    network: AlexNet,
    shape: tuple[int, int, int],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build the network for images [batch, *shape] in the compute type; logits [batch, classes].

    Raises UserError for a width that leaves no filter.
    """
    import keras

    from sixteen.precision.policies import policies

    weights, _ = policies(precision)
    common = {"dtype": weights, "kernel_regularizer": keras.regularizers.L2(l2) if l2 else None}
    inputs = keras.Input(shape, dtype=precision.compute, name="images")
    x = _features(enlarge(inputs, enlarged(shape)[0], weights), network.width, common)
    x = keras.layers.Flatten(dtype=weights, name="flatten")(x)
    seeds = dropout_seeds(seed)
    for i, units in enumerate(DENSE, 1):
        units = scaled(units, network.width)
        x = keras.layers.Dense(units, activation="tanh", name=f"dense{i}", **common)(x)
        drop_seed = int(seeds.integers(2**31))
        x = keras.layers.Dropout(DROPOUT, seed=drop_seed, dtype=weights, name=f"dropout{i}")(x)
    head = keras.layers.Dense(classes, name="head", **common)
    model = keras.Model(inputs, head(x), name="alexnet")
    draw_weights(model, seed)
    return model


def _features(x: Any, width: float, common: dict[str, Any]) -> Any:
    """Convolutions and pooling."""
    import keras

    for i, (filters, stride, pool) in enumerate(CONVOLUTIONS, 1):
        x = keras.layers.Conv2D(
            scaled(filters, width),
            KERNEL,
            strides=stride,
            padding="same",
            activation="relu",
            name=f"conv{i}",
            **common,
        )(x)
        if pool:
            x = keras.layers.MaxPooling2D(pool, 2, dtype=common["dtype"], name=f"pool{i}")(x)
    return x


def layers(network: AlexNet) -> int:
    """Convolutions, dense layers and the head: 8."""
    return len(CONVOLUTIONS) + len(DENSE) + 1


def cost(network: AlexNet, shape: tuple[int, int, int], classes: int) -> int:
    """Multiply-adds of convolutions and dense layers in the forward pass of one image."""
    _, (height, width, size) = enlarged(shape)
    total = 0
    for filters, stride, pool in CONVOLUTIONS:
        filters = scaled(filters, network.width)
        height, width = -(-height // stride), -(-width // stride)
        total += height * width * KERNEL**2 * size * filters
        size = filters
        if pool:
            height, width = (height - pool) // 2 + 1, (width - pool) // 2 + 1
    size *= height * width
    for units in (*(scaled(units, network.width) for units in DENSE), classes):
        total += size * units
        size = units
    return total
