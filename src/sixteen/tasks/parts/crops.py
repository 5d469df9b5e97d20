"""Which part of a picture is seen: NumPy alone, from the seed and the epoch alone, see `order`.

A crop is int32 [6]: image, top, left, height, width (in pixels of the picture), flip (0, 1).
"""

import math

import numpy as np

from sixteen.errors import UserError
from sixteen.tasks.parts import order

# Of a picture, and between width and height (arXiv:1409.4842, section 6); tries as in torchvision's RandomResizedCrop.
AREA, RATIO, TRIES = (0.08, 1.0), (3 / 4, 4 / 3), 10
MIDDLE = 224 / 256  # of the shorter side, in tests (arXiv:1512.03385, section 3.4)


def epoch_rows(
    sizes: np.ndarray, batch: int, augmentation: str, seed: int, epoch: int
) -> np.ndarray:
    """The batches of one epoch: int32 [steps, batch, 6] of pictures with these `sizes` [n, 2] (height, width).

    "resized-crop-flip" draws crops of random area, shape and place, half of them flipped; "none" takes the middles.
    Pictures come in the order of `order.epoch_rows`. UserError for another augmentation.
    """
    if augmentation not in ("none", "resized-crop-flip"):
        raise UserError(
            "expected `augmentation: none` or `augmentation: resized-crop-flip` for the task classify_image_files, came "
            f"{augmentation}; choose such a recipe of params.yaml"
        )
    images = order.epoch_rows(len(sizes), batch, "none", seed, epoch)[..., 0]
    if augmentation == "none":
        return middles(images, sizes)
    draw = np.random.default_rng([seed, epoch, 1])  # beside the stream of the order
    return _drawn(images, sizes, draw)


def middles(images: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The square in the middle of each of the `images` [...]: crops int32 [..., 6]."""
    room = sizes[images].astype(np.int32)
    side = np.maximum(np.rint(MIDDLE * room.min(axis=-1)).astype(np.int32), 1)
    top, left = ((room[..., axis] - side) // 2 for axis in (0, 1))
    return np.stack([images, top, left, side, side, np.zeros_like(side)], axis=-1).astype(np.int32)


def _drawn(images: np.ndarray, sizes: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Random crops of the `images` [...]: of each as many tries as it takes to fit, then a middle as near as can be."""
    room = sizes[images]
    high, wide = room[..., 0], room[..., 1]
    ratio = np.clip(wide / high, *RATIO)
    height = np.clip(np.rint(wide / ratio), 1, high)
    width = np.clip(np.rint(high * ratio), 1, wide)
    missing = np.ones(images.shape, bool)
    for _ in range(TRIES):
        area = high * wide * draw.uniform(*AREA, images.shape)
        ratio = np.exp(draw.uniform(math.log(RATIO[0]), math.log(RATIO[1]), images.shape))
        h, w = np.rint(np.sqrt(area / ratio)), np.rint(np.sqrt(area * ratio))
        fits = missing & (h > 0) & (h <= high) & (w > 0) & (w <= wide)
        height, width = np.where(fits, h, height), np.where(fits, w, width)
        missing &= ~fits
    down, right = draw.random(images.shape), draw.random(images.shape)
    top = np.where(missing, (high - height) // 2, np.floor(down * (high - height + 1)))
    left = np.where(missing, (wide - width) // 2, np.floor(right * (wide - width + 1)))
    flip = draw.integers(0, 2, images.shape)
    return np.stack([images, top, left, height, width, flip], axis=-1).astype(np.int32)
