"""ResNets for small images as arXiv:2403.02243 ran them: post-activation, 6n + 2 layers, shortcuts that are trained.

Three stages of n units at full, half and quarter resolution with `width`, 2 `width` and 4 `width` filters; a unit is
twice a 3x3 convolution and batch normalisation, a ReLU after the first, and after the sum with the shortcut (He et al.,
arXiv:1512.03385). Where the shape changes, the shortcut is a 1x1 convolution and a normalisation (option B there).
Settings of the code of arXiv:2403.02243: kernels normal with variance 2 / (k^2 filters), the head with 2 / (inputs
outputs); batch-norm momentum 0.9 and epsilon 1e-5; convolutions without bias.
"""

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sixteen.entry import Size
from sixteen.networks.parts.family import Network
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

STAGES = 3
KERNEL = 3  # height and width of every convolution but those of shortcuts

TASKS = ("classify_images", "classify_image_files")
UNQUANTIZED = ("batch normalisation", "ReLU", "sums of shortcuts", "pooling", "the head")


class ResnetV1(Network):
    """A post-activation ResNet of 6n + 2 layers, see the top of this module."""

    family: Literal["resnet_v1"]
    depth: Annotated[int, Field(ge=2 * STAGES + 2, le=65_536)]
    width: Size


def build(
    network: ResnetV1,
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

    parts = Parts(precision, l2, seed)
    inputs = keras.Input(shape, dtype=precision.compute, name="images")
    x = parts.relu(parts.normalised(inputs, network.width, KERNEL, 1, "stem"), "stem")
    for stage in range(STAGES):
        for unit in range(_units(network)):
            stride = 2 if stage > 0 and unit == 0 else 1
            x = parts.unit(x, network.width * 2**stage, stride, f"stage{stage + 1}_unit{unit + 1}")
    x = keras.layers.GlobalAveragePooling2D(dtype=parts.weights, name="pool")(x)
    head = keras.layers.Dense(classes, name="head", **parts.kernel(x.shape[-1] * classes))
    return keras.Model(inputs, head(x), name="resnet_v1")


class Parts:
    """The layers of a ResNet with their policies; kernels are drawn in the order in which they are made."""

    def __init__(self, precision: Precision, l2: float, seed: int) -> None:
        import keras

        from sixteen.precision.layers import Layers
        from sixteen.precision.policies import policies

        self.weights, self.statistics = policies(precision)
        self.layers = Layers(precision, seed)
        self.draw = np.random.default_rng(seed)
        self.penalty = keras.regularizers.L2(l2) if l2 else None

    def unit(self, x: Any, filters: int, stride: int, name: str) -> Any:
        """Twice convolution and normalisation, added to the shortcut."""
        import keras

        residual = self.normalised(x, filters, KERNEL, stride, f"{name}_1")
        residual = self.relu(residual, f"{name}_1")
        residual = self.normalised(residual, filters, KERNEL, 1, f"{name}_2")
        if stride != 1 or x.shape[-1] != filters:
            x = self.normalised(x, filters, 1, stride, f"{name}_shortcut")
        x = keras.layers.Add(dtype=self.weights, name=f"{name}_add")([x, residual])
        return self.relu(x, name)

    def normalised(self, x: Any, filters: int, size: int, stride: int, name: str) -> Any:
        """A padded convolution and its batch normalisation."""
        x = self.layers.convolution(
            filters=filters,
            kernel_size=size,
            strides=stride,
            padding="same",
            use_bias=False,
            name=f"{name}_conv",
            **self.kernel(size * size * filters),
        )(x)
        return self.norm(x, name)

    def norm(self, x: Any, name: str) -> Any:
        """A batch normalisation."""
        import keras

        return keras.layers.BatchNormalization(
            momentum=0.9, epsilon=1e-5, dtype=self.statistics, name=f"{name}_norm"
        )(x)

    def relu(self, x: Any, name: str) -> Any:
        """A ReLU."""
        import keras

        return keras.layers.ReLU(dtype=self.weights, name=f"{name}_relu")(x)

    def kernel(self, fan: int) -> dict[str, Any]:
        """What all kernels share; drawn with variance 2 / `fan`."""
        return {
            "kernel_initializer": self._normal(math.sqrt(2 / fan)),
            "kernel_regularizer": self.penalty,
            "dtype": self.weights,
        }

    def _normal(self, deviation: float) -> Any:
        import keras

        def draw(shape: tuple[int, ...], dtype: str) -> Any:
            values = self.draw.standard_normal(shape, dtype=np.float32) * np.float32(deviation)
            return keras.ops.cast(values, dtype)

        return draw


def layers(network: ResnetV1) -> int:
    """Convolutions but those of shortcuts, and the head: 6n + 2."""
    return 2 * STAGES * _units(network) + 2


def cost(network: ResnetV1, shape: tuple[int, int, int], classes: int) -> int:
    """Multiply-adds of convolutions, shortcuts and head in the forward pass of one image."""
    height, width, channels = shape
    filters = network.width
    total = height * width * KERNEL**2 * channels * filters
    for stage in range(STAGES):
        if stage > 0:
            height, width = math.ceil(height / 2), math.ceil(width / 2)
        before, filters = filters, network.width * 2**stage
        inner = 2 * _units(network) - 1  # all convolutions of the stage but its first
        shortcut = 0 if before == filters else before
        total += height * width * filters * (KERNEL**2 * (before + inner * filters) + shortcut)
    return total + filters * classes


def _units(network: ResnetV1) -> int:
    """Units a stage: n of 6n + 2, rounded down."""
    return (network.depth - 2) // (2 * STAGES)
