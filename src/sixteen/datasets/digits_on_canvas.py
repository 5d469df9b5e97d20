"""The kind "digits-on-canvas": handwritten digits of many sizes on grey textures, and a box around each. No download.

The digits are those that scikit-learn brings along, pasted as in other people's detection tasks on MNIST. A box is the
smallest around the ink. As in the kind "digits-on-textures", the bytes are the same on every machine: all draws are
integers of NumPy's legacy generator, whose stream is frozen (NEP 19), and all arithmetic is exact, in int64.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from sixteen.datasets.digits_on_textures import CLASSES, FULL, ONE, SIDE, split
from sixteen.datasets.prepared.boxes import Boxes
from sixteen.datasets.prepared.entry import Dataset, Normalisation, Range, Seed

TASK = "detect_objects"

TRIES = 20  # places that are drawn for a digit before it is left out
Many = Annotated[int, Field(ge=1, le=100_000)]
Value = Annotated[int, Field(ge=0, le=255)]  # of a pixel
Percent = Annotated[int, Field(ge=0, le=100)]


class DigitsOnCanvas(Dataset):
    """So many `digits` a picture of `size` x `size` pixels, each enlarged to `side` pixels; both are ranges.

    `train` and `test` count pictures. `overlap` is the largest intersection over union of two boxes, in per cent.
    `cells`, `texture`, `contrast` and `noise` are as in the kind "digits-on-textures".
    """

    kind: Literal["digits-on-canvas"]
    seed: Seed
    size: Annotated[int, Field(ge=8, le=1024)]
    # The smallest class has 174 digits, so that every 174th leaves each class one for testing.
    test_every: Annotated[int, Field(ge=2, le=174)]
    train: Many
    test: Many
    digits: Range[Annotated[int, Field(ge=1, le=100)]]
    side: Range[Annotated[int, Field(ge=8, le=1024)]]
    overlap: Percent
    cells: Annotated[int, Field(ge=1, le=256)]
    texture: Range[Value]
    contrast: Range[Percent]
    noise: Value
    normalisation: Normalisation

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.side[1] > self.size:
            raise ValueError(
                f"expected digits no larger than the canvas of `size` {self.size}, came a `side` of {self.side[1]}"
            )
        return self


def shape(entry: DigitsOnCanvas) -> tuple[int, int, int]:
    """Height, width and channels of a picture."""
    return (entry.size, entry.size, 1)


def items(entry: DigitsOnCanvas) -> tuple[int, int, int]:
    """Training pictures, test pictures and classes."""
    return (entry.train, entry.test, len(CLASSES))


def read(archive: Path | None, entry: DigitsOnCanvas) -> Boxes:
    """Make the pictures, uint8 [n, size, size, 1], and their boxes; takes no archive. The classes are "0" to "9".

    Every `test_every`-th digit of a class, in the bundled order, is in test pictures alone, the others in training
    pictures alone.
    """
    # Here, not above: every plan imports all kinds, and must not wait for scikit-learn.
    from sklearn.datasets import load_digits

    pixels, target = load_digits(return_X_y=True)
    digits = np.asarray(pixels).astype(np.int64).reshape(-1, SIDE, SIDE)
    labels = np.asarray(target).astype(np.int32)
    made = []
    for part, sources in enumerate(split(labels, entry.test_every)):
        # A stream for each part, so that no number of training pictures changes a test picture.
        draw = np.random.RandomState([entry.seed, part])
        rows, count = np.concatenate(sources), (entry.train, entry.test)[part]
        pictures = [_picture(digits[rows], labels[rows], draw, entry) for _ in range(count)]
        images, boxes = zip(*pictures, strict=True)
        made.append((np.stack(images), list(boxes)))
    train, test = made
    return Boxes.of(train, test, CLASSES, entry.normalisation)


def overlaps(box: np.ndarray, others: np.ndarray, percent: int) -> bool:
    """Whether a box shares more than so many per cent of the union with any of the others [n, 4]; whole numbers."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.clip(sides, 0, None).prod(1)
    union = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - shared
    return bool((100 * shared > percent * union).any())


def _picture(
    digits: np.ndarray, labels: np.ndarray, draw: np.random.RandomState, entry: DigitsOnCanvas
) -> tuple[np.ndarray, np.ndarray]:
    """A picture uint8 [size, size, 1], and its boxes with their classes, int64 [boxes, 5].

    A digit that finds no place within some tries is left out: the first always finds one.
    """
    canvas = np.zeros((entry.size, entry.size), np.int64)
    boxes = np.zeros((0, 5), np.int64)
    for _ in range(_integer(draw, *entry.digits)):
        row, side = _integer(draw, 0, len(digits) - 1), _integer(draw, *entry.side)
        ink = _enlarged(digits[row], side)
        places = _integers(draw, 0, entry.size - side, (TRIES, 2))
        for left, top in places:
            box = _around(ink) + np.array([left, top, left, top])
            if not overlaps(box, boxes[:, :4], entry.overlap):
                boxes = np.concatenate([boxes, [[*box, labels[row]]]])
                under = canvas[top : top + side, left : left + side]
                np.maximum(under, ink, out=under)
                break
    return _blend(canvas, draw, entry), boxes


def _blend(canvas: np.ndarray, draw: np.random.RandomState, entry: DigitsOnCanvas) -> np.ndarray:
    """The absolute difference of ink, 0 to FULL * ONE**2, and of a texture; then noise. Full ink is `contrast` of white."""
    texture = _enlarged(_integers(draw, *entry.texture, 2 * (entry.cells + 1,)), entry.size)
    percent = _integer(draw, *entry.contrast)
    difference = np.abs(texture - 255 * canvas * percent // (100 * FULL)) // ONE**2
    noisy = difference + _integers(draw, -entry.noise, entry.noise, difference.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)[..., None]


def _enlarged(values: np.ndarray, side: int) -> np.ndarray:
    """Values [n, n], times ONE**2, at the middles of `side` x `side` pixels that reach from the first to the last."""
    last = len(values) - 1
    at = (2 * np.arange(side, dtype=np.int64) + 1) * ONE * last // (2 * side)
    below, beside = at // ONE, at % ONE
    weights = np.zeros((side, last + 1), np.int64)
    weights[np.arange(side), below] = ONE - beside
    weights[np.arange(side), below + 1] = beside
    return weights @ values @ weights.T


def _around(ink: np.ndarray) -> np.ndarray:
    """Left, top, right and bottom of the smallest box around all ink that is at least half of full."""
    inked = 2 * ink >= FULL * ONE**2
    columns, rows = np.flatnonzero(inked.any(0)), np.flatnonzero(inked.any(1))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def _integer(draw: np.random.RandomState, low: int, high: int) -> int:
    return int(_integers(draw, low, high, ()))


def _integers(
    draw: np.random.RandomState, low: int, high: int, shape: tuple[int, ...]
) -> np.ndarray:
    """Draws from `low` to `high`, both included; int64 everywhere, for the stream depends on the type."""
    return np.asarray(draw.randint(low, high + 1, shape, dtype=np.int64))
