"""The training step on JAX: state goes in and out of a jitted function, which may reuse its memory."""

from collections.abc import Callable
from typing import Any

import jax  # pyright: ignore[reportMissingImports] (an optional extra)
import keras
import numpy as np

from sixteen.precision import quantizers
from sixteen.precision.bits import FULL
from sixteen.training.step import Step


class JaxStep(Step):
    """See `Step`; the items of a batch are spread over the devices of Keras' distribution, if there is one.

    XLA computes what one device would, but for the order of sums: batch norm sees the whole batch. All else is on each.
    """

    def compile(self, rows: np.ndarray) -> None:
        """See `Step`."""
        everywhere = _everywhere()
        if everywhere is not None:
            self.train_data, self.test_data = jax.device_put(
                (self.train_data, self.test_data), everywhere
            )
        train = jax.jit(self._train_step, donate_argnums=0, out_shardings=everywhere)
        state = self._state()
        batch = _spread(next(iter(self.task.batches(rows[:1]))))
        self._train = train.lower(state, self.train_data, batch, np.int32(FULL)).compile()
        indices = _spread(self.task.test_batches(self.recipe.part)[0])
        test = jax.jit(self._test_step, out_shardings=everywhere)
        self._test = test.lower(*state[:2], self.test_data, indices, np.int32(FULL)).compile()

    def train(
        self, rows: np.ndarray, rates: np.ndarray, bits: np.ndarray, tick: Callable[[], object]
    ) -> np.ndarray:
        """See `Step`."""
        state, variable = self._state(), self.optimizer.learning_rate
        everywhere = _everywhere()
        place = next(i for i, slot in enumerate(self.optimizer.variables) if slot is variable)
        present, reports = variable.numpy(), []
        batches = self.task.batches(rows)
        for batch, rate, many in zip(batches, rates, bits.astype(np.int32), strict=True):
            if rate != present:
                state[2][place], present = jax.device_put(rate, everywhere), rate
            state, report = self._train(state, self.train_data, _spread(batch), many)
            reports.append(report)
            tick()
        self._keep(state)
        return np.stack([np.asarray(report) for report in reports])

    def test_batch(self, indices: np.ndarray, bits: int) -> np.ndarray:
        """See `Step`."""
        given = (self.test_data, _spread(indices), np.int32(bits))
        predictions, moved = self._test(*self._state()[:2], *given)
        for variable, value in zip(self.model.non_trainable_variables, moved, strict=True):
            variable.assign(value)
        return np.asarray(predictions)

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
        self, state: list[Any], data: Any, batch: Any, bits: Any
    ) -> tuple[list[Any], Any]:
        trainable, non_trainable, slots = state
        inputs, targets = self.train_batch(data, batch)

        def objective(trainable: list[Any]) -> tuple[Any, Any]:
            with quantizers.at(bits):
                called: Any = self.model.stateless_call(
                    trainable, non_trainable, inputs, training=True, return_losses=True
                )
            outputs, moved, penalties = called
            loss, own = self.loss(outputs, targets, penalties)
            with keras.StatelessScope(
                state_mapping=zip(self.optimizer.variables, slots, strict=True)
            ):
                scaled = self.optimizer.scale_loss(loss)
            return scaled, (own, outputs, moved)

        gradients, (own, outputs, moved) = jax.grad(objective, has_aux=True)(trainable)
        report = self._report(own, outputs, targets, gradients)
        trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
        return [trainable, moved, slots], report

    def _test_step(
        self, trainable: list[Any], fixed: list[Any], data: Any, indices: Any, bits: Any
    ) -> tuple[Any, list[Any]]:
        inputs = self.task.test_batch(data, indices, self.precision.compute)
        with quantizers.at(bits):
            called: Any = self.model.stateless_call(trainable, fixed, inputs, training=False)
        return self.task.predicted(called[0], data, indices), called[1]


def _spread(batch: Any) -> Any:
    """A batch, or any nest of arrays with its items along their first axis, with a part of the items on each device."""
    spread: Any = keras.distribution.distribution()
    if spread is None:
        return batch
    return keras.tree.map_structure(
        lambda part: keras.distribution.distribute_tensor(part, spread.get_data_layout(part.shape)),
        batch,
    )


def _everywhere() -> Any:
    """Where a tensor is that each device holds; None where there is one device."""
    spread: Any = keras.distribution.distribution()
    if spread is None:
        return None
    return jax.sharding.NamedSharding(spread.device_mesh.backend_mesh, jax.sharding.PartitionSpec())
