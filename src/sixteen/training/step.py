"""One training step, whatever the backend and the task: batch, loss and the four numbers that it reports.

The task says what a batch is and what its loss. What must be the backend's own (gradient, compilation, state) is in
`step_tensorflow` and `step_jax`, behind the interface of `Step`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import numpy as np
from keras import ops

from sixteen.errors import UserError
from sixteen.precision.entry import Precision
from sixteen.tasks.parts.task import Task
from sixteen.training.recipe import Recipe


class Step(ABC):
    """A model, its optimizer and the data of its task on the device. State lives in Keras variables between calls."""

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        task: Task,
        precision: Precision,
        recipe: Recipe,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.task = task
        self.precision = precision
        self.recipe = recipe
        self.train_data = keras.tree.map_structure(ops.convert_to_tensor, task.train_data())
        self.test_data = keras.tree.map_structure(ops.convert_to_tensor, task.test_data())

    @abstractmethod
    def compile(self, rows: np.ndarray) -> None:
        """Compile training and evaluation for batches of the shape of `rows`; leaves the state as it was."""

    @abstractmethod
    def train(
        self, rows: np.ndarray, rates: np.ndarray, bits: np.ndarray, tick: Callable[[], object]
    ) -> np.ndarray:
        """Take one step for each of `rows` (see `Task.rows`) with the learning rate of `rates`, float32 [steps].

        Where the rate is what the optimizer has, nothing is assigned. `bits`, int32 [steps], are those of the forward
        pass where layers are quantized, and nothing elsewhere. Calls `tick` after each step. Returns float32
        [steps, 4]: loss without penalties, correct predictions, gradient elements that are zero, gradient elements
        that aren't finite (before unscaling, if the loss is scaled).
        """

    @abstractmethod
    def test_batch(self, indices: np.ndarray, bits: int) -> np.ndarray:
        """Predictions [batch, ...] in the compute type for test items int32 [batch], with so many forward `bits`."""

    @abstractmethod
    def apply(self, gradients: list[Any]) -> None:
        """Let the optimizer take, or skip, one step with these (scaled) gradients, outside of what is compiled."""

    @abstractmethod
    def jit(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Compile a function of nested lists of tensors at its first call for each choice of shapes."""

    @abstractmethod
    def gradient(self, function: Callable[[Any], tuple[Any, Any]], values: Any) -> tuple[Any, Any]:
        """The gradient of a `function` that returns a scalar and more, at nested `values`, and that more.

        For use in what `jit` compiles. Within `twice_differentiable`, a gradient of a gradient works.
        """

    def twice_differentiable(self) -> AbstractContextManager[None]:
        """Within, what is traced has the right second derivatives too."""
        return nullcontext()

    def predictions(self, bits: int) -> np.ndarray:
        """Predictions [test items, ...] in the compute type, in the order of the test set, with so many forward `bits`."""
        batches = self.task.test_batches(self.recipe.part)
        return self.task.in_order(np.stack([self.test_batch(batch, bits) for batch in batches]))

    def train_batch(self, data: Any, rows: Any) -> tuple[Any, Any]:
        """Inputs in the compute type and targets of the batch `rows`, see `Task.batches`. Traced."""
        return self.task.train_batch(data, rows, self.recipe.augmentation, self.precision.compute)

    def loss(self, outputs: Any, targets: Any, penalties: list[Any]) -> tuple[Any, Any]:
        """What is minimised, and the task's loss in it; the rest are L2 penalties. Traced."""
        own = self.task.loss(outputs, targets, self.precision.loss, self.recipe.label_smoothing)
        loss = own
        for penalty in penalties:
            loss = loss + ops.cast(penalty, self.precision.loss)
        return loss, own

    def _report(self, loss: Any, outputs: Any, targets: Any, gradients: list[Any]) -> Any:
        """Float32 [4], see `train`. Counts above 2^24 (of networks as large) are rounded to float32."""
        for variable, gradient in zip(self.model.trainable_variables, gradients, strict=True):
            if gradient.dtype != variable.value.dtype:
                raise UserError(
                    f"expected the gradient of {variable.path} in {variable.dtype}, as it is stored, came "
                    f"{gradient.dtype}; give each layer the policy that sixteen.precision.policies offers"
                )
        correct = self.task.correct(outputs, targets)
        # One vector: a pair of reductions for each tensor would cost a sixth of the compile time.
        gradient: Any = ops.concatenate([ops.cast(ops.ravel(g), "float32") for g in gradients])
        masks = (gradient == 0, ops.logical_not(ops.isfinite(gradient)))
        counts = [ops.sum(ops.cast(mask, "float32")) for mask in masks]
        return ops.stack([ops.cast(loss, "float32"), correct, *counts])
