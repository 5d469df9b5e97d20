"""The kind "mnist1d": ten digits as curves, drawn from templates by MNIST-1D's published recipe. No download.

Greydanus and Kobak, "Scaling Down Deep Learning with MNIST-1D" (arXiv:2011.14439); numbers that the paper
doesn't give are those of its authors' package mnist1d 0.0.2. Written anew, and equal to what that package
makes but for a rounding to multiples of 1/4096.

That rounding is there so that the bytes are the same on every machine. The legacy generator of NumPy is
frozen (NEP 19), but its normal draws take a logarithm, the smoothing an exponential and the standard
deviation long sums, whose last bits may differ between processors and libraries: by some 1e-15. Of
the published dataset no value is nearer than 4e-10 to where its rounding would change.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from sixteen.datasets.prepared.entry import Dataset, Range, Seed
from sixteen.datasets.prepared.sequences import Sequences

TASK = "classify_sequences"

# How far the pen is to the side, at 12 heights from the top of a digit to its foot.
TEMPLATES = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)
CLASSES = tuple(str(label) for label in range(len(TEMPLATES)))
TEMPLATE_SCALE = 1 / 6  # of the standard deviation of a template
INK = 1e-8  # lifts points of a template off zero, which marks where there is none of it
STEPS = 4096  # values are rounded to multiples of 1 / STEPS
Many = Annotated[int, Field(ge=1, le=1_000_000)]
Strength = Annotated[float, Field(ge=0, le=100)]


class Mnist1d(Dataset):
    """The recipe's numbers; `_sequence` says what most of them do.

    Published are seed 42, 4000 and 1000 sequences of length 40, padding 36 to 60, scale 0.4, translation 48,
    correlated_noise 0.25, correlation 2, noise 0.02, shear 0.75.
    """

    kind: Literal["mnist1d"]
    seed: Seed
    train: Many
    test: Many
    length: Annotated[int, Field(ge=2, le=1000)]
    padding: Range[Annotated[int, Field(ge=0, le=1000)]]
    scale: Annotated[float, Field(ge=0, le=2)]
    translation: Annotated[int, Field(ge=1, le=1000)]
    correlated_noise: Strength
    correlation: Strength
    noise: Strength
    shear: Strength

    @model_validator(mode="after")
    def _as_many_of_each_class(self) -> Self:
        sequences = self.train + self.test
        if sequences % len(CLASSES):
            raise ValueError(
                f"expected `train` and `test` to be a multiple of {len(CLASSES)} together, came {sequences}"
            )
        return self


def shape(entry: Mnist1d) -> tuple[int, int]:
    """Length and channels of a sequence."""
    return (entry.length, 1)


def items(entry: Mnist1d) -> tuple[int, int, int]:
    """Training sequences, test sequences and classes."""
    return (entry.train, entry.test, len(CLASSES))


def read(archive: Path | None, entry: Mnist1d) -> Sequences:
    """Make the sequences, float32 [n, length, 1]; takes no archive. The classes are "0" to "9".

    As many of each class are drawn, `train` + `test` in all, shuffled, brought to mean 0 and standard
    deviation 1 over all values of both parts, and split: the first `train` are for training. So the two
    parts aren't balanced exactly, as in the package.
    """
    draw = np.random.RandomState(entry.seed)
    labels = np.repeat(np.arange(len(CLASSES)), (entry.train + entry.test) // len(CLASSES))
    shapes = templates()
    sequences = np.stack([_sequence(shapes[label], draw, entry) for label in labels])
    order = draw.permutation(len(labels))
    sequences, labels = sequences[order], labels[order].astype(np.int32)
    sequences = (sequences - sequences.mean()) / sequences.std()
    rounded = (np.rint(sequences * STEPS) / STEPS).astype(np.float32)[..., None]
    train, test = slice(entry.train), slice(entry.train, None)
    return Sequences(rounded[train], labels[train], rounded[test], labels[test], CLASSES)


def templates() -> np.ndarray:
    """The digits as float64 [10, 12]: of standard deviation TEMPLATE_SCALE, beginning and ending at 0."""
    shapes = np.array(TEMPLATES, dtype=np.float64)
    shapes = shapes / shapes.std(axis=1, keepdims=True) * TEMPLATE_SCALE
    return shapes - shapes[:, :1]


def _sequence(template: np.ndarray, draw: np.random.RandomState, entry: Mnist1d) -> np.ndarray:
    """One sequence, float64 [length], of a template [12]; the order of the draws is part of the recipe.

    The template gets as many zeros after it as `padding` says (lowest and highest, both included), is
    resampled to one width, scaled by 1 +- `scale` / 2, and moved on by up to `translation` - 1 points, in a
    circle. Where there is none of it comes noise of deviation `correlated_noise`, smoothed over
    `correlation` points; then all of it gets noise of deviation `noise` and a slope of +- `shear` / 2, and
    is resampled to `length`.
    """
    # Here, not above: every plan imports all kinds, and must not wait for SciPy.
    from scipy.ndimage import gaussian_filter1d

    low, high = entry.padding
    padding = low + int(draw.rand() * (high - low + 1))
    padded = np.concatenate([template + INK, np.zeros(padding)])
    width = len(template) + high
    curve = _resampled(padded, width) * (1 + entry.scale * (draw.rand() - 0.5))
    curve = np.roll(curve, draw.randint(entry.translation, dtype=np.int64))
    background = entry.correlated_noise * draw.randn(width)
    if entry.correlation:
        background = gaussian_filter1d(background, entry.correlation)
    curve = np.where(curve != 0, curve, background) + entry.noise * draw.randn(width)
    slope = entry.shear * (draw.rand() - 0.5)
    return _resampled(curve - slope * np.linspace(-0.5, 0.5, width), entry.length)


def _resampled(curve: np.ndarray, length: int) -> np.ndarray:
    """The curve [n] at `length` points from its first to its last, with straight lines between its own."""
    return np.interp(np.linspace(0, 1, length), np.linspace(0, 1, len(curve)), curve)
