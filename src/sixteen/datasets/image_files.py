"""The kind "image-files": JPEG and PNG pictures of any size and number, in ImageNet's layout, read while a network trains.

The archive is a directory, or a tar of one, with train/<class>/<picture> and val/<class>/<picture>, as the scripts that
unpack the ILSVRC 2012 archives leave it. Whatever else lies there, but for hidden files, is refused, and so is a picture
that can't be decoded: all are, once, when the dataset is prepared. Grey and CMYK become RGB, EXIF orientation is applied.
Prepared, it is as large as the archive; training needs memory for some batches alone.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from sixteen.datasets.archives.members import opened
from sixteen.datasets.parts.class_folders import classes_of
from sixteen.datasets.prepared.entry import Dataset, Normalisation
from sixteen.datasets.prepared.image_files import CHANNELS, Part, Pictures
from sixteen.entry import Count, Sha256, Size, Text
from sixteen.errors import UserError

TASK = "classify_image_files"
PARTS = ("train", "val")
# Bytes of a picture of ImageNet on average: those of ILSVRC2012_img_train.tar, by their number.
CODED = 147_897_477_120 // 1_281_167


class ImageNetLike(Dataset):
    """Pictures on the user's disk; `path` may name a variable, `$DATA/imagenet`. A network sees `side` x `side` pixels.

    `sha256` is null until somebody has seen the data: preparing it tells the digest and asks for it.
    """

    kind: Literal["image-files"]
    path: Text
    sha256: Sha256 | None
    train: Count
    test: Count
    classes: Size
    side: Annotated[int, Field(ge=1, le=4096)]
    normalisation: Normalisation


def shape(entry: ImageNetLike) -> tuple[int, int, int]:
    """Height, width and channels of what a network sees."""
    return entry.side, entry.side, CHANNELS


def items(entry: ImageNetLike) -> tuple[int, int, int]:
    """Training pictures, test pictures and classes."""
    return entry.train, entry.test, entry.classes


def item_bytes(shape: tuple[int, ...]) -> int:
    """Bytes of a prepared picture."""
    return CODED


def read(archive: Path, entry: ImageNetLike) -> Pictures:
    """The pictures by class and name, yet to be read.

    UserError for what lies where it shouldn't, and for other numbers of pictures or classes than the entry says.
    """
    with opened(archive) as members:
        classes = classes_of(archive, members, PARTS)
        names = sorted(members.files, key=lambda name: name.split("/"))
    of = {part: [name for name in names if name.startswith(f"{part}/")] for part in PARTS}
    found = (len(of["train"]), len(of["val"]), len(classes))
    if found != items(entry):
        raise UserError(
            f"expected {entry.train:,} pictures in train, {entry.test:,} in val and {entry.classes:,} classes in {archive}, came "
            f"{found[0]:,}, {found[1]:,} and {found[2]:,}; put the whole data there, or mend these numbers in params.yaml"
        )
    label_of = {name: label for label, name in enumerate(classes)}
    train, test = (_part(archive, of[part], label_of) for part in PARTS)
    return Pictures(train, test, classes, entry.side, entry.normalisation)


def _part(archive: Path, names: list[str], label_of: dict[str, int]) -> Part:
    row_of = {name: row for row, name in enumerate(names)}

    def read() -> Iterator[tuple[int, bytes, str]]:
        with opened(archive) as members:
            for name, content in members.files.items():
                if name in row_of:
                    yield row_of[name], content(), f"{name} of {archive}"

    return Part(np.array([label_of[name.split("/")[1]] for name in names], np.int32), read)
