"""The form of image datasets that are too large for memory: files as they came, one after the other, and where each lies.

`train.images` and `test.images` hold the bytes of JPEG and PNG files, so that a dataset is a few large files, which every
file system reads fast and whose digests are in the record, and not a million small ones.
"""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from sixteen.ahead import ahead
from sixteen.datasets.parts.pictures import PLAIN_MODES, picture
from sixteen.datasets.prepared import baselines
from sixteen.datasets.prepared.entry import Normalisation
from sixteen.datasets.prepared.files import Prepared
from sixteen.datasets.prepared.images import counted, of_counts
from sixteen.datasets.prepared.seen import digest, seen
from sixteen.errors import UserError

CHANNELS = 3
MOST = 1 << 27  # pixels of a picture
MODES = (*PLAIN_MODES, "CMYK")


def rgb(coded: bytes, culprit: str) -> Image.Image:
    """One picture as RGB, turned as its EXIF orientation says. Grey, palettes and CMYK are converted. UserError otherwise."""
    image = picture(coded, culprit, modes=MODES, most=MOST)
    try:
        return ImageOps.exif_transpose(image).convert("RGB")
    except Exception as error:  # as in `picture`
        raise UserError(
            f"expected an EXIF block that can be read, came {culprit} with a damaged one; take it out of the file"
        ) from error


@dataclass(frozen=True)
class ImageFiles(Prepared):
    """Where each picture lies (int64 [n, 2], first byte and how many), its height and width (int32 [n, 2]), its label.

    Labels are int32 [n], `mean` and `std` float32 [1] or [channels] over all training pixels, in units of 0 to 255;
    `shape` is that of what a network sees of a picture.
    """

    train_places: np.ndarray
    train_sizes: np.ndarray
    train_labels: np.ndarray
    test_places: np.ndarray
    test_sizes: np.ndarray
    test_labels: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    classes: tuple[str, ...]
    shape: tuple[int, ...]

    def facts(self) -> dict[str, Any]:
        """Counts, shape, mean and std for the record."""
        return {
            "train_items": len(self.train_labels),
            "test_items": len(self.test_labels),
            "outputs": len(self.classes),
            "shape": list(self.shape),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "majority_accuracy": baselines.majority(self.test_labels),
        }

    @classmethod
    def random(cls, n: int, shape: tuple[int, ...], outputs: int) -> "Pictures":
        """As many random pictures of that shape for training as for the test, `n`, of so many classes."""
        draw = np.random.default_rng(0)

        def part() -> Part:
            coded = [_jpeg(draw.integers(0, 256, shape, np.uint8)) for _ in range(n)]
            read = [(i, of, f"picture {i}") for i, of in enumerate(coded)]
            return Part(draw.integers(0, outputs, n).astype(np.int32), lambda: read)

        return Pictures(part(), part(), tuple(map(str, range(outputs))), shape[0], "unit")


@dataclass(frozen=True)
class Part:
    """Pictures for training, or for the test: labels int32 [n], and how to `read` a row, its coded bytes and its name.

    They are read in whatever order is fast.
    """

    labels: np.ndarray
    read: Callable[[], Iterable[tuple[int, bytes, str]]]


class Pictures:
    """Pictures that are yet to be read: `save` writes each as it comes, so that memory doesn't grow with their number."""

    def __init__(
        self,
        train: Part,
        test: Part,
        classes: tuple[str, ...],
        side: int,
        normalisation: Normalisation,
    ) -> None:
        self.parts = {"train": train, "test": test}
        self.classes, self.shape = classes, (side, side, CHANNELS)
        self.normalisation: Normalisation = normalisation
        self.saved: ImageFiles | None = None
        self.digests: dict[str, list[bytes]] = {name: [] for name in self.parts}

    def save(self, folder: Path) -> None:
        """Write the form into `folder`. UserError that names a picture which can't be decoded."""
        held: dict[str, np.ndarray] = {}
        counts = np.zeros((CHANNELS, 256), np.int64)
        for name, part in self.parts.items():
            shape = (len(part.labels), 2)
            places, sizes = np.zeros(shape, np.int64), np.zeros(shape, np.int32)
            held |= {f"{name}_places": places, f"{name}_sizes": sizes}
            held[f"{name}_labels"] = part.labels
            bar = tqdm(
                total=len(places), desc=name, unit="picture", disable=not sys.stderr.isatty()
            )
            with (folder / f"{name}.images").open("wb") as file, bar:
                for row, coded, size, values, known in ahead(_checked, part.read(), _threads()):
                    places[row], sizes[row] = (file.tell(), len(coded)), size
                    file.write(coded)
                    self.digests[name].append(known)
                    counts += values * (name == "train")
                    bar.update()
        mean, std = of_counts(counts, self.normalisation)
        self.saved = ImageFiles(**held, mean=mean, std=std, classes=self.classes, shape=self.shape)
        self.saved.save(folder)

    def facts(self) -> dict[str, Any]:
        """Those of what was saved, and how many test pictures are files of the training set, byte for byte."""
        assert self.saved is not None  # prepare saves first
        return self.saved.facts() | {"seen_items": seen(**self.digests)}


def _checked(
    one: tuple[int, bytes, str],
) -> tuple[int, bytes, tuple[int, int], np.ndarray, bytes]:
    """A picture that can be decoded: row, bytes, height and width, counts of its values, and the digest of its file."""
    row, coded, culprit = one
    image = rgb(coded, culprit)
    size, values = (image.height, image.width), counted(np.asarray(image))
    return row, coded, size, values, digest(coded)


def _threads() -> int:
    return len(os.sched_getaffinity(0))


def _jpeg(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()
