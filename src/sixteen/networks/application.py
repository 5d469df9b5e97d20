"""Networks of keras.applications, with every width multiplied and small images enlarged.

`name` is DenseNet121, DenseNet169, Xception or MobileNetV2; `width` multiplies the filters of
all convolutions and the units of all dense layers but the last; `blocks` is null, or the four numbers of
layers of a smaller DenseNet. Images below 32 pixels are enlarged by repeating each pixel.

keras.applications builds the network in float32, untrained and without the softmax; then each layer is made
anew with its dtype policy. The numbers of layers and multiply-adds come from `arithmetic`, without Keras.
"""

import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from sixteen.entry import Listed, Multiple, Size
from sixteen.networks.parts import arithmetic
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.shared import draw_weights, enlarge, enlarged, scaled
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

# Xception refuses smaller images, for which its full resolution isn't made; its layers take them all the same.
LEAST = {"Xception": 71}

TASKS = ("classify_images", "classify_image_files")


class Application(Network):
    """A network of keras.applications, see the top of this module."""

    family: Literal["application"]
    name: Literal["DenseNet121", "DenseNet169", "Xception", "MobileNetV2"]
    width: Multiple
    blocks: Annotated[Listed[Size], Field(min_length=4, max_length=4)] | None

    @model_validator(mode="after")
    def _blocks_of_a_densenet(self) -> Self:
        if self.blocks is not None and not self.name.startswith("DenseNet"):
            raise ValueError(
                f"expected `blocks: null` for {self.name}, came {list(self.blocks)}; only a DenseNet can be built of "
                "other blocks"
            )
        return self


def build(
    network: Application,
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

    factor, size = enlarged(shape)
    original = skeleton(network, size, classes)
    anew = _Anew(network, precision, l2, original.layers[-1].name)
    inputs = keras.Input(shape, dtype=precision.compute, name="images")

    def call(layer: "keras.Layer", *tensors: Any, **options: Any) -> Any:
        if tensors[0] is inputs:
            tensors = (enlarge(inputs, factor, anew.weights),)
        return layer(*tensors, **options)

    model = keras.models.clone_model(
        original, input_tensors=inputs, clone_function=anew.layer, call_function=call
    )
    draw_weights(model, seed)
    return model


class _Anew:
    """Makes layers anew: with their policies and penalty, at another width, all but that of the `head`."""

    def __init__(self, network: Application, precision: Precision, l2: float, head: str) -> None:
        from sixteen.precision.policies import policies

        self.width, self.l2, self.head = network.width, l2, head
        self.weights, self.statistics = policies(precision)
        self.automatic: Counter[str] = Counter()

    def layer(self, layer: "keras.Layer") -> "keras.Layer":
        """A layer like this one."""
        import keras

        config = layer.get_config()
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        config["dtype"] = self.statistics if is_norm else self.weights
        for key in ("filters", "units"):
            if key in config and layer.name != self.head:
                config[key] = scaled(config[key], self.width)
        for key in ("kernel", "depthwise", "pointwise"):
            if self.l2 and f"{key}_initializer" in config:
                config[f"{key}_regularizer"] = keras.regularizers.L2(self.l2)
        # Keras numbers the layers without a name through the whole process: here they start at 1.
        kind = _snake(type(layer).__name__)
        if re.fullmatch(rf"{kind}(_\d+)?", layer.name):
            self.automatic[kind] += 1
            config["name"] = f"{kind}_{self.automatic[kind]}"
        return type(layer).from_config(config)


def skeleton(network: Application, shape: tuple[int, int, int], classes: int) -> "keras.Model":
    """The network as keras.applications builds it, in float32 and at its own width."""
    import keras

    name = network.name
    least = LEAST.get(name, 0)
    given = {
        "weights": None,
        "classes": classes,
        "classifier_activation": None,
        "input_shape": (max(shape[0], least), max(shape[1], least), shape[2]),
    }
    if network.blocks is not None:
        # Keras exports its DenseNets, but not the function that builds any of them.
        from keras.src.applications.densenet import DenseNet

        return DenseNet(network.blocks, **given)
    return getattr(keras.applications, name)(**given)


def layers(network: Application) -> int:
    """Convolutions and dense layers; a separable convolution is one."""
    return len(_adds(network, (32, 32, 3), 10))


def cost(network: Application, shape: tuple[int, int, int], classes: int) -> int:
    """Multiply-adds of convolutions and dense layers in the forward pass of one image."""
    return sum(_adds(network, enlarged(shape)[1], classes))


def _adds(network: Application, shape: tuple[int, int, int], classes: int) -> list[int]:
    count = arithmetic.NETWORKS[network.name]
    tally = arithmetic.Tally(shape, network.width)
    if network.blocks is None:
        count(tally, classes)
    else:
        arithmetic.densenet(tally, classes, network.blocks)
    return tally.adds


def _snake(name: str) -> str:
    """The name that Keras gives to layers of a class: Conv2D is conv2d, ZeroPadding2D zero_padding2d."""
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
