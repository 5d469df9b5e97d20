"""The training step on TensorFlow: stateful variables, XLA, one call a step.

A loop over steps inside XLA would spare the calls, but runs convolutions ten times slower on CPUs.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from sixteen.precision import quantizers
from sixteen.precision.bits import FULL
from sixteen.training.step import Step


class TensorFlowStep(Step):
    """See `Step`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._train = self.jit(self._train_step)
        self._test = self.jit(self._test_step)

    def compile(self, rows: np.ndarray) -> None:
        """See `Step`."""
        variables = [*self.model.variables, *self.optimizer.variables]
        before = [variable.numpy() for variable in variables]
        self._train(_tensors(next(iter(self.task.batches(rows[:1])))), tf.constant(FULL))
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        self.test_batch(self.task.test_batches(self.recipe.part)[0], FULL)

    def train(
        self, rows: np.ndarray, rates: np.ndarray, bits: np.ndarray, tick: Callable[[], object]
    ) -> np.ndarray:
        """See `Step`."""
        present, reports = self.optimizer.learning_rate.numpy(), []
        batches = self.task.batches(rows)
        for batch, rate, many in zip(batches, rates, bits.tolist(), strict=True):
            if rate != present:
                self.optimizer.learning_rate = present = rate
            reports.append(self._train(_tensors(batch), tf.constant(many)))
            tick()
        return np.stack([report.numpy() for report in reports])

    def test_batch(self, indices: np.ndarray, bits: int) -> np.ndarray:
        """See `Step`."""
        return self._test(_tensors(indices), tf.constant(bits)).numpy()

    def apply(self, gradients: list[Any]) -> None:
        """See `Step`."""
        self.optimizer.apply(gradients, self.model.trainable_variables)

    def jit(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """See `Step`."""
        return tf.function(function, jit_compile=True, autograph=False)

    def gradient(self, function: Callable[[Any], tuple[Any, Any]], values: Any) -> tuple[Any, Any]:
        """See `Step`."""
        with tf.GradientTape() as tape:
            tape.watch(values)
            scalar, more = function(values)
        zero = tf.UnconnectedGradients.ZERO
        return tape.gradient(scalar, values, unconnected_gradients=zero), more

    @contextlib.contextmanager
    def twice_differentiable(self) -> Iterator[None]:
        """See `Step`. TensorFlow's moments, below every normalisation, hold the mean constant."""
        own = tf.nn.moments
        tf.nn.moments = _moments
        try:
            yield
        finally:
            tf.nn.moments = own

    def _train_step(self, batch: Any, bits: tf.Tensor) -> tf.Tensor:
        inputs, targets = self.train_batch(self.train_data, batch)
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            with quantizers.at(bits):
                outputs = self.model(inputs, training=True)
            loss, own = self.loss(outputs, targets, self.model.losses)
            scaled = self.optimizer.scale_loss(loss)
        # Those of embeddings come by rows, repeated ones apart, which clipping would not add up.
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(scaled, variables)]
        self.optimizer.apply(gradients, variables)
        return self._report(own, outputs, targets, gradients)

    def _test_step(self, indices: Any, bits: tf.Tensor) -> tf.Tensor:
        inputs = self.task.test_batch(self.test_data, indices, self.precision.compute)
        with quantizers.at(bits):
            outputs = self.model(inputs, training=False)
        return self.task.predicted(outputs, self.test_data, indices)


def _tensors(batch: Any) -> Any:
    return tf.nest.map_structure(tf.constant, batch)


def _moments(x: tf.Tensor, axes: Any, keepdims: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance of float32 `x`, as by `tf.nn.moments`, whose variance stops the mean's gradient.

    That leaves the first derivative alone, since deviations from the mean sum to zero, but not the second.
    """
    mean = tf.reduce_mean(x, axes, keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(x, mean), axes, keepdims=keepdims)
    return mean if keepdims else tf.squeeze(mean, axes), variance
