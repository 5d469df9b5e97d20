"""The task `classify_image_files`: one label for each picture, of datasets too large for memory.

Threads of the run decode, cut and resize the pictures of the next batches while the device trains on the last (Pillow,
without Python's lock); a step gets uint8 pixels, normalises them in float32 and casts them to the compute type.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from PIL import Image

from sixteen.ahead import ahead
from sixteen.datasets.prepared.image_files import ImageFiles, rgb
from sixteen.tasks.parts import classification, crops
from sixteen.tasks.parts.task import Task

FORM = ImageFiles


def bind(folder: Path) -> "ClassifyImageFiles":
    """The task on the prepared pictures in `folder`."""
    return ClassifyImageFiles(ImageFiles.load(folder), folder)


class ClassifyImageFiles(Task):
    """See `Task`."""

    item = "image"

    def __init__(self, files: ImageFiles, folder: Path) -> None:
        self.files, self.shape = files, files.shape
        self.train = Reader(folder / "train.images", files.train_places, files.shape[0])
        self.test = Reader(folder / "test.images", files.test_places, files.shape[0])
        self.outputs = len(files.classes)
        self.train_items, self.test_items = len(files.train_labels), len(files.test_labels)

    def rows(self, batch: int, augmentation: str, seed: int, epoch: int) -> np.ndarray:
        """int32 [steps, batch, 6] of image and crop, see `crops`."""
        return crops.epoch_rows(self.files.train_sizes, batch, augmentation, seed, epoch)

    def batches(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pixels uint8 [batch, side, side, 3] and labels int32 [batch] of each batch."""
        labels = self.files.train_labels[rows[..., 0]]
        return zip(ahead(self.train.pixels, rows, self.threads), labels, strict=True)

    def train_data(self) -> Any:
        """Nothing: it comes batch by batch."""
        return ()

    def test_data(self) -> Any:
        """Nothing: it comes batch by batch."""
        return ()

    def train_batch(self, data: Any, rows: Any, augmentation: str, compute: str) -> tuple[Any, Any]:
        """Images [batch, side, side, 3] and labels int32 [batch]."""
        pixels, labels = rows
        return self._normalise(pixels, compute), labels

    def test_batches(self, batch: int) -> "TestBatches":  # pyright: ignore[reportIncompatibleMethodOverride]
        """A sequence of pixels uint8 [batch, side, side, 3] of the middles of the pictures."""
        rows = crops.middles(super().test_batches(batch), self.files.test_sizes)
        return TestBatches(self.test, rows, self.threads)

    def test_batch(self, data: Any, indices: Any, compute: str) -> Any:
        """Images [batch, side, side, 3] of one of the `test_batches`."""
        return self._normalise(indices, compute)

    def loss(self, outputs: Any, targets: Any, dtype: str, smoothing: float) -> Any:
        """Softmax cross-entropy."""
        return classification.cross_entropy(outputs, targets, dtype, smoothing)

    def correct(self, outputs: Any, targets: Any) -> Any:
        """See `Task`."""
        return classification.correct(outputs, targets)

    def tested(self, predictions: np.ndarray) -> dict[str, float]:
        """See `Task`; `predictions` are logits [test images, classes]."""
        return classification.tested(predictions, self.files.test_labels)

    def _normalise(self, pixels: Any, compute: str) -> Any:
        mean, std = self.files.mean, self.files.std
        return ops.cast((ops.cast(pixels, "float32") - mean) / std, compute)


class Reader:
    """Reads pictures of one file, and cuts `side` x `side` pixels out of each."""

    def __init__(self, file: Path, places: np.ndarray, side: int) -> None:
        self.coded = np.memmap(file, np.uint8, "r")
        self.file, self.places, self.side = file, places, side

    def pixels(self, rows: np.ndarray) -> np.ndarray:
        """Pixels uint8 [batch, side, side, 3] of the crops `rows` int32 [batch, 6], see `crops`.

        Resized linearly, over the area of a pixel where that shrinks them (Pillow's bilinear).
        """
        found = np.empty((len(rows), self.side, self.side, 3), np.uint8)
        for at, (image, top, left, height, width, flip) in enumerate(rows.tolist()):
            first, many = self.places[image]
            whole = rgb(
                self.coded[first : first + many].tobytes(), f"picture {image} of {self.file}"
            )
            # Cut first: with a box, resizing would look at what lies beside it.
            part = whole.crop((left, top, left + width, top + height))
            size = (self.side, self.side)
            found[at] = np.asarray(part.resize(size, Image.Resampling.BILINEAR))
            if flip:
                found[at] = found[at, :, ::-1]
        return found


class TestBatches(Sequence[np.ndarray]):
    """Batches of test pictures, read ahead where they are iterated over."""

    __test__ = False  # no test of pytest

    def __init__(self, reader: Reader, rows: np.ndarray, threads: int) -> None:
        self.reader, self.rows, self.threads = reader, rows, threads

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: Any) -> Any:
        return self.reader.pixels(self.rows[number])

    def __iter__(self) -> Iterator[np.ndarray]:
        return ahead(self.reader.pixels, self.rows, self.threads)
