"""RetinaNet (arXiv:1708.02002) on a ResNet of basic blocks, as arXiv:2403.02243 ran it: every convolution may be quantized.

The backbone is that of ResNet-18 but for its width: a 7x7 convolution and a max pooling, each with stride 2, then stages of
post-activation units with `width`, 2 `width`... filters at strides 4, 8... (`sixteen.networks.resnet_v1`). All stages but
the first give a level of the feature pyramid: a 1x1 convolution, to which what comes from the level above is added,
enlarged, and a 3x3 one. Higher levels come of 3x3 convolutions with stride 2, of the last stage and then, after a ReLU,
of the level before. Two heads, each the same for all levels, tell the classes and offsets of every anchor.

Settings of the code of arXiv:2403.02243: kernels normal with variance 2 / (k^2 filters); those of the heads' outputs zero,
and every class has probability 0.01 at first. Its biases are zero here, our choice. Its batch norm is frozen, since it
starts from weights trained on ImageNet: here, where nothing is trained before, it learns and moves as elsewhere.
"""

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from sixteen.entry import Listed, Size
from sixteen.errors import UserError
from sixteen.networks.parts.family import Network
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

STEM, KERNEL = 7, 3  # height and width of the first convolution, and of all that aren't 1x1
STRIDE = 4  # of the first stage
EACH, SIDES = 9, 4  # anchors at each place, see sixteen.tasks.parts.anchors, and offsets of each
PRIOR = 0.01  # of each class, before training

TASKS = ("detect_objects",)
UNQUANTIZED = (
    "batch normalisation",
    "ReLU",
    "sums of shortcuts and of levels",
    "pooling and enlarging",
)


class Retinanet(Network):
    """So many `units` a stage; so many `levels` with `features` filters, as the `convolutions` of each head have.

    ResNet-18 with RetinaNet's own heads: width 64, units [2, 2, 2, 2], levels 5, features 256, convolutions 4.
    """

    family: Literal["retinanet"]
    width: Size
    units: Annotated[Listed[Size], Field(min_length=2, max_length=5)]
    levels: Annotated[int, Field(ge=1, le=6)]
    features: Size
    convolutions: Size

    @model_validator(mode="after")
    def _every_stage_has_a_level(self) -> Self:
        if self.levels < len(self.units) - 1:
            raise ValueError(
                f"expected a level for each of the {len(self.units) - 1} stages but the first, came {self.levels} `levels`"
            )
        return self


def build(
    network: Retinanet,
    shape: tuple[int, int, int],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build the network for pictures [batch, *shape] in the compute type; outputs [batch, anchors, classes + 4] in it.

    Logits of the classes come first, then offsets; anchors level by level, row by row. UserError if the sides of pictures
    are no multiples of the stride of the last stage.
    """
    import keras

    from sixteen.networks.resnet_v1 import Parts

    _check(network, shape)
    parts = Parts(precision, l2, seed)
    inputs = keras.Input(shape, dtype=precision.compute, name="pictures")
    levels = _pyramid(network, _backbone(network, inputs, parts), parts)
    told = [_head(network, levels, many, parts, name) for many, name in _heads(classes)]
    x = keras.ops.concatenate(told, axis=-1)
    return keras.Model(inputs, x, name="retinanet")


def _backbone(network: Retinanet, x: Any, parts: Any) -> list[Any]:
    """What the stages but the first put out."""
    import keras

    x = parts.relu(parts.normalised(x, network.width, STEM, 2, "stem"), "stem")
    x = keras.layers.MaxPooling2D(3, 2, "same", dtype=parts.weights, name="pool")(x)
    stages = []
    for stage, units in enumerate(network.units):
        for unit in range(units):
            stride = 2 if stage > 0 and unit == 0 else 1
            x = parts.unit(x, network.width * 2**stage, stride, f"stage{stage + 1}_unit{unit + 1}")
        stages.append(x)
    return stages[1:]


def _pyramid(network: Retinanet, stages: list[Any], parts: Any) -> list[Any]:
    """The levels, [batch, rows, columns, features] each."""
    import keras

    def level(x: Any, size: int, stride: int, name: str) -> Any:
        return _convolution(parts, network.features, size, stride, name)(x)

    above, levels = None, []
    for number in range(len(stages), 0, -1):
        x = level(stages[number - 1], 1, 1, f"lateral{number}")
        if above is not None:
            enlarge = keras.layers.UpSampling2D(2, dtype=parts.weights, name=f"enlarge{number}")
            add = keras.layers.Add(dtype=parts.weights, name=f"level{number}_add")
            x = add([x, enlarge(above)])
        above = x
        levels.insert(0, level(x, KERNEL, 1, f"level{number}"))
    x = stages[-1]
    for number in range(len(stages) + 1, network.levels + 1):
        x = parts.relu(x, f"level{number - 1}") if number > len(stages) + 1 else x
        x = level(x, KERNEL, 2, f"level{number}")
        levels.append(x)
    return levels


def _head(network: Retinanet, levels: list[Any], many: int, parts: Any, name: str) -> Any:
    """So `many` numbers for each anchor, [batch, anchors, many], by the same layers on all levels."""
    import keras

    layers = []
    for number in range(1, network.convolutions + 1):
        layers.append(_convolution(parts, network.features, KERNEL, 1, f"{name}{number}"))
        layers.append(keras.layers.ReLU(dtype=parts.weights, name=f"{name}{number}_relu"))
    prior = -math.log((1 - PRIOR) / PRIOR) if name == "classes" else 0.0
    layers.append(
        parts.layers.convolution(
            filters=EACH * many,
            kernel_size=KERNEL,
            padding="same",
            bias_initializer=keras.initializers.Constant(prior),
            name=name,
            **parts.kernel(1) | {"kernel_initializer": "zeros"},
        )
    )
    told = []
    for x in levels:
        for layer in layers:
            x = layer(x)
        told.append(keras.ops.reshape(x, (-1, EACH * x.shape[1] * x.shape[2], many)))
    return keras.ops.concatenate(told, axis=1)


def _convolution(parts: Any, filters: int, size: int, stride: int, name: str) -> Any:
    """A padded convolution with biases, which are zero at first."""
    return parts.layers.convolution(
        filters=filters,
        kernel_size=size,
        strides=stride,
        padding="same",
        name=name,
        **parts.kernel(size * size * filters),
    )


def layers(network: Retinanet) -> int:
    """Convolutions but those of shortcuts; those of heads, which all levels share, once."""
    stages = len(network.units) - 1
    pyramid = 2 * stages + (network.levels - stages)
    return 1 + 2 * sum(network.units) + pyramid + 2 * (network.convolutions + 1)


def cost(network: Retinanet, shape: tuple[int, int, int], classes: int) -> int:
    """Multiply-adds of all convolutions in the forward pass of one picture; heads count on every level."""
    _check(network, shape)
    square, features = KERNEL**2, network.features
    total = _places(shape, 1) * STEM**2 * shape[2] * network.width
    filters = network.width
    for stage, units in enumerate(network.units):
        before, filters = filters, network.width * 2**stage
        shortcut = 0 if before == filters else before
        inner = (2 * units - 1) * filters
        kernels = filters * (square * (before + inner) + shortcut)
        total += _places(shape, stage + 2) * kernels
        if stage > 0:
            total += _places(shape, stage + 2) * features * (filters + square * features)
    for level in range(len(network.units), network.levels + 1):
        into = filters if level == len(network.units) else features
        total += _places(shape, level + 2) * square * into * features
    outputs = EACH * (classes + SIDES)
    head = square * features * (2 * network.convolutions * features + outputs)
    return total + head * sum(_places(shape, level + 2) for level in range(1, network.levels + 1))


def _heads(classes: int) -> tuple[tuple[int, str], ...]:
    return ((classes, "classes"), (SIDES, "offsets"))


def _places(shape: tuple[int, int, int], halved: int) -> int:
    """Rows times columns after so many halvings, rounded up."""
    return -(-shape[0] // 2**halved) * -(-shape[1] // 2**halved)


def _check(network: Retinanet, shape: tuple[int, int, int]) -> None:
    stride = STRIDE * 2 ** (len(network.units) - 1)
    if shape[0] % stride or shape[1] % stride:
        raise UserError(
            f"expected pictures whose sides are multiples of {stride}, the stride of the last stage, came "
            f"{shape[0]} x {shape[1]}; choose a dataset of such pictures, or fewer stages"
        )
