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

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sixteen.entry import Count, Entry, Format, Positive
from sixteen.precision.formats import holds, range_of, rounded


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


# What everything is compared with.
FLOAT32 = Precision(
    compute="float32", master_weights=False, batch_norm="float32", loss="float32", loss_scale=None
)
