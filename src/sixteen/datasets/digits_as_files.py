"""The kind "digits-as-files": the digits on textures of that kind, each stretched to a size of its own and coded as JPEG.

A small stand-in for ImageNet, in the form of the kind "image-files". Pixels are the same on every machine until they are
coded; the bytes of a JPEG depend on the version of Pillow.
"""

from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from sixteen.datasets import digits_on_textures
from sixteen.datasets.prepared.entry import Range
from sixteen.datasets.prepared.image_files import CHANNELS, Part, Pictures

TASK = "classify_image_files"
QUALITY = 90  # of the JPEG
Side = Annotated[int, Field(ge=1, le=1024)]


class DigitsAsFiles(digits_on_textures.DigitsOnTextures):
    """Height and width of each picture are drawn from `sides`; a network sees `side` x `side` pixels."""

    kind: Literal["digits-as-files"]  # pyright: ignore[reportIncompatibleVariableOverride]
    sides: Range[Side]
    side: Side


def shape(entry: DigitsAsFiles) -> tuple[int, int, int]:
    """Height, width and channels of what a network sees."""
    return entry.side, entry.side, CHANNELS


def items(entry: DigitsAsFiles) -> tuple[int, int, int]:
    """Training pictures, test pictures and classes."""
    return digits_on_textures.items(entry)


def read(archive: Path | None, entry: DigitsAsFiles) -> Pictures:
    """Make the pictures; takes no archive."""
    images = digits_on_textures.read(archive, entry)
    train = Part(images.train_labels, partial(_coded, images.train_images, entry, 0))
    test = Part(images.test_labels, partial(_coded, images.test_images, entry, 1))
    return Pictures(train, test, images.classes, entry.side, entry.normalisation)


def _coded(pixels: np.ndarray, entry: DigitsAsFiles, part: int) -> Iterator[tuple[int, bytes, str]]:
    """Row, bytes and name of each picture; its size is drawn, apart for training and test."""
    draw = np.random.RandomState([entry.seed, part])
    low, high = entry.sides
    sizes = draw.randint(low, high + 1, (len(pixels), 2)).tolist()
    for row, (image, size) in enumerate(zip(pixels, sizes, strict=True)):
        file = BytesIO()
        stretched = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
        stretched.save(file, "JPEG", quality=QUALITY)
        yield row, file.getvalue(), f"picture {row}"
