"""The form of image datasets: uint8 pixels and one label each, in one file.

Mean and standard deviation come from exact counts of the 256 pixel values over the training set, so no order of
summation shows in them.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sixteen.datasets.prepared import baselines
from sixteen.datasets.prepared.entry import Normalisation
from sixteen.datasets.prepared.files import Prepared
from sixteen.datasets.prepared.seen import digests, seen
from sixteen.errors import UserError


@dataclass(frozen=True)
class Images(Prepared):
    """Images and labels; a network sees `(float32(images) - mean) / std`.

    Images are uint8 [n, height, width, channels], labels int32 [n] with values 0 to
    `len(classes) - 1`; `mean` and `std` are float32 [1] or [channels], in units of 0 to 255.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    classes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        train: tuple[np.ndarray, np.ndarray],
        test: tuple[np.ndarray, np.ndarray],
        classes: tuple[str, ...],
        normalisation: Normalisation,
    ) -> Self:
        """From images and labels as read. Raises UserError if all training pixels are alike."""
        return cls(*train, *test, *mean_and_std(train[0], normalisation), classes)

    @classmethod
    def random(cls, n: int, shape: tuple[int, ...], outputs: int) -> Self:
        """As many random images for training as for the test, `n`, of so many classes."""
        draw = np.random.default_rng(0)
        parts = [
            (
                draw.integers(0, 256, (n, *shape), dtype=np.uint8),
                draw.integers(0, outputs, n, dtype=np.int32),
            )
            for _ in range(2)
        ]
        return cls.of(parts[0], parts[1], tuple(map(str, range(outputs))), "unit")

    def facts(self) -> dict[str, Any]:
        """Counts, shape, mean and std for the record."""
        return {
            "train_items": len(self.train_images),
            "test_items": len(self.test_images),
            "outputs": len(self.classes),
            "shape": list(self.train_images.shape[1:]),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "majority_accuracy": baselines.majority(self.test_labels),
            "seen_items": seen(digests(self.train_images), digests(self.test_images)),
        }


def mean_and_std(images: np.ndarray, normalisation: Normalisation) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of pixel values of images [n, height, width, channels], see `of_counts`."""
    if normalisation == "unit":
        return of_counts(np.array([]), normalisation)
    return of_counts(np.sum([counted(image) for image in images], axis=0), normalisation)


def counted(image: np.ndarray) -> np.ndarray:
    """How often each value comes in an image uint8 [height, width, channels]: int64 [channels, 256]."""
    return np.stack(
        [np.bincount(plane.ravel(), minlength=256) for plane in np.moveaxis(image, -1, 0)]
    )


def of_counts(counts: np.ndarray, normalisation: Normalisation) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of pixel values, float32 [1] or [channels], in 0 to 255, of `counts` [channels, 256].

    One of each over all pixels ("scalar", arXiv:2305.10947), one a channel ("channel"), or 0 and
    255, which maps pixels to 0 to 1 ("unit").
    """
    match normalisation:
        case "unit":
            return np.array([0], np.float32), np.array([255], np.float32)
        case "scalar":
            groups = [counts.sum(axis=0)]
        case "channel":
            groups = list(counts)
    values = np.arange(256)
    means, stds = [], []
    for group in groups:
        means.append(np.average(values, weights=group))
        stds.append(np.sqrt(np.average((values - means[-1]) ** 2, weights=group)))
    if min(stds) == 0:
        raise UserError(
            f"expected training pixels of more than one value, came only {means[stds.index(0)]:g} "
            f"in channel {stds.index(0)}; choose the normalisation unit"
        )
    return np.array(means, np.float32), np.array(stds, np.float32)
