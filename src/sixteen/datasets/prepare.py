"""The step that turns any kind of dataset into the one prepared form (`sixteen.datasets`).

The same archive and parameters give the same bytes. Mean and standard deviation come from exact
counts of the 256 pixel values over the training set, so no order of summation shows in them.
"""

import importlib
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from sixteen.datasets import FILE_NAME
from sixteen.datasets.archive import digest
from sixteen.errors import UserError


def prepare(parameters: dict, inputs: dict[str, Path], into: Path, scratch: Path) -> dict:
    """Write `dataset.safetensors` into the folder `into`; return counts, shape, mean and std.

    Reads inputs["archive"], which every kind but "digits" needs. UserError if its digest is not
    parameters["sha256"], or if the kind refuses what is in it.
    """
    archive = inputs.get("archive")
    if archive is not None:
        _verify(archive, parameters["sha256"])
    kind = importlib.import_module(f"sixteen.datasets.{parameters['kind'].replace('-', '_')}")
    train_images, train_labels, test_images, test_labels, classes = kind.read(archive, parameters)
    mean, std = _mean_and_std(train_images, parameters["normalisation"])
    described = {
        "kind": parameters["kind"],
        "normalisation": parameters["normalisation"],
        "classes": classes,
    }
    save_file(
        {
            "train_images": train_images,
            "train_labels": train_labels,
            "test_images": test_images,
            "test_labels": test_labels,
            "mean": mean,
            "std": std,
        },
        into / FILE_NAME,
        # One key: safetensors writes several in an order that changes from run to run.
        metadata={"sixteen": json.dumps(described)},
    )
    return {
        "train_images": len(train_images),
        "test_images": len(test_images),
        "classes": len(classes),
        "shape": list(train_images.shape[1:]),
        "mean": mean.tolist(),
        "std": std.tolist(),
    }


def _verify(archive: Path, expected: str) -> None:
    found = digest(archive)
    if found != expected:
        raise UserError(
            f"expected {archive} with sha256 {expected}, came {found}; "
            "put the right data there, or mend the sha256 if the data is meant to be another"
        )


def _mean_and_std(images: np.ndarray, normalisation: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of pixel values, float32 [1] or [channels], in 0 to 255.

    One of each over all pixels ("scalar", arXiv:2305.10947), one a channel ("channel"), or 0 and
    255, which maps pixels to 0 to 1 ("unit").
    """
    match normalisation:
        case "unit":
            return np.array([0], np.float32), np.array([255], np.float32)
        case "scalar":
            groups = [images]
        case "channel":
            groups = [images[..., channel] for channel in range(images.shape[-1])]
        case _:
            raise UserError(
                f"expected the normalisation scalar, channel or unit, came {normalisation!r}; "
                "choose one of them"
            )
    values = np.arange(256)
    means, stds = [], []
    for group in groups:
        counts = sum(np.bincount(image.ravel(), minlength=256) for image in group)
        means.append(np.average(values, weights=counts))
        stds.append(np.sqrt(np.average((values - means[-1]) ** 2, weights=counts)))
    if min(stds) == 0:
        raise UserError(
            f"expected training pixels of more than one value, came only {means[stds.index(0)]:g} "
            f"in channel {stds.index(0)}; choose the normalisation unit"
        )
    return np.array(means, np.float32), np.array(stds, np.float32)
