"""Loss, gradients and Hessian products of a model at any weights, without a training step.

Weights go in as arrays and nothing is kept: no variable, statistic or random state moves. Dropout is off,
so that two precisions differ by rounding alone; batch normalisation uses the batch, as in training.
"""

import contextlib
import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from sixteen.precision.entry import Precision
from sixteen.precision.proofs import layers_of
from sixteen.training.step import Step


class Derived(NamedTuple):
    """What `Derivatives.at` returns; lists in order of the trainable variables, tensors on the device."""

    loss: float  # as computed by the precision, with L2 if that is asked for
    gradients: list[np.ndarray]  # of the scaled loss, in the type of their weights
    activations: list[Any]  # gradients with respect to the outputs of the tapped layers
    products: list[np.ndarray]  # Hessian times the vectors; empty without vectors


class Derivatives:
    """Derivatives of a model on batches of `step`, compiled once."""

    def __init__(
        self,
        step: Step,
        model: keras.Model,
        precision: Precision,
        tapped: tuple[keras.layers.Layer, ...] = (),
    ) -> None:
        """Layers of `model` that are `tapped` must compute in float32."""
        self.step = copy.copy(step)  # shares the data on the device
        self.step.precision = precision
        self.model = model
        self.tapped = tapped
        self._compiled = step.jit(self._derive)

    def at(
        self,
        weights: list[np.ndarray],
        batch: Any,
        scale: float = 1.0,
        vectors: list[np.ndarray] | None = None,
        penalized: bool = True,
    ) -> Derived:
        """Derivatives at `weights` (trainable, in their own types) on a `batch`, see `Task.batches`.

        Gradients and products are those of `scale` times the loss, of the task's alone unless `penalized`. Calls with
        and without `vectors` (shaped like `weights`) are compiled apart.
        """
        fixed = [variable.numpy() for variable in self.model.non_trainable_variables]
        given = [weights, fixed, vectors or [], [batch, np.float32(scale), np.float32(penalized)]]
        tensors = keras.tree.map_structure(ops.convert_to_tensor, given)
        loss, gradients, activations, products = self._compiled(self.step.train_data, *tensors)
        return Derived(float(loss), _arrays(gradients), activations, _arrays(products))

    def _derive(
        self, data: Any, weights: list[Any], fixed: list[Any], vectors: list[Any], given: list[Any]
    ) -> tuple[Any, list[Any], list[Any], list[Any]]:
        batch, scale, penalized = given
        inputs, targets = self.step.train_batch(data, batch)
        items = keras.tree.flatten(batch)[0].shape[0]
        # Zeros added to the outputs of layers: the gradient with respect to them is that of the output.
        taps = [ops.zeros((items, *layer.output.shape[1:]), "float32") for layer in self.tapped]

        def objective(values: list[list[Any]]) -> tuple[Any, Any]:
            with no_dropout(self.model), _added(self.tapped, values[1]):
                called: Any = self.model.stateless_call(
                    values[0], fixed, inputs, training=True, return_losses=True
                )
            penalties = [ops.multiply(p, ops.cast(penalized, p.dtype)) for p in called[2]]
            loss, _ = self.step.loss(called[0], targets, penalties)
            return ops.multiply(loss, scale), loss

        def along_vectors(weights: list[Any]) -> tuple[Any, Any]:
            (gradients, activations), loss = self.step.gradient(objective, [weights, taps])
            terms = [ops.sum(g * v) for g, v in zip(gradients, vectors, strict=True)]
            return sum(terms), (loss, gradients, activations)

        if not vectors:
            (gradients, activations), loss = self.step.gradient(objective, [weights, taps])
            return loss, gradients, activations, []
        # The gradient of the directional derivative is the Hessian times the direction (Pearlmutter 1994).
        with self.step.twice_differentiable():
            products, (loss, gradients, activations) = self.step.gradient(along_vectors, weights)
        return loss, gradients, activations, products


def _arrays(tensors: list[Any]) -> list[np.ndarray]:
    return [ops.convert_to_numpy(tensor) for tensor in tensors]


@contextlib.contextmanager
def no_dropout(model: keras.Model) -> Iterator[None]:
    """Trace without dropout, within blocks as well."""
    layers: Any = [x for x in layers_of(model) if isinstance(x, keras.layers.Dropout)]
    rates = [layer.rate for layer in layers]
    for layer in layers:
        layer.rate = 0.0
    try:
        yield
    finally:
        for layer, rate in zip(layers, rates, strict=True):
            layer.rate = rate


@contextlib.contextmanager
def _added(layers: tuple[keras.layers.Layer, ...], taps: list[Any]) -> Iterator[None]:
    """Trace with each tap added to the output of its layer."""

    def tapped(call: Any, tap: Any) -> Any:
        return lambda *inputs, **settings: call(*inputs, **settings) + tap

    for layer, tap in zip(layers, taps, strict=True):
        layer.call = tapped(layer.call, tap)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call  # the class's own shows again
