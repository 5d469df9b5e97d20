"""A multilayer perceptron: so many hidden units with ReLU, then the outputs."""

import math
from typing import TYPE_CHECKING, Literal

from sixteen.entry import Count
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.shared import draw_weights
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

TASKS = ("fit_signals",)


class Mlp(Network):
    """One hidden layer of `units`."""

    family: Literal["mlp"]
    units: Count


def build(
    network: Mlp,
    shape: tuple[int, ...],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build the network for items [batch, *shape] in the compute type; outputs [batch, classes]."""
    import keras

    from sixteen.precision.policies import policies

    weights, _ = policies(precision)
    penalty = keras.regularizers.L2(l2) if l2 else None
    inputs = keras.Input(shape, dtype=precision.compute, name="items")
    x = keras.layers.Flatten(dtype=weights, name="flatten")(inputs)
    for units, activation, name in ((network.units, "relu", "hidden"), (classes, None, "outputs")):
        x = keras.layers.Dense(
            units, activation=activation, kernel_regularizer=penalty, dtype=weights, name=name
        )(x)
    model = keras.Model(inputs, x, name="mlp")
    draw_weights(model, seed)
    return model


def layers(network: Mlp) -> int:
    """Hidden layer and outputs."""
    return 2


def cost(network: Mlp, shape: tuple[int, ...], classes: int) -> int:
    """Multiply-adds of both layers."""
    return network.units * (math.prod(shape) + classes)
