"""The official binary archives of CIFAR-10 and CIFAR-100 (www.cs.toronto.edu/~kriz/cifar.html).

A record is one byte for each label and 3,072 bytes of pixels: the red, green and blue planes of
32 x 32, row by row. The python archives of the same data are pickles, so they are not read.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sixteen.datasets.archives.members import opened
from sixteen.errors import UserError

PIXEL_BYTES = 3 * 32 * 32


@dataclass(frozen=True)
class Layout:
    """Where an archive keeps what; `label_ranges` has the number of values of each label byte.

    The last label byte of a record is the one that is read; `names` is the list of its classes.
    """

    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    names: str
    label_ranges: tuple[int, ...]


# Images (uint8 [n, height, width, channels]) and labels (int32 [n]).
Labelled = tuple[np.ndarray, np.ndarray]


def read_binary(archive: Path, layout: Layout) -> tuple[Labelled, Labelled, tuple[str, ...]]:
    """Read an official binary archive: training and test images [n, 32, 32, 3] with their labels, and the classes.

    UserError if a member is absent, is not whole records, or has a label out of range.
    """
    contents: dict[str, bytes] = {}
    with opened(archive) as members:
        for name in (layout.names, *layout.train, *layout.test):
            member = f"{layout.folder}/{name}"
            if member not in members.files:
                raise UserError(
                    f"expected the member {member} in {archive}, came an archive without it; "
                    "fetch the official binary archive"
                )
            contents[name] = members.files[member]()
    classes = tuple(contents[layout.names].decode().split())
    if len(classes) != layout.label_ranges[-1]:
        raise UserError(
            f"expected {layout.label_ranges[-1]} classes in {layout.names} of {archive}, "
            f"came {len(classes)}; fetch the official binary archive"
        )
    parts = (
        np.concatenate(
            [_records(contents[name], f"{name} of {archive}", layout.label_ranges) for name in part]
        )
        for part in (layout.train, layout.test)
    )
    train, test = (_images_and_labels(records) for records in parts)
    return train, test, classes


def _records(content: bytes, culprit: str, label_ranges: tuple[int, ...]) -> np.ndarray:
    """Split a member into records, uint8 [n, label bytes + 3072]; `culprit` names it in errors."""
    size = len(label_ranges) + PIXEL_BYTES
    if not content or len(content) % size:
        raise UserError(
            f"expected whole records of {size} bytes in {culprit}, came {len(content)} bytes; "
            "fetch the official binary archive"
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, size)
    for column, values in enumerate(label_ranges):
        highest = records[:, column].max()
        if highest >= values:
            raise UserError(
                f"expected labels from 0 to {values - 1} in {culprit}, came {highest}; "
                "fetch the official binary archive"
            )
    return records


def _images_and_labels(records: np.ndarray) -> Labelled:
    pixels, label = records[:, -PIXEL_BYTES:], records[:, -PIXEL_BYTES - 1]
    images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), label.astype(np.int32)
