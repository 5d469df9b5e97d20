"""LSTM for sequences (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

Layers of `units` cells, each of which reads the outputs of the one below at every step; the logits come from the last
output of the last layer. Initial weights are Keras' defaults: kernels Glorot-uniform, recurrent kernels orthogonal
(arXiv:1312.6120), so that a state neither grows nor fades at first, biases zero but for those of the forget gates,
which are one (Jozefowicz et al. 2015, section 2.2).

Gates, cell states and outputs are computed in the compute type at every step; in the backward pass the gradients of
weights are summed over the steps in the type in which the weights are stored. The loop is Keras' own on every device:
cuDNN's would compute in other formats than the entry says, and XLA can't compile it.
"""

from typing import TYPE_CHECKING, Literal

from sixteen.entry import Size
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.shared import draw_weights
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

GATES = 4  # input, forget, candidate and output, side by side in each kernel

TASKS = ("classify_sequences",)


class Lstm(Network):
    """So many `layers` of LSTM with so many `units`."""

    family: Literal["lstm"]
    units: Size
    layers: Size


def build(
    network: Lstm,
    shape: tuple[int, int],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build the network for sequences [batch, length, channels] in the compute type; logits [batch, classes]."""
    import keras

    from sixteen.precision.policies import policies

    weights, _ = policies(precision)
    penalty = keras.regularizers.L2(l2) if l2 else None
    inputs = keras.Input(shape, dtype=precision.compute, name="sequences")
    x = inputs
    for layer in range(1, network.layers + 1):
        x = keras.layers.LSTM(
            network.units,
            return_sequences=layer < network.layers,
            kernel_regularizer=penalty,
            recurrent_regularizer=penalty,
            recurrent_initializer="zeros",  # until it is drawn; Keras has no orthogonal one in 16 bit
            seed=0,  # of dropout, which there isn't; Keras would draw one
            use_cudnn=False,
            dtype=weights,
            name=f"lstm{layer}",
        )(x)
    head = keras.layers.Dense(classes, kernel_regularizer=penalty, dtype=weights, name="head")
    model = keras.Model(inputs, head(x), name="lstm")
    draw_weights(model, seed)
    return model


def layers(network: Lstm) -> int:
    """Layers of LSTM and the head."""
    return network.layers + 1


def cost(network: Lstm, shape: tuple[int, int], classes: int) -> int:
    """Multiply-adds of kernels, recurrent kernels and head in the forward pass of one sequence."""
    length, size = shape
    units, total = network.units, 0
    for _ in range(network.layers):
        total += length * GATES * units * (size + units)
        size = units
    return total + units * classes
