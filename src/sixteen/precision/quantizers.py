"""Quantizers: numbers on grids of few bits, in float32, for the layers of low-precision training.

The affine quantizer of arXiv:2403.02243, section 2, and of CPT (arXiv:2101.09868): 2^b numbers, equally far apart,
between the least and the largest of those that share a range. The gradient passes straight through (arXiv:1308.3432).
The number of bits is a tensor, so that one compiled program serves all precisions of a schedule: see `at`.

As in the authors' code: a range needn't hold zero, so that zero is in general no number of the grid, and the gradient
isn't masked outside of a range that tests bring along.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops

from sixteen.precision.bits import FULL, MOST
from sixteen.precision.entry import Quantized
from sixteen.precision.noise import uniform

MOMENTUM = 0.9  # of the moving average of ranges
LEAST = 1e-8  # step of a grid whose range is empty
RANGE = "input_range"  # the name of the weight that holds a moving range

_present: list[Any] = []


@contextlib.contextmanager
def at(bits: Any) -> Iterator[None]:
    """Within, what is traced quantizes the forward pass with so many `bits`, a scalar tensor; else with the most."""
    _present.append(bits)
    try:
        yield
    finally:
        _present.pop()


def grid(x: Any, bits: Any, least: Any, width: Any, noise: Any = 0.0) -> Any:
    """The nearest of 2^bits numbers from `least` to `least` + `width`, half to even, plus `noise` in steps of the grid.

    `x` is float32 of any shape; the others are float32 that broadcast to it. Numbers beyond the grid become its ends.
    """
    # No power, which isn't exact everywhere.
    places = ops.left_shift(ops.ones((), "int32"), ops.minimum(bits, MOST))
    most = ops.cast(places, "float32") - 1
    step = ops.maximum(width / most, LEAST)
    placed = ops.clip((x - least) / step + noise, 0.0, most)
    return ops.round(placed) * step + least


def fake_quantize(x: Any, bits: Any, axes: Sequence[int] | None) -> Any:
    """`x` on a grid of 2^bits numbers between its least and largest over `axes` (None: of the whole tensor).

    Float32 of any shape, as is the result; its gradient is that of the identity. From 32 bits on it is the identity.
    """
    least, width = _range_of(x, axes)
    return _straight_through(x, grid(x, bits, least, width), bits)


class ForwardQuantizer(keras.layers.Layer):
    """`fake_quantize` at the present bits over the range that its input has: for weights, and for some activations."""

    def __init__(self, quantized: Quantized, axes: Sequence[int] | None, **about: Any) -> None:
        super().__init__(**about)
        self.quantized, self.axes = quantized, None if axes is None else tuple(axes)

    def call(self, x: Any) -> Any:
        """`x` on its grid."""
        return fake_quantize(x, bits_now(self.quantized), self.axes)


class MovingQuantizer(keras.layers.Layer):
    """One range for the whole input: in training that of the batch, in tests the average of those.

    The weight `input_range`, float32 [3], holds averages, from zero on with momentum 0.9, of the least number, of the
    width and of one; dividing by the last undoes the start at zero (`ranges: corrected`). A test before the first batch
    takes the range of its own batch.
    """

    def __init__(self, quantized: Quantized, **about: Any) -> None:
        super().__init__(**about)
        self.quantized = quantized

    def build(self, shape: Any) -> None:
        """Add the weight."""
        self.moving = self.add_weight(
            shape=(3,), initializer="zeros", dtype="float32", trainable=False, name=RANGE
        )
        self.built = True

    def call(self, x: Any, training: bool = False) -> Any:
        """`x` on its grid."""
        least, width = _range_of(x, None)
        if training:
            now = ops.stack([ops.reshape(part, ()) for part in (least, width)] + [ops.ones(())])
            self.moving.assign(self.moving * MOMENTUM + (1 - MOMENTUM) * ops.stop_gradient(now))
        else:
            least, width = averaged(self.moving.value, self.quantized, least, width)
        bits = bits_now(self.quantized)
        return _straight_through(x, grid(x, bits, least, width), bits)


class GradientQuantizer(keras.layers.Layer):
    """Passes its input on, and in training quantizes the gradient that comes back, over its range over `axes`.

    Rounding is stochastic, each number up with the odds of its place between two of the grid, so that its expectation
    is the number (arXiv:1502.02551). The noise is drawn in the forward pass, from a random state that checkpoints hold.
    """

    def __init__(
        self, quantized: Quantized, axes: Sequence[int] | None, seed: int, **about: Any
    ) -> None:
        super().__init__(**about)
        self.quantized, self.axes = quantized, None if axes is None else tuple(axes)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, x: Any, training: bool = False) -> Any:
        """`x` as it is."""
        if not training or self.quantized.gradients >= FULL:
            return x
        noise = uniform(x.shape, self.seed_generator)
        return round_gradient(x, noise, self.quantized.gradients, self.axes)


def round_gradient(x: Any, noise: Any, bits: int, axes: Sequence[int] | None) -> Any:
    """`x`, whose gradient comes on a grid of 2^bits numbers between its own least and largest over `axes`.

    `noise`, of the shape of `x` and uniform from -0.5 to 0.5, is added, in steps of the grid, before rounding.
    """

    # The noise is an argument, since what a loop's body makes can't be reached from outside of it, where gradients are.
    @ops.custom_gradient
    def rounded(x: Any, noise: Any) -> tuple[Any, Any]:
        def gradient(*arguments: Any, upstream: Any = None) -> Any:
            upstream = arguments[0] if upstream is None else upstream
            least, width = _range_of(upstream, axes)
            return grid(upstream, bits, least, width, noise), ops.zeros_like(noise)

        return x, gradient

    return rounded(x, noise)


def averaged(moving: Any, quantized: Quantized, least: Any, width: Any) -> tuple[Any, Any]:
    """Least number and width that a test takes: those of `moving`, see `MovingQuantizer`, once it has any."""
    share = moving[2]
    seen = share > 0
    part = ops.where(seen, share, 1.0) if quantized.ranges == "corrected" else 1.0
    return ops.where(seen, moving[0] / part, least), ops.where(seen, moving[1] / part, width)


def bits_now(quantized: Quantized) -> Any:
    """Forward bits of what is being traced: those of `at`, or the most that the precision has."""
    return _present[-1] if _present else quantized.high


def _straight_through(x: Any, on_grid: Any, bits: Any) -> Any:
    """`on_grid` to the last bit (x - x is 0), with the gradient of `x`; `x` itself from 32 bits on."""
    chosen = ops.where(ops.greater_equal(bits, FULL), x, on_grid)
    return ops.stop_gradient(chosen) + (x - ops.stop_gradient(x))


def _range_of(x: Any, axes: Sequence[int] | None) -> tuple[Any, Any]:
    least = ops.min(x, axis=axes, keepdims=True)
    return least, ops.max(x, axis=axes, keepdims=True) - least
