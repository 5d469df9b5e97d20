"""VGG-16 and VGG-19 with batch normalisation, as the code of arXiv:2305.10947 has them.

Five stages of 3x3 convolutions with ReLU, each halved by max pooling; then two dense layers of 4096 with
ReLU. Unlike the networks of keras.applications (family `application`), which barely begin to learn from
Glorot-uniform weights, there is batch normalisation after each pooling and, after the last, of the flattened
features. `width` multiplies filters and units. Images below 32 pixels are enlarged by repeating each pixel.
"""

from typing import TYPE_CHECKING, Any, Literal

from sixteen.entry import Multiple
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.shared import draw_weights, enlarge, enlarged, scaled
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

KERNEL = 3  # height and width of every convolution
FILTERS = (64, 128, 256, 512, 512)  # of each stage
CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # of each stage, by depth
DENSE = 4096  # units of each of two dense layers

TASKS = ("classify_images", "classify_image_files")


class Vgg(Network):
    """VGG-16 or -19; `width` multiplies filters and units."""

    family: Literal["vgg"]
    depth: Literal[16, 19]
    width: Multiple


def build(
    network: Vgg,
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

    weights, statistics = policies(precision)
    common = {"dtype": weights, "kernel_regularizer": keras.regularizers.L2(l2) if l2 else None}
    inputs = keras.Input(shape, dtype=precision.compute, name="images")
    x = enlarge(inputs, enlarged(shape)[0], weights)
    for stage, (filters, count) in enumerate(_stages(network), 1):
        x = _stage(x, filters, count, f"stage{stage}", common)
        if stage < len(FILTERS):
            x = keras.layers.BatchNormalization(dtype=statistics, name=f"stage{stage}_norm")(x)
    x = keras.layers.Flatten(dtype=weights, name="flatten")(x)
    x = keras.layers.BatchNormalization(dtype=statistics, name="norm")(x)
    for i in (1, 2):
        units = scaled(DENSE, network.width)
        x = keras.layers.Dense(units, activation="relu", name=f"dense{i}", **common)(x)
    model = keras.Model(inputs, keras.layers.Dense(classes, name="head", **common)(x), name="vgg")
    draw_weights(model, seed)
    return model


def _stage(x: Any, filters: int, count: int, name: str, common: dict[str, Any]) -> Any:
    """So many convolutions, then pooling."""
    import keras

    for i in range(1, count + 1):
        x = keras.layers.Conv2D(
            filters,
            KERNEL,
            padding="same",
            activation="relu",
            name=f"{name}_conv{i}",
            **common,
        )(x)
    return keras.layers.MaxPooling2D(2, dtype=common["dtype"], name=f"{name}_pool")(x)


def layers(network: Vgg) -> int:
    """Convolutions, dense layers and the head: the depth."""
    return sum(count for _, count in _stages(network)) + 3


def cost(network: Vgg, shape: tuple[int, int, int], classes: int) -> int:
    """Multiply-adds of convolutions and dense layers in the forward pass of one image."""
    _, (height, width, size) = enlarged(shape)
    total = 0
    for filters, count in _stages(network):
        total += height * width * KERNEL**2 * filters * (size + (count - 1) * filters)
        height, width, size = height // 2, width // 2, filters
    units = scaled(DENSE, network.width)
    return total + height * width * size * units + units**2 + units * classes


def _stages(network: Vgg) -> list[tuple[int, int]]:
    """Filters and number of convolutions of each stage."""
    counts = CONVOLUTIONS[network.depth]
    return [(scaled(f, network.width), n) for f, n in zip(FILTERS, counts, strict=True)]
