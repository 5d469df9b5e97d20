"""ResNets for small images, as the papers ran them: pre-activation, 6n + 2 layers.

Three stages of n units at full, half and quarter resolution with `width`, 2 `width` and 4 `width` filters;
a unit is twice batch normalisation, ReLU and a 3x3 convolution (He et al., arXiv:1603.05027). Where the
resolution halves, the shortcut is average-pooled and padded with zero channels (arXiv:1512.03385, option A),
so that it holds no weights. Settings of the code of arXiv:2305.10947: batch-norm momentum 0.99 and epsilon
1e-3, L2 on kernels. Convolutions have no bias, since the normalisation after them would cancel it.

"ResNet-156" of arXiv:2311.18587 is 152 layers: (156 - 2) / 6 isn't an integer, and the author's code
floors it to n = 25. So does this module, and `layers` says 152. The same code ends in 4096 outputs for 10
classes; here the head has as many outputs as the dataset has classes.
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
KERNEL = 3  # height and width of every convolution

TASKS = ("classify_images", "classify_image_files")
UNQUANTIZED = ("batch normalisation", "ReLU", "sums of shortcuts", "pooling", "the head")


class Resnet(Network):
    """A pre-activation ResNet of 6n + 2 layers, see the top of this module."""

    family: Literal["resnet"]
    depth: Annotated[int, Field(ge=2 * STAGES + 2, le=65_536)]
    width: Size


def build(
    network: Resnet,
    shape: tuple[int, int, int],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build the network for images [batch, *shape] in the compute type; logits [batch, classes].

    Kernels are He-normal, drawn in order of the layers.
    """
    # Here, not above: the plan asks for `layers`, and must not wait for TensorFlow.
    import keras

    parts = _Parts(precision, l2, seed)
    inputs = keras.Input(shape, dtype=precision.compute, name="images")
    x = parts.convolution(inputs, network.width, 1, "stem")
    for stage in range(STAGES):
        for unit in range(_units(network)):
            stride = 2 if stage > 0 and unit == 0 else 1
            name = f"stage{stage + 1}_unit{unit + 1}"
            x = parts.unit(x, network.width * 2**stage, stride, name)
    x = parts.activation(x, "final")
    x = keras.layers.GlobalAveragePooling2D(dtype=parts.weights, name="pool")(x)
    head = keras.layers.Dense(classes, name="head", **parts.kernel)
    return keras.Model(inputs, head(x), name="resnet")


class _Parts:
    """The layers of a ResNet with their policies; kernels are drawn in the order in which they are made."""

    def __init__(self, precision: Precision, l2: float, seed: int) -> None:
        import keras

        from sixteen.precision.layers import Layers
        from sixteen.precision.policies import policies

        self.weights, self.statistics = policies(precision)
        self.layers = Layers(precision, seed)
        self.draw = np.random.default_rng(seed)
        self.kernel = {
            "kernel_initializer": self._he_normal,
            "kernel_regularizer": keras.regularizers.L2(l2) if l2 else None,
            "dtype": self.weights,
        }

    def unit(self, x: Any, filters: int, stride: int, name: str) -> Any:
        """The sum of the shortcut and of twice normalisation, ReLU and convolution."""
        import keras

        residual = self.activation(x, f"{name}_1")
        residual = self.convolution(residual, filters, stride, f"{name}_1_conv")
        residual = self.activation(residual, f"{name}_2")
        residual = self.convolution(residual, filters, 1, f"{name}_2_conv")
        if stride == 2:
            x = keras.layers.AveragePooling2D(
                2, padding="same", dtype=self.weights, name=f"{name}_pool"
            )(x)
            x = keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, filters // 2)))
        return keras.layers.Add(dtype=self.weights, name=f"{name}_add")([x, residual])

    def convolution(self, x: Any, filters: int, stride: int, name: str) -> Any:
        """A padded 3x3 convolution."""
        return self.layers.convolution(
            filters=filters,
            kernel_size=KERNEL,
            strides=stride,
            padding="same",
            use_bias=False,
            name=name,
            **self.kernel,
        )(x)

    def activation(self, x: Any, name: str) -> Any:
        """Batch normalisation and ReLU."""
        import keras

        x = keras.layers.BatchNormalization(
            momentum=0.99, epsilon=1e-3, dtype=self.statistics, name=f"{name}_norm"
        )(x)
        return keras.layers.ReLU(dtype=self.weights, name=f"{name}_relu")(x)

    def _he_normal(self, shape: tuple[int, ...], dtype: str) -> Any:
        import keras

        deviation = math.sqrt(2 / math.prod(shape[:-1]))
        values = self.draw.standard_normal(shape, dtype=np.float32) * np.float32(deviation)
        return keras.ops.cast(values, dtype)


def layers(network: Resnet) -> int:
    """Convolutions and the head: 6n + 2, which is below `depth` where that isn't of this form."""
    return 2 * STAGES * _units(network) + 2


def cost(network: Resnet, shape: tuple[int, int, int], classes: int) -> int:
    """Multiply-adds of convolutions and head in the forward pass of one image."""
    height, width, channels = shape
    filters = network.width
    total = height * width * KERNEL**2 * channels * filters
    for stage in range(STAGES):
        if stage > 0:
            height, width = math.ceil(height / 2), math.ceil(width / 2)
        before, filters = filters, network.width * 2**stage
        inner = 2 * _units(network) - 1  # all convolutions of the stage but its first
        total += height * width * KERNEL**2 * filters * (before + inner * filters)
    return total + filters * classes


def _units(network: Resnet) -> int:
    """Units a stage: n of 6n + 2, rounded down."""
    return (network.depth - 2) // (2 * STAGES)
