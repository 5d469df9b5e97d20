"""The form of pictures with boxes around what is in them, each of a class, in one file."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sixteen.datasets.prepared.entry import Normalisation
from sixteen.datasets.prepared.files import Prepared
from sixteen.datasets.prepared.images import mean_and_std
from sixteen.datasets.prepared.seen import digests, seen
from sixteen.errors import UserError

NONE = -1  # the class of a row that holds no box


@dataclass(frozen=True)
class Boxes(Prepared):
    """Pictures and their boxes; a network sees `(float32(images) - mean) / std`.

    Images are uint8 [n, height, width, channels]. Boxes are float32 [n, most, 4]: left, top, right and bottom in pixels
    from the upper left corner, so that one around a single pixel has width 1; classes int32 [n, most] from 0 to
    `len(classes) - 1`. A picture with fewer boxes than `most` ends with rows of zeros, whose class is -1. `mean` and
    `std` are float32 [1] or [channels], in units of 0 to 255.
    """

    train_images: np.ndarray
    train_boxes: np.ndarray
    train_classes: np.ndarray
    test_images: np.ndarray
    test_boxes: np.ndarray
    test_classes: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    classes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        train: tuple[np.ndarray, list[np.ndarray]],
        test: tuple[np.ndarray, list[np.ndarray]],
        classes: tuple[str, ...],
        normalisation: Normalisation,
    ) -> Self:
        """From images and what was read of each: a row a box, [boxes, 5], of its four sides and its class.

        UserError for a part without pictures, pictures of two sizes, a box that is empty or reaches out of its picture, a
        class that is none of `classes`, and a class without a box in training.
        """
        if train[0].shape[1:] != test[0].shape[1:]:
            raise UserError(
                f"expected training and test pictures of one size, came {train[0].shape[1:]} and {test[0].shape[1:]}; "
                "bring them to one"
            )
        for part, (images, rows) in (("training", train), ("test", test)):
            _check(part, images, rows, len(classes))
        boxes, seen = _padded(train[1])
        for number, name in enumerate(classes):
            if not (seen == number).any():
                raise UserError(
                    f"expected a box of each class in training, came none of {name!r}; take more training pictures, or "
                    "leave the class out"
                )
        about = (*mean_and_std(train[0], normalisation), classes)
        return cls(train[0], boxes, seen, test[0], *_padded(test[1]), *about)

    @classmethod
    def random(cls, n: int, shape: tuple[int, ...], outputs: int) -> Self:
        """As many random pictures for training as for the test, `n`, with a box of each of so many classes."""
        draw = np.random.default_rng(0)
        parts = []
        for _ in range(2):
            images = draw.integers(0, 256, (n, *shape), dtype=np.uint8)
            upper = draw.uniform(0, 0.5, (n, outputs, 2))
            corners = np.concatenate([upper, upper + 0.5], 2) * (2 * [shape[1], shape[0]])
            named = np.broadcast_to(np.arange(outputs)[:, None], (n, outputs, 1))
            parts.append((images, list(np.concatenate([corners, named], 2))))
        return cls.of(parts[0], parts[1], tuple(map(str, range(outputs))), "unit")

    def facts(self) -> dict[str, Any]:
        """Counts, shape, mean and std for the record."""
        return {
            "train_items": len(self.train_images),
            "test_items": len(self.test_images),
            "train_boxes": int((self.train_classes != NONE).sum()),
            "test_boxes": int((self.test_classes != NONE).sum()),
            "outputs": len(self.classes),
            "shape": list(self.train_images.shape[1:]),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "seen_items": seen(digests(self.train_images), digests(self.test_images)),
        }


def _padded(rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Boxes float32 [n, most, 4] and classes int32 [n, most]; at least one row, so that no tensor is empty."""
    most = max(1, *map(len, rows))
    boxes = np.zeros((len(rows), most, 4), np.float32)
    classes = np.full((len(rows), most), NONE, np.int32)
    for picture, row in enumerate(rows):
        boxes[picture, : len(row)] = row[:, :4]
        classes[picture, : len(row)] = row[:, 4]
    return boxes, classes


def _check(part: str, images: np.ndarray, rows: list[np.ndarray], classes: int) -> None:
    if len(images) == 0:
        raise UserError(
            f"expected pictures in the {part} part, came none; mend the split of the data"
        )
    height, width = images.shape[1:3]
    for picture, row in enumerate(rows):
        for left, top, right, bottom, label in row.tolist():
            of = f"[{left:g}, {top:g}, {right:g}, {bottom:g}] of {part} picture {picture}"
            if not (left < right and top < bottom):
                raise UserError(
                    f"expected boxes with left < right and top < bottom, came {of}; mend the box, or take it out"
                )
            if left < 0 or top < 0 or right > width or bottom > height:
                raise UserError(
                    f"expected boxes within their pictures of {height} rows and {width} columns, came {of}; mend the box, "
                    "or take it out"
                )
            if not 0 <= label < classes:
                raise UserError(
                    f"expected classes from 0 to {classes - 1}, came {label:g} for the box {of}; mend the labels"
                )
