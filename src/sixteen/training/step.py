"""One training step, whatever the backend: batch, loss and the four numbers that it reports.

Images stay on the device as uint8; a step gathers its batch by index, normalises it in float32 and casts
it to the compute type. What must be the backend's own (gradient, compilation, state) is in
`step_tensorflow` and `step_jax`, behind the interface of `Step`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import numpy as np
from keras import ops

from sixteen.datasets import Dataset
from sixteen.errors import UserError
from sixteen.training.order import PADDING


class Step(ABC):
    """A model, its optimizer and its data on the device. State lives in Keras variables between calls."""

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        dataset: Dataset,
        precision: dict[str, Any],
        recipe: dict[str, Any],
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.compute = precision["compute"]
        self.loss_dtype = precision["loss"]
        self.batch = recipe["batch"]
        self.augmentation = recipe["augmentation"]
        self.scale = (dataset.mean, dataset.std)
        self.train_data = self._on_device(dataset.train_images, dataset.train_labels)
        self.test_data = self._on_device(dataset.test_images, dataset.test_labels)
        self.test_images = len(dataset.test_labels)

    @abstractmethod
    def compile(self, rows: np.ndarray) -> None:
        """Compile training and evaluation for batches of the shape of `rows`; leaves the state as it was."""

    @abstractmethod
    def train_epoch(self, rows: np.ndarray, tick: Callable[[], object]) -> np.ndarray:
        """Take one step for each of `rows` (int32 [steps, batch, 4], see `order.epoch_rows`).

        Calls `tick` after each. Returns float32 [steps, 4]: cross-entropy, correct predictions, gradient elements
        that are zero, gradient elements that aren't finite (before unscaling, if the loss is scaled).
        """

    @abstractmethod
    def test_batch(self, indices: np.ndarray) -> np.ndarray:
        """Logits [batch, classes] in the compute type for test images int32 [batch]."""

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

    def logits(self) -> np.ndarray:
        """Logits [test images, classes] in the compute type, in the order of the test set."""
        # The last batch is filled up with the first image, so that one compiled shape serves all.
        steps = -(-self.test_images // self.batch)
        indices = np.zeros(steps * self.batch, np.int32)
        indices[: self.test_images] = np.arange(self.test_images)
        batches = [self.test_batch(chunk) for chunk in indices.reshape(steps, self.batch)]
        return np.concatenate(batches)[: self.test_images]

    def _on_device(self, images: np.ndarray, labels: np.ndarray) -> tuple[Any, Any]:
        return ops.convert_to_tensor(images), ops.convert_to_tensor(labels)

    def _train_batch(self, data: tuple[Any, Any], rows: Any) -> tuple[Any, Any]:
        """The images [batch, h, w, c] in the compute type and labels [batch] that `rows` [batch, 4] name."""
        images, labels = data
        label = ops.take(labels, rows[:, 0], axis=0)
        if self.augmentation == "none":
            return self._normalise(ops.take(images, rows[:, 0], axis=0)), label
        _, height, width, channels = images.shape
        down, right, flip = (rows[:, i, None] - PADDING * (i < 3) for i in (1, 2, 3))
        y = ops.arange(height, dtype="int32") + down
        x = ops.arange(width, dtype="int32")
        x = ops.where(flip == 1, width - 1 - x, x) + right
        inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
        pixel = (rows[:, 0, None, None] * height + y[:, :, None]) * width + x[:, None, :]
        # Padding is 0 after normalisation, the mean colour, as in arXiv:1512.03385.
        crops = ops.take(ops.reshape(images, (-1, channels)), ops.where(inside, pixel, 0), axis=0)
        crops = self._normalise(crops)
        return ops.where(inside[..., None], crops, ops.zeros_like(crops)), label

    def _test_batch(self, data: tuple[Any, Any], indices: Any) -> Any:
        return self._normalise(ops.take(data[0], indices, axis=0))

    def _normalise(self, images: Any) -> Any:
        mean, std = self.scale
        return ops.cast((ops.cast(images, "float32") - mean) / std, self.compute)

    def _loss(self, logits: Any, labels: Any, penalties: list[Any]) -> tuple[Any, Any]:
        """What is minimised, and the mean softmax cross-entropy in it; the rest are L2 penalties."""
        likelihoods: Any = ops.log_softmax(ops.cast(logits, self.loss_dtype))
        chosen = ops.one_hot(labels, logits.shape[-1], dtype="bool")
        picked = ops.where(chosen, likelihoods, ops.zeros_like(likelihoods))
        entropy: Any = ops.negative(ops.mean(ops.sum(picked, axis=-1)))
        loss = entropy
        for penalty in penalties:
            loss = loss + ops.cast(penalty, self.loss_dtype)
        return loss, entropy

    def _report(self, entropy: Any, logits: Any, labels: Any, gradients: list[Any]) -> Any:
        """Float32 [4], see `train_epoch`. Counts above 2^24 (of networks as large) are rounded to float32."""
        for variable, gradient in zip(self.model.trainable_variables, gradients, strict=True):
            if gradient.dtype != variable.value.dtype:
                raise UserError(
                    f"expected the gradient of {variable.path} in {variable.dtype}, as it is stored, came "
                    f"{gradient.dtype}; give each layer the policy that sixteen.precision.policies offers"
                )
        correct = ops.cast(ops.argmax(logits, axis=-1), "int32") == labels
        # One vector: a pair of reductions for each tensor would cost a sixth of the compile time.
        gradient: Any = ops.concatenate([ops.cast(ops.ravel(g), "float32") for g in gradients])
        masks = (correct, gradient == 0, ops.logical_not(ops.isfinite(gradient)))
        counts = [ops.sum(ops.cast(mask, "float32")) for mask in masks]
        return ops.stack([ops.cast(entropy, "float32"), *counts])
