"""Image datasets in one prepared form: what every later step reads, whatever the images came from.

A prepared dataset is one file, `dataset.safetensors`, written by `sixteen.datasets.prepare`.
A kind of dataset is a module of this package named after it that offers
`read(archive: Path | None, parameters: dict) -> Images`; `prepare` imports it by name.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from sixteen.errors import UserError

FILE_NAME = "dataset.safetensors"
# What a kind's `read` returns: train images (uint8 [n, height, width, channels]), train labels
# (int32 [n]), test images, test labels, and the classes that the labels count through.
Images = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]
TENSORS = ("train_images", "train_labels", "test_images", "test_labels", "mean", "std")


@dataclass(frozen=True)
class Dataset:
    """A prepared dataset in memory; a network sees `(float32(images) - mean) / std`.

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


def load_prepared(folder: Path) -> Dataset:
    """Read the prepared dataset in `folder`; UserError if there is none or it is damaged."""
    path = folder / FILE_NAME
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in TENSORS}
            classes = json.loads(file.metadata()["sixteen"])["classes"]
    except (OSError, SafetensorError, TypeError, KeyError) as error:
        raise UserError(
            f"expected a prepared dataset at {path}, came a file that cannot be read as one "
            f"({error}); run prepare again"
        ) from error
    return Dataset(**tensors, classes=tuple(classes))
