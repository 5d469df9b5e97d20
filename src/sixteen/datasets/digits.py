"""The handwritten digits that scikit-learn brings along: 1,797 grey images of 8 x 8, no download.

Source: `sklearn.datasets.load_digits`, the test part of the UCI "Optical Recognition of
Handwritten Digits" data (Alpaydin and Kaynak 1998).
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from sixteen.datasets import Images


def read(archive: Path | None, parameters: dict) -> Images:
    """Read the digits; every fifth image of each class is a test image, in the bundled order.

    Takes no archive. Returns train images (uint8 [n, 8, 8, 1], the bundled 0 to 16 scaled to 0 to
    255), train labels (int32 [n]), test images, test labels and the classes "0" to "9".
    """
    pixels, target = load_digits(return_X_y=True)
    images = np.rint(np.asarray(pixels) * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1)
    labels = np.asarray(target, dtype=np.int32)
    is_test = np.zeros(len(labels), dtype=bool)
    for label in range(10):
        is_test[np.flatnonzero(labels == label)[4::5]] = True
    classes = tuple(str(label) for label in range(10))
    return images[~is_test], labels[~is_test], images[is_test], labels[is_test], classes
