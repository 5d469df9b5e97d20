"""Kinks of a network of ReLUs: which units a change of the weights moves across one, and what comes of it.

A rectified unit is linear on either side of its kink. Held on the side where it is, it gives a network without these
kinks, which agrees with the real one up to the first unit that crosses: what the Hessian misses of the change of the
gradient in the real network, and not in the held one, is due to the units that cross. Max pooling has kinks of its own,
which are neither counted nor held.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from sixteen.training.derivatives import Derivatives, no_dropout

# Sides of a unit: at most 0, linear; 2 is at the largest value of a clipped ReLU.
BELOW, WITHIN = 0, 1


class Crossing(NamedTuple):
    """What `Kinks.between` returns."""

    units: dict[str, int]  # outputs of each rectified layer, over the items of the batch
    crossed: dict[str, int]  # those that are on another side
    gradients: list[np.ndarray]  # float32, at the new weights with every unit held on its old side


class Kinks:
    """The rectified units of the float32 model of `exact`, on batches of its step; compiled once."""

    def __init__(self, exact: Derivatives) -> None:
        self.step, self.model = exact.step, exact.model
        self.layers = tuple(layer for layer in self.model.layers if _is_rectified(layer))
        self._compiled = self.step.jit(self._cross)

    def between(self, here: list[np.ndarray], there: list[np.ndarray], batch: Any) -> Crossing:
        """Units that change sides from the weights `here` to those `there` (trainable, float32), on a `batch`.

        See `Task.batches`. Nothing is kept: no variable, statistic or random state moves.
        """
        fixed = [variable.numpy() for variable in self.model.non_trainable_variables]
        given = [[ops.convert_to_tensor(t) for t in group] for group in (here, there, fixed)]
        batch = keras.tree.map_structure(ops.convert_to_tensor, batch)
        crossed, gradients = self._compiled(self.step.train_data, *given, batch)
        items = len(keras.tree.flatten(batch)[0])
        sizes = {x.name: items * int(np.prod(x.output.shape[1:])) for x in self.layers}
        return Crossing(
            sizes,
            {name: int(count) for name, count in zip(sizes, crossed, strict=True)},
            [ops.convert_to_numpy(gradient) for gradient in gradients],
        )

    def _cross(
        self, data: Any, here: list[Any], there: list[Any], fixed: list[Any], batch: Any
    ) -> tuple[list[Any], list[Any]]:
        inputs, targets = self.step.train_batch(data, batch)

        def call(weights: list[Any]) -> Any:
            with no_dropout(self.model):
                return self.model.stateless_call(
                    weights, fixed, inputs, training=True, return_losses=True
                )

        with _noted(self.layers) as old:
            call(here)
        with _noted(self.layers) as new:
            call(there)

        def held(weights: list[Any]) -> tuple[Any, None]:
            with _held(self.layers, old):
                outputs, _, penalties = call(weights)
            return self.step.loss(outputs, targets, penalties)[0], None

        gradients, _ = self.step.gradient(held, there)
        changed = [ops.not_equal(old[layer.name], new[layer.name]) for layer in self.layers]
        return [ops.sum(ops.cast(sides, "int32")) for sides in changed], gradients


def _is_rectified(layer: keras.layers.Layer) -> bool:
    return (
        isinstance(layer, keras.layers.ReLU)
        or getattr(layer, "activation", None) is keras.activations.relu
    )


def _side(layer: keras.layers.Layer, output: Any) -> Any:
    side = ops.cast(output > 0, "int32")
    most = getattr(layer, "max_value", None)
    return side if most is None else side + ops.cast(output >= most, "int32")


@contextlib.contextmanager
def _noted(layers: tuple[keras.layers.Layer, ...]) -> Iterator[dict[str, Any]]:
    """Trace, and give the sides of all units by layer."""
    sides: dict[str, Any] = {}

    def noted(layer: Any, call: Any) -> Any:
        def calls(inputs: Any, **settings: Any) -> Any:
            output = call(inputs, **settings)
            sides[layer.name] = _side(layer, output)
            return output

        return calls

    with _called({layer: noted(layer, layer.call) for layer in layers}):
        yield sides


@contextlib.contextmanager
def _held(layers: tuple[keras.layers.Layer, ...], sides: dict[str, Any]) -> Iterator[None]:
    """Trace with every unit on the side that it is given."""

    def held(layer: Any, call: Any) -> Any:
        most = getattr(layer, "max_value", None) or 0.0

        def calls(inputs: Any, **settings: Any) -> Any:
            side = sides[layer.name]
            linear = inputs if isinstance(layer, keras.layers.ReLU) else call(inputs, **settings)
            return ops.where(side == BELOW, 0.0, ops.where(side == WITHIN, linear, most))

        return calls

    own: list[Any] = [layer for layer in layers if hasattr(layer, "activation")]
    for layer in own:
        layer.activation = keras.activations.linear
    try:
        with _called({layer: held(layer, layer.call) for layer in layers}):
            yield
    finally:
        for layer in own:
            layer.activation = keras.activations.relu


@contextlib.contextmanager
def _called(calls: dict[Any, Any]) -> Iterator[None]:
    """Trace with these functions in place of the `call` of layers."""
    for layer, call in calls.items():
        layer.call = call
    try:
        yield
    finally:
        for layer in calls:
            del layer.call  # the class's own shows again
