"""The task `classify_images`: one label for each image.

Images stay on the device as uint8; a step gathers its batch by index, normalises it in float32 and casts it to the
compute type.
"""

from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from sixteen.datasets.prepared.images import Images
from sixteen.errors import UserError
from sixteen.tasks.parts import classification
from sixteen.tasks.parts.order import PADDING, epoch_rows
from sixteen.tasks.parts.task import Task

FORM = Images


def bind(folder: Path) -> "ClassifyImages":
    """The task on the prepared images in `folder`."""
    return ClassifyImages(Images.load(folder))


class ClassifyImages(Task):
    """See `Task`."""

    item = "image"

    def __init__(self, images: Images) -> None:
        self.images = images
        self.shape = images.train_images.shape[1:]
        self.outputs = len(images.classes)
        self.train_items, self.test_items = len(images.train_labels), len(images.test_labels)

    def rows(self, batch: int, augmentation: str, seed: int, epoch: int) -> np.ndarray:
        """int32 [steps, batch, 4] of image, down, right (0 to 8 pixels), flip (0, 1), see `order`."""
        if augmentation == "resized-crop-flip":
            raise UserError(
                "expected `augmentation: none`, `flip` or `crop-flip` for the task classify_images, came resized-crop-flip, "
                "which is for pictures in files; choose another recipe of params.yaml"
            )
        return epoch_rows(self.train_items, batch, augmentation, seed, epoch)

    def train_data(self) -> Any:
        """See `Task`."""
        return self.images.train_images, self.images.train_labels

    def test_data(self) -> Any:
        """See `Task`."""
        return self.images.test_images, self.images.test_labels

    def train_batch(self, data: Any, rows: Any, augmentation: str, compute: str) -> tuple[Any, Any]:
        """Images [batch, height, width, channels] and labels int32 [batch]."""
        images, labels = data
        label = ops.take(labels, rows[:, 0], axis=0)
        if augmentation == "none":
            return self._normalise(ops.take(images, rows[:, 0], axis=0), compute), label
        return self._crops(images, rows, compute), label

    def test_batch(self, data: Any, indices: Any, compute: str) -> Any:
        """Images [batch, height, width, channels]."""
        return self._normalise(ops.take(data[0], indices, axis=0), compute)

    def loss(self, outputs: Any, targets: Any, dtype: str, smoothing: float) -> Any:
        """Softmax cross-entropy."""
        return classification.cross_entropy(outputs, targets, dtype, smoothing)

    def correct(self, outputs: Any, targets: Any) -> Any:
        """See `Task`."""
        return classification.correct(outputs, targets)

    def tested(self, predictions: np.ndarray) -> dict[str, float]:
        """See `Task`; `predictions` are logits [test images, classes]."""
        return classification.tested(predictions, self.images.test_labels)

    def _crops(self, images: Any, rows: Any, compute: str) -> Any:
        """Shifted and flipped images; what a shift uncovers is the mean colour, as in arXiv:1512.03385."""
        _, height, width, channels = images.shape
        down, right, flip = (rows[:, i, None] - PADDING * (i < 3) for i in (1, 2, 3))
        y = ops.arange(height, dtype="int32") + down
        x = ops.arange(width, dtype="int32")
        x = ops.where(flip == 1, width - 1 - x, x) + right
        inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
        pixel = (rows[:, 0, None, None] * height + y[:, :, None]) * width + x[:, None, :]
        crops = ops.take(ops.reshape(images, (-1, channels)), ops.where(inside, pixel, 0), axis=0)
        crops = self._normalise(crops, compute)
        return ops.where(inside[..., None], crops, ops.zeros_like(crops))

    def _normalise(self, images: Any, compute: str) -> Any:
        mean, std = self.images.mean, self.images.std
        return ops.cast((ops.cast(images, "float32") - mean) / std, compute)
