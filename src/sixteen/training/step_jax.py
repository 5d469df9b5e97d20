"""The training step on JAX: state goes in and out of a jitted function, which may reuse its memory."""

from collections.abc import Callable
from typing import Any

import jax  # pyright: ignore[reportMissingImports] (an optional extra)
import keras
import numpy as np

from sixteen.training.step import Step


class JaxStep(Step):
    """See `Step`."""

    def compile(self, rows: np.ndarray) -> None:
        """See `Step`."""
        train = jax.jit(self._train_step, donate_argnums=0)
        state = self._state()
        self._train = train.lower(state, self.train_data, rows, np.int32(0)).compile()
        indices = np.zeros(self.batch, np.int32)
        test = jax.jit(self._test_step)
        self._test = test.lower(*state[:2], self.test_data, indices).compile()

    def train_epoch(self, rows: np.ndarray, tick: Callable[[], object]) -> np.ndarray:
        """See `Step`."""
        on_device = jax.device_put(rows)
        state = self._state()
        reports = []
        for number in range(len(rows)):
            state, report = self._train(state, self.train_data, on_device, np.int32(number))
            reports.append(report)
            tick()
        self._keep(state)
        return np.stack([np.asarray(report) for report in reports])

    def test_batch(self, indices: np.ndarray) -> np.ndarray:
        """See `Step`."""
        return np.asarray(self._test(*self._state()[:2], self.test_data, indices))

    def apply(self, gradients: list[Any]) -> None:
        """See `Step`."""
        # Not `apply`: Keras' dynamic scale branches with side effects, which JAX can't outside of a trace.
        trainable, fixed, slots = self._state()
        trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
        self._keep([trainable, fixed, slots])

    def jit(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """See `Step`."""
        return jax.jit(function)

    def gradient(self, function: Callable[[Any], tuple[Any, Any]], values: Any) -> tuple[Any, Any]:
        """See `Step`."""
        return jax.grad(function, has_aux=True)(values)

    def _state(self) -> list[list[Any]]:
        return [[variable.value for variable in group] for group in self._groups()]

    def _keep(self, state: list[Any]) -> None:
        for group, values in zip(self._groups(), state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)

    def _groups(self) -> list[list[keras.Variable]]:
        return [
            self.model.trainable_variables,
            self.model.non_trainable_variables,
            self.optimizer.variables,
        ]

    def _train_step(
        self, state: list[Any], data: tuple[Any, Any], rows: Any, number: Any
    ) -> tuple[list[Any], Any]:
        trainable, non_trainable, slots = state
        images, labels = self._train_batch(data, rows[number])

        def objective(trainable: list[Any]) -> tuple[Any, Any]:
            called: Any = self.model.stateless_call(
                trainable, non_trainable, images, training=True, return_losses=True
            )
            logits, moved, penalties = called
            loss, entropy = self._loss(logits, labels, penalties)
            with keras.StatelessScope(
                state_mapping=zip(self.optimizer.variables, slots, strict=True)
            ):
                scaled = self.optimizer.scale_loss(loss)
            return scaled, (entropy, logits, moved)

        gradients, (entropy, logits, moved) = jax.grad(objective, has_aux=True)(trainable)
        report = self._report(entropy, logits, labels, gradients)
        trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
        return [trainable, moved, slots], report

    def _test_step(self, trainable: list[Any], fixed: list[Any], data: Any, indices: Any) -> Any:
        images = self._test_batch(data, indices)
        return self.model.stateless_call(trainable, fixed, images, training=False)[0]
