"""The language model of arXiv:2403.02243: embedding, LSTM, decoder; logits of the next word after every word.

Dropout follows the embedding and every layer of LSTM. The state of a batch is the first one of the next. Settings of the
code of that paper: weights and biases of the LSTM uniform between +-1 / sqrt(units), embedding and decoder between +-0.1,
the decoder's bias zero. What it doesn't tell, how long the vectors of words are: as many numbers as there are units, our choice.

In 16 bit, gradients of the kernels are summed over the steps as in `sixteen.networks.lstm`.
"""

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sixteen.entry import Share, Size
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.shared import dropout_seeds
from sixteen.precision.entry import Precision, Quantized

if TYPE_CHECKING:
    import keras

GATES = 4
LIMIT = 0.1  # of the numbers that embedding and decoder begin with

TASKS = ("model_language",)
UNQUANTIZED = ("the embedding", "dropout", "gates", "cell states")


class LstmLanguageModel(Network):
    """So many `layers` of LSTM with so many `units`; `dropout` is the share of outputs that are dropped in training."""

    family: Literal["lstm_language_model"]
    units: Size
    layers: Size
    dropout: Share


def build(
    network: LstmLanguageModel,
    shape: tuple[int],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build the network for tokens int32 [batch, steps]; logits [batch, steps, classes] in the compute type."""
    import keras

    from sixteen.precision.layers import Layers
    from sixteen.precision.policies import policies

    weights, _ = policies(precision)
    layers, seeds = Layers(precision, seed), dropout_seeds(seed)
    penalty = keras.regularizers.L2(l2) if l2 else None

    def drop(x: Any, name: str) -> Any:
        about = {"seed": int(seeds.integers(2**31)), "dtype": weights, "name": name}
        return keras.layers.Dropout(network.dropout, **about)(x)

    inputs = keras.Input(shape, dtype="int32", name="tokens")
    embedding = keras.layers.Embedding(
        classes, network.units, embeddings_initializer="zeros", dtype=weights, name="embedding"
    )
    x = drop(embedding(inputs), "embedding_dropout")
    for layer in range(1, network.layers + 1):
        about = {"units": network.units, "penalty": penalty, "dtype": weights}
        x = drop(_lstm(precision, layers, name=f"lstm{layer}", **about)(x), f"dropout{layer}")
    decoder = layers.dense(units=classes, kernel_regularizer=penalty, dtype=weights, name="decoder")
    model = keras.Model(inputs, decoder(x), name="lstm_language_model")
    _draw(model, network.units, seed)
    return model


def _lstm(precision: Precision, layers: Any, **about: Any) -> "keras.layers.Layer":
    from sixteen.networks.parts.carrying_lstm import CarryingLstm, QuantizedCarryingLstm

    if not isinstance(precision, Quantized):
        return CarryingLstm(**about)
    return QuantizedCarryingLstm(precision, (layers.noise_seed(), layers.noise_seed()), **about)


def _draw(model: "keras.Model", units: int, seed: int) -> None:
    """Draw all weights but the decoder's bias, in their order, in float32, and round them to how they are stored."""
    import keras

    draw = np.random.default_rng(seed)
    for weight in model.trainable_variables:
        if weight.path == "decoder/bias":
            continue
        limit = 1 / math.sqrt(units) if weight.path.startswith("lstm") else LIMIT
        values = (2 * draw.random(weight.shape, dtype=np.float32) - 1) * np.float32(limit)
        weight.assign(keras.ops.cast(values, weight.dtype))


def layers(network: LstmLanguageModel) -> int:
    """Layers of LSTM and the decoder."""
    return network.layers + 1


def cost(network: LstmLanguageModel, shape: tuple[int], classes: int) -> int:
    """Multiply-adds of kernels, recurrent kernels and decoder in the forward pass of one token."""
    units = network.units
    return network.layers * GATES * units * 2 * units + units * classes
