"""Layers, multiply-adds and activations of a built network, counted layer by layer."""

import math
from collections.abc import Iterator
from typing import Any

import keras

from sixteen.networks.parts.attention import Attention
from sixteen.networks.parts.carrying_lstm import CarryingLstm

LSTM = (keras.layers.LSTM, CarryingLstm)
WEIGHTED = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
WEIGHTED += (keras.layers.Dense,)


def layers_of(model: keras.Model) -> int:
    """How many layers hold kernels; an attention counts as four (queries, keys, values, output)."""
    attentions = sum(isinstance(layer, keras.layers.MultiHeadAttention) for layer in model.layers)
    held = (*WEIGHTED, *LSTM)
    return sum(isinstance(layer, held) for layer in model.layers) + 4 * attentions


def cost_of(model: keras.Model) -> int:
    """Multiply-adds of one item in the forward pass: convolutions, dense layers, attention and LSTM."""
    return sum(map(_adds, model.layers))


def activation_elements(model: keras.Model) -> int:
    """Elements of the outputs of all operations for one item, without the item.

    A function that belongs to a layer (a convolution's ReLU) isn't counted apart; of an attention its scores and shares
    count too (of Keras' also queries, keys, values and their product), of an LSTM its four gates, cell state and output
    at every step.
    """
    total = 0
    for operation in model.operations:
        if isinstance(operation, keras.layers.InputLayer):
            continue
        if isinstance(operation, LSTM):
            total += 6 * operation.units * operation.input.shape[1]
            continue
        total += sum(map(_elements, _outputs(operation)))
        if isinstance(operation, keras.layers.MultiHeadAttention):
            tokens, heads, size = _attention(operation)
            scores = heads * tokens**2
            asked = len(keras.tree.flatten(operation.output)) > 1  # then the shares are an output
            total += 4 * tokens * heads * size + (1 if asked else 2) * scores
        if isinstance(operation, Attention):
            total += 2 * operation.heads * operation.output.shape[1] ** 2
    return total


def _adds(layer: Any) -> int:
    if isinstance(layer, keras.layers.MultiHeadAttention):
        tokens, heads, size = _attention(layer)
        return tokens * sum(_kernels(layer)) + 2 * heads * tokens**2 * size
    if isinstance(layer, Attention):
        _, tokens, width = layer.output.shape
        return 2 * tokens**2 * width
    if isinstance(layer, LSTM):
        return layer.input.shape[1] * sum(_kernels(layer))
    if isinstance(layer, WEIGHTED):
        places = sum(math.prod(tensor.shape[1:-1]) for tensor in _outputs(layer))
        return places * sum(_kernels(layer))
    return 0


def _outputs(operation: Any) -> list[Any]:
    """The outputs of every call of an operation: some layers serve several parts of a network."""
    return keras.tree.flatten([node.outputs for node in operation._inbound_nodes])


def _kernels(layer: Any) -> Iterator[int]:
    return (math.prod(w.shape) for w in layer.weights if w.name.endswith("kernel"))


def _attention(layer: Any) -> tuple[int, int, int]:
    """Tokens, heads and length of a key, of an attention over its own input."""
    output = keras.tree.flatten(layer.output)[0]
    return output.shape[1], layer.num_heads, layer.key_dim


def _elements(tensor: Any) -> int:
    return math.prod(tensor.shape[1:])
