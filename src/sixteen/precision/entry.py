"""What a precision entry of params.yaml promises.

The fields:
- `compute`: format of activations, of their gradients and of the arithmetic between them.
- `master_weights`: weights and optimizer state are stored in float32 and cast for each use, so that small
  updates aren't lost (arXiv:1710.03740, section 3.1). Without, both are stored, and the update is computed,
  in the compute type (arXiv:2305.10947).
- `batch_norm`: storage of batch-norm parameters and statistics. Of its own because Keras 2, which
  arXiv:2311.18587 and arXiv:2305.10947 ran, kept them in float32 even under floatx float16, whereas Keras 3
  stores them like any other variable: a float16 moving average with momentum 0.99 doesn't move for
  differences below about 3 %.
- `loss`: format of softmax, logarithm and the mean over the batch.
- `loss_scale`: see `sixteen.precision.scales`.

Where sums are accumulated (arXiv:1710.03740, section 3.3) can be chosen for the loss alone. Keras has no argument
for it. XLA has one for matrix products, not for convolutions: the algorithm of a dot, in JAX
`jax.lax.DotAlgorithmPreset`; its CPU backend ignores it. TensorFlow reads TF_FP16_MATMUL_USE_FP32_COMPUTE and
TF_FP16_CONV_USE_FP32_COMPUTE for GPUs; `sixteen.training.backends` sets both to 1, float32. So there is no field.
Measured on a CPU (tests/training/test_accumulation.py): products and convolutions are summed in float32 and rounded
once, on both backends, and so are all other sums on TensorFlow with XLA; on JAX, sums that the backward pass adds
(gradients of biases) run in the 16-bit format itself. The arithmetic of batch and layer normalisation is float32 in
Keras, whatever their storage.
"""

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, Discriminator, Field, Tag, TypeAdapter, model_validator

from sixteen.entry import Count, Entry, Format, Positive
from sixteen.precision import bits
from sixteen.precision.bits import FULL, MOST, BitSchedule
from sixteen.precision.formats import BITS, holds, range_of, rounded


class StaticScale(Entry):
    """The loss is multiplied by one factor throughout (arXiv:1710.03740, section 3.2)."""

    kind: Literal["static"]
    factor: Positive


class DynamicScale(Entry):
    """The scale grows by `factor` after so many finite steps, and shrinks by it, skipping the step, on overflow."""

    kind: Literal["dynamic"]
    start: Positive
    growth_interval: Count
    factor: Annotated[float, Field(gt=1)]

    @model_validator(mode="after")
    def _can_grow(self) -> Self:
        if not (rounded(self.factor, "float32") > 1 and holds(self.start * self.factor, "float32")):
            raise ValueError(
                f"expected a `factor` by which a scale of {self.start:g} can grow in float32, came {self.factor!r}; "
                "2 is usual"
            )
        return self


LossScale = Annotated[StaticScale | DynamicScale, Field(discriminator="kind")]


class Precision(Entry):
    """How numbers are stored and computed, see the top of this module."""

    compute: Format
    master_weights: bool
    batch_norm: Format
    loss: Format
    loss_scale: LossScale | None

    @property
    def storage(self) -> Format:
        """The format of stored weights: float32 for master weights (arXiv:1710.03740, section 3.1)."""
        return "float32" if self.master_weights else self.compute

    @property
    def most_bits(self) -> int:
        """Forward bits of tests."""
        return FULL

    def forward_bits(self, first: int, last: int, steps: int) -> np.ndarray:
        """Forward bits of each step of a phase of `last` - `first` epochs of `steps` each, int [steps of the phase]."""
        return np.full((last - first) * steps, FULL)

    def bit_cost(self, forward: np.ndarray) -> float:
        """The mean cost of steps with these `forward` bits as a share of float32, see `bits.bit_cost`."""
        return (BITS[self.compute] / FULL) ** 2

    @property
    def scale_formats(self) -> tuple[str, ...]:
        """The formats in which a loss scale must be a number: where it multiplies, and where it divides.

        A dynamic scale is float32 in Keras. A static one multiplies the loss and divides gradients, which are stored
        like their weights.
        """
        if self.loss_scale is None or self.loss_scale.kind == "dynamic":
            return ("float32",)
        return tuple(dict.fromkeys(("float32", self.compute, self.storage, self.batch_norm)))

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.master_weights and self.compute == "float32":
            raise ValueError(
                "expected 16-bit `compute` with `master_weights: true`, came float32, which needs no masters; "
                "compute in float16 or bfloat16, or set `master_weights: false`"
            )
        for key in ("batch_norm", "loss"):
            if getattr(self, key) not in ("float32", self.compute):
                raise ValueError(
                    f"expected `{key}` in float32 or in the format of `compute`, {self.compute}, came "
                    f"{getattr(self, key)}"
                )
        scale = self.loss_scale
        if scale is not None:
            key = "factor" if scale.kind == "static" else "start"
            for format in self.scale_formats:
                if not holds(getattr(scale, key), format):
                    raise ValueError(
                        f"expected `loss_scale/{key}` to be a number that {format} can hold ({range_of(format)}), came "
                        f"{getattr(scale, key):g}"
                    )
        return self


def _bits(value: int) -> int:
    if not 2 <= value <= MOST and value != FULL:
        raise ValueError(f"expected 2 to {MOST} bits, or {FULL} for float32 as it is, came {value}")
    return value


Width = Annotated[int, AfterValidator(_bits)]


class Quantized(Precision):
    """Low-precision training (arXiv:2403.02243): float32, but layers compute with numbers on a grid of few bits.

    Weights and inputs of quantized layers have the bits of the schedule `bits`, between `low` and `high`; the gradients
    of their outputs have `gradients` bits and are rounded stochastically; see `sixteen.precision.quantizers`, and the
    networks for what they leave in float32. Tests run at `high`. `ranges` says over what a test quantizes
    inputs: `moving`, the average of the ranges in training that starts at 0, as in the authors' code, or `corrected`,
    the same without the part of that start.
    """

    low: Width
    high: Width
    gradients: Width
    ranges: Literal["moving", "corrected"]
    bits: BitSchedule

    @property
    def most_bits(self) -> int:
        """See `Precision`."""
        return self.high

    def forward_bits(self, first: int, last: int, steps: int) -> np.ndarray:
        """See `Precision`."""
        return bits.of_steps(self.bits, self.low, self.high, first, last, steps)

    def bit_cost(self, forward: np.ndarray) -> float:
        """See `Precision`."""
        return bits.bit_cost(forward, self.gradients)

    @model_validator(mode="after")
    def _grids(self) -> Self:
        if self.compute != "float32":
            raise ValueError(
                f"expected `compute: float32` where layers are quantized, since grids of few bits are computed in it, "
                f"came {self.compute}"
            )
        if self.low > self.high:
            raise ValueError(
                f"expected `low` to be at most `high`, {self.high} bits, came {self.low}; swap them"
            )
        return self


def _kind(value: Any) -> str:
    quantized = isinstance(value, Quantized) or (isinstance(value, dict) and "bits" in value)
    return "quantized" if quantized else "floating"


AnyPrecision = Annotated[
    Annotated[Precision, Tag("floating")] | Annotated[Quantized, Tag("quantized")],
    Discriminator(_kind),
]

_ANY: TypeAdapter[Precision] = TypeAdapter(AnyPrecision)


def precision_of(told: Any) -> Precision:
    """The entry, of whichever kind, that was told by `plain`."""
    return _ANY.validate_python(told)


# What everything is compared with.
FLOAT32 = Precision(
    compute="float32", master_weights=False, batch_norm="float32", loss="float32", loss_scale=None
)
