"""The task `detect_objects`: boxes around what is in a picture, and the class of each, as by RetinaNet (arXiv:1708.02002).

A network gives [batch, anchors, classes + 4] for pictures: logits of classes, and how far a box lies from its anchor. How
many anchors there are tells how many levels, see `sixteen.tasks.parts.anchors`.
"""

from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from sixteen.datasets.prepared.boxes import Boxes
from sixteen.errors import UserError
from sixteen.tasks.parts import anchors, focal, suppression
from sixteen.tasks.parts.order import epoch_rows
from sixteen.tasks.parts.task import Task

FORM = Boxes


def bind(folder: Path) -> "DetectObjects":
    """The task on the prepared pictures in `folder`."""
    return DetectObjects(Boxes.load(folder))


class DetectObjects(Task):
    """See `Task`. Predictions are boxes, float32 [test pictures, 100, 7]: four sides, score, class, loss of the picture.

    The loss stands in each row of its picture; a row without a box is zero but for it.
    """

    item = "picture"

    def __init__(self, boxes: Boxes) -> None:
        self.boxes = boxes
        self.shape = boxes.train_images.shape[1:]
        self.outputs = len(boxes.classes)
        self.train_items, self.test_items = len(boxes.train_images), len(boxes.test_images)

    def rows(self, batch: int, augmentation: str, seed: int, epoch: int) -> np.ndarray:
        """int32 [steps, batch, 4] of picture, 4, 4, flip (0, 1), see `order`."""
        if augmentation not in ("none", "flip"):
            raise UserError(
                "expected `augmentation: flip` or `none` for the task detect_objects, whose boxes no crop may cut, came "
                f"{augmentation}; choose a recipe of params.yaml with that"
            )
        return epoch_rows(self.train_items, batch, augmentation, seed, epoch)

    def train_data(self) -> Any:
        """See `Task`."""
        return self.boxes.train_images, self.boxes.train_boxes, self.boxes.train_classes

    def test_data(self) -> Any:
        """See `Task`."""
        return self.boxes.test_images, self.boxes.test_boxes, self.boxes.test_classes

    def train_batch(self, data: Any, rows: Any, augmentation: str, compute: str) -> tuple[Any, Any]:
        """Pictures [batch, height, width, channels]; boxes float32 [batch, most, 4] and classes int32 [batch, most]."""
        images, boxes, classes = (ops.take(array, rows[:, 0], axis=0) for array in data)
        if augmentation == "flip":
            flip = (rows[:, 3] == 1)[:, None, None]
            images = ops.where(flip[..., None], ops.flip(images, axis=2), images)
            left, top, right, bottom = ops.split(boxes, 4, axis=-1)
            width = self.shape[1]
            turned = ops.concatenate([width - right, top, width - left, bottom], axis=-1)
            boxes = ops.where(flip, turned, boxes)
        return self._normalise(images, compute), (boxes, classes)

    def test_batch(self, data: Any, indices: Any, compute: str) -> Any:
        """Pictures [batch, height, width, channels]."""
        return self._normalise(ops.take(data[0], indices, axis=0), compute)

    def loss(self, outputs: Any, targets: Any, dtype: str, smoothing: float) -> Any:
        """Focal loss of classes and smooth L1 loss of boxes, see `focal`."""
        if smoothing:
            raise UserError(
                f"expected `label_smoothing: 0` for the task detect_objects, came {smoothing}, which is for labels of one of "
                "several classes; choose a recipe of params.yaml without it"
            )
        return ops.mean(focal.losses(outputs, self._anchors(outputs), targets, dtype))

    def predicted(self, outputs: Any, data: Any, indices: Any) -> Any:
        """Boxes that no better one of their class suppresses, cut to the picture, and the loss; all float32."""
        outputs = ops.cast(outputs, "float32")
        known = self._anchors(outputs)
        boxes = ops.clip(anchors.decode(outputs[..., -4:], known), 0.0, self._corner())
        found = suppression.suppressed(boxes, ops.sigmoid(outputs[..., :-4]))
        targets = tuple(ops.take(array, indices, axis=0) for array in data[1:])
        loss = focal.losses(outputs, known, targets, "float32")
        column = ops.broadcast_to(loss[:, None, None], (*found.shape[:2], 1))
        return ops.concatenate([found, column], axis=-1)

    def tested(self, predictions: np.ndarray) -> dict[str, float]:
        """`test_loss`: the mean of the pictures."""
        return {"test_loss": float(predictions[:, 0, -1].mean(dtype=np.float64))}

    def _anchors(self, outputs: Any) -> np.ndarray:
        return anchors.anchors(self.shape, outputs.shape[1])

    def _corner(self) -> np.ndarray:
        height, width, _ = self.shape
        return np.array([width, height, width, height], np.float32)

    def _normalise(self, images: Any, compute: str) -> Any:
        mean, std = self.boxes.mean, self.boxes.std
        return ops.cast((ops.cast(images, "float32") - mean) / std, compute)
