"""The kind "digits-on-textures": handwritten digits, warped, on random coloured textures. No download.

After MNIST-M (Ganin and Lempitsky, arXiv:1409.7495), which blends digits with crops of colour photos by their
absolute difference. Here the digits are those that scikit-learn brings along, and value noise takes the
place of photos, since two decoders of JPEG may differ in the last bit.

The bytes are the same on every machine: all draws are integers of NumPy's legacy generator, whose stream
is frozen (NEP 19), and all arithmetic is exact, in int64, with fractions of a pixel in fixed point.
"""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from sixteen.datasets.prepared.entry import Dataset, Normalisation, Range, Seed
from sixteen.datasets.prepared.images import Images

TASK = "classify_images"

CLASSES = tuple(str(label) for label in range(10))
SIDE, FULL = 8, 16  # of the bundled digits: height and width in pixels, and the value of full ink
ONE = 256  # a pixel in fixed point
CHANNELS = 3
Many = Annotated[int, Field(ge=1, le=100_000)]
Value = Annotated[int, Field(ge=0, le=255)]  # of a pixel
Percent = Annotated[int, Field(ge=0, le=100)]


class DigitsOnTextures(Dataset):
    """What is drawn; `_warp`, `_texture` and `_blend` say what most fields do. `size` is the side in pixels."""

    kind: Literal["digits-on-textures"]
    seed: Seed
    size: Annotated[int, Field(ge=1, le=256)]
    # The smallest class has 174 digits, so that every 174th leaves each class one for testing.
    test_every: Annotated[int, Field(ge=2, le=174)]
    train_per_class: Many
    test_per_class: Many
    stretch: Range[Annotated[int, Field(ge=1, le=1000)]]
    slant: Annotated[int, Field(ge=0, le=1000)]
    shift: Percent
    cells: Annotated[int, Field(ge=1, le=256)]
    texture: Range[Value]
    contrast: Range[Percent]
    noise: Value
    normalisation: Normalisation


def shape(entry: DigitsOnTextures) -> tuple[int, int, int]:
    """Height, width and channels of an image."""
    return (entry.size, entry.size, CHANNELS)


def items(entry: DigitsOnTextures) -> tuple[int, int, int]:
    """Training images, test images and classes."""
    classes = len(CLASSES)
    return (classes * entry.train_per_class, classes * entry.test_per_class, classes)


def read(archive: Path | None, entry: DigitsOnTextures) -> Images:
    """Make the images, uint8 [n, size, size, 3], class by class; takes no archive. The classes are "0" to "9".

    Every `test_every`-th digit of a class, in the bundled order, is a source of test images alone, the
    others of training images alone. Of each class `train_per_class` and `test_per_class` images are made
    from these sources, taken in turns.
    """
    # Here, not above: every plan imports all kinds, and must not wait for scikit-learn.
    from sklearn.datasets import load_digits

    pixels, target = load_digits(return_X_y=True)
    digits = np.asarray(pixels).astype(np.int64).reshape(-1, SIDE, SIDE, 1)
    labels = np.asarray(target).astype(np.int32)
    made = []
    counts = entry.train_per_class, entry.test_per_class
    for part, sources in enumerate(split(labels, entry.test_every)):
        # A stream for each part, so that no number of training images changes a test image.
        draw = np.random.RandomState([entry.seed, part])
        rows = np.concatenate([np.resize(of_class, counts[part]) for of_class in sources])
        ink = _warp(digits[rows], draw, entry.size, entry.stretch, entry.slant, entry.shift)
        texture = _texture(len(rows), draw, entry.size, entry.cells, entry.texture)
        made.append((_blend(ink, texture, draw, entry.contrast, entry.noise), labels[rows]))
    train, test = made
    return Images.of(train, test, CLASSES, entry.normalisation)


def split(labels: np.ndarray, test_every: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Rows of the digits that are sources of training images and of test images, class by class.

    `labels` are integers [n]; each row is in exactly one of the arrays.
    """
    train, test = [], []
    for label in range(len(CLASSES)):
        rows = np.flatnonzero(labels == label)
        is_test = np.arange(len(rows)) % test_every == test_every - 1
        train.append(rows[~is_test])
        test.append(rows[is_test])
    return train, test


def _warp(
    digits: np.ndarray,
    draw: np.random.RandomState,
    size: int,
    stretch: tuple[int, int],
    slant: int,
    shift: int,
) -> np.ndarray:
    """Stretch, slant and shift digits [n, 8, 8, 1] to ink [n, size, size, 1], int64 from 0 to FULL * ONE**2.

    The 8 rows, and apart from them the 8 columns, become `stretch` per cent of the image's side, drawn for
    each; a row moves sideways by up to `slant` per cent of its distance from the middle of the digit, and
    the whole down and sideways by up to `shift` per cent of the image's side.
    """
    n = len(digits)
    percent = _integers(draw, *stretch, (2, n, 1, 1))
    slants = _integers(draw, -slant, slant, (n, 1, 1))
    shifts = _integers(draw, -shift, shift, (2, n, 1, 1))
    # Distances from the middle of the digit, in 1/100 of half a pixel of the image.
    across = 100 * (2 * np.arange(size, dtype=np.int64) + 1 - size)
    y = across[:, None] - 2 * size * shifts[0]
    x = across[None, :] - 2 * size * shifts[1]
    x = x - slants * y // 100
    middle = ONE * (SIDE - 1) // 2
    down, right = (
        np.broadcast_to(middle + ONE * SIDE * distance // (2 * size * of), (n, size, size))
        for distance, of in ((y, percent[0]), (x, percent[1]))
    )
    # A border without ink, to which whatever lies outside the digit is clipped.
    bordered = np.pad(digits, ((0, 0), (1, 2), (1, 2), (0, 0)))
    return _bilinear(bordered, *(np.clip(at + ONE, 0, ONE * (SIDE + 1)) for at in (down, right)))


def _texture(
    n: int, draw: np.random.RandomState, size: int, cells: int, values: tuple[int, int]
) -> np.ndarray:
    """Value noise: `cells` x `cells` cells, and in each of them what lies between its four random corners.

    Corners are drawn from `values`, apart for each channel. Returns int64 [n, size, size, 3], 0 to
    255 * ONE**2.
    """
    corners = _integers(draw, *values, (n, cells + 1, cells + 1, CHANNELS))
    at = (2 * np.arange(size, dtype=np.int64) + 1) * ONE * cells // (2 * size)
    right = np.broadcast_to(at, (n, size, size))
    return _bilinear(corners, right.transpose(0, 2, 1), right)


def _blend(
    ink: np.ndarray,
    texture: np.ndarray,
    draw: np.random.RandomState,
    contrast: tuple[int, int],
    noise: int,
) -> np.ndarray:
    """The absolute difference of ink [n, size, size, 1] and texture [n, size, size, 3], as uint8.

    Full ink is `contrast` per cent of white, drawn for each image. Each value then gets noise of up to
    `noise` either way, and is clipped to 0 to 255.
    """
    percent = _integers(draw, *contrast, (len(ink), 1, 1, 1))
    difference = np.abs(texture - 255 * ink * percent // (100 * FULL)) // ONE**2
    noisy = difference + _integers(draw, -noise, noise, difference.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _bilinear(planes: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Values, times ONE**2, of planes [n, height, width, channels] at points [n, h, w] in 1/ONE of a pixel."""
    image = np.arange(len(planes))[:, None, None]
    row, column = down // ONE, right // ONE
    below, beside = (down % ONE)[..., None], (right % ONE)[..., None]
    upper, lower = (
        (ONE - beside) * planes[image, at, column] + beside * planes[image, at, column + 1]
        for at in (row, row + 1)
    )
    return (ONE - below) * upper + below * lower


def _integers(
    draw: np.random.RandomState, low: int, high: int, shape: tuple[int, ...]
) -> np.ndarray:
    """Draws from `low` to `high`, both included; int64 everywhere, for the stream depends on the type."""
    return draw.randint(low, high + 1, shape, dtype=np.int64)
