"""The training step on TensorFlow: stateful variables, XLA, one call a step.

A loop over steps inside XLA would spare the calls, but runs convolutions ten times slower on CPUs.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from sixteen.training.step import Step


class TensorFlowStep(Step):
    """See `Step`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._train = tf.function(self._train_step, jit_compile=True, autograph=False)
        self._test = tf.function(self._test_step, jit_compile=True, autograph=False)

    def compile(self, rows: np.ndarray) -> None:
        """See `Step`."""
        variables = [*self.model.variables, *self.optimizer.variables]
        before = [variable.numpy() for variable in variables]
        self._train(tf.constant(rows), tf.constant(0))
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        self.test_batch(np.zeros(self.batch, np.int32))

    def train_epoch(self, rows: np.ndarray, tick: Callable[[], object]) -> np.ndarray:
        """See `Step`."""
        on_device = tf.constant(rows)
        reports = []
        for number in range(len(rows)):
            reports.append(self._train(on_device, tf.constant(number)))
            tick()
        return np.stack([report.numpy() for report in reports])

    def test_batch(self, indices: np.ndarray) -> np.ndarray:
        """See `Step`."""
        return self._test(tf.constant(indices)).numpy()

    def _train_step(self, rows: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
        # A gather, because a slice at `number` would be compiled again for each number.
        images, labels = self._train_batch(self.train_data, tf.gather(rows, number))
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.model(images, training=True)
            loss, entropy = self._loss(logits, labels, self.model.losses)
            scaled = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, variables)
        self.optimizer.apply(gradients, variables)
        return self._report(entropy, logits, labels, gradients)

    def _test_step(self, indices: tf.Tensor) -> tf.Tensor:
        return self.model(self._test_batch(self.test_data, indices), training=False)
