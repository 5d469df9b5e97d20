"""The kind "image-folder": JPEG and PNG images as train/<class>/<image> and test/<class>/<image>.

The archive is a directory or a tar of one. Whatever else lies in it, but for hidden files, is
refused: a dataset never silently leaves something out. Images are never resized, for a resize is
a choice that belongs to whoever makes the archive; EXIF orientation is not applied. Nor is anything
cut off: channels of 16 bits and files of several pictures (animated PNG, MPO) are refused.
"""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from sixteen.datasets.archives.members import opened
from sixteen.datasets.parts.class_folders import classes_of
from sixteen.datasets.parts.pictures import picture
from sixteen.datasets.prepared.entry import Dataset, Normalisation
from sixteen.datasets.prepared.images import Images
from sixteen.entry import Sha256, Text
from sixteen.errors import UserError

TASK = "classify_images"
Side = Annotated[int, Field(ge=1, le=16384)]  # pixels

MODES = {"rgb": ("RGB", 3), "grey": ("L", 1)}  # Pillow's mode, channels
PARTS = ("train", "test")


class ImageFolder(Dataset):
    """Images on the user's disk; `path` is a folder or a tar of it and may name a variable, `$DATA/images`."""

    kind: Literal["image-folder"]
    path: Text
    sha256: Sha256
    height: Side
    width: Side
    colour: Literal["rgb", "grey"]
    normalisation: Normalisation


def shape(entry: ImageFolder) -> tuple[int, int, int]:
    """Height, width and channels of an image."""
    return entry.height, entry.width, MODES[entry.colour][1]


def read(archive: Path, entry: ImageFolder) -> Images:
    """Read images of exactly `height` x `width` pixels as `colour`: 3 channels "rgb", 1 "grey".

    Classes, and the images of each, come in the order of their names. UserError naming the file
    or the folder that is not as expected.
    """
    height, width = entry.height, entry.width
    mode, channels = MODES[entry.colour]
    with opened(archive) as members:
        classes = classes_of(archive, members, PARTS)
        names = sorted(members.files, key=lambda name: name.split("/"))
        row_of = {name: row for row, name in enumerate(names)}
        images = _room(len(names), height, width, channels)
        for name, content in members.files.items():
            image = picture(content(), f"{name} of {archive}", (width, height))
            pixels = np.asarray(image.convert(mode))
            images[row_of[name]] = pixels.reshape(images.shape[1:])
    label_of = {name: label for label, name in enumerate(classes)}
    labels = np.array([label_of[name.split("/")[1]] for name in names], dtype=np.int32)
    tests = sum(name.startswith("test/") for name in names)  # which sort before "train/"
    train, test = ((images[part], labels[part]) for part in (slice(tests, None), slice(tests)))
    return Images.of(train, test, classes, entry.normalisation)


def _room(*shape: int) -> np.ndarray:
    """An array for all images, uint8 [n, height, width, channels]."""
    try:
        return np.empty(shape, np.uint8)
    except (MemoryError, ValueError):  # ValueError: more than an address can say
        n, height, width, _ = shape
        raise UserError(
            f"expected images that fit into memory, came {n:,} of {height:,} x {width:,} pixels (height x width); mend "
            "height and width, or make the images smaller"
        ) from None
