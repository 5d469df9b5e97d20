"""The handwritten digits that scikit-learn brings along: 1,797 grey images of 8 x 8, no download.

Source: `sklearn.datasets.load_digits`, the test part of the UCI "Optical Recognition of
Handwritten Digits" data (Alpaydin and Kaynak 1998).
"""

from pathlib import Path
from typing import Literal

import numpy as np

from sixteen.datasets.prepared.entry import Dataset, Normalisation
from sixteen.datasets.prepared.images import Images

TASK = "classify_images"


class Digits(Dataset):
    """The bundled digits; nothing but their normalisation can be chosen."""

    kind: Literal["digits"]
    normalisation: Normalisation


def shape(entry: Digits) -> tuple[int, int, int]:
    """Height, width and channels of an image."""
    return (8, 8, 1)


def items(entry: Digits) -> tuple[int, int, int]:
    """Training images, test images and classes."""
    return (1442, 355, 10)


def read(archive: Path | None, entry: Digits) -> Images:
    """Read the digits; every fifth image of each class is a test image, in the bundled order.

    Takes no archive. Images are uint8 [n, 8, 8, 1], the bundled 0 to 16 scaled to 0 to 255; the classes are "0" to "9".
    """
    # Here, not above: every plan imports all kinds, and must not wait for scikit-learn.
    from sklearn.datasets import load_digits

    pixels, target = load_digits(return_X_y=True)
    images = np.rint(np.asarray(pixels) * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1)
    labels = np.asarray(target, dtype=np.int32)
    is_test = np.zeros(len(labels), dtype=bool)
    for label in range(10):
        is_test[np.flatnonzero(labels == label)[4::5]] = True
    classes = tuple(str(label) for label in range(10))
    train, test = ((images[part], labels[part]) for part in (~is_test, is_test))
    return Images.of(train, test, classes, entry.normalisation)
