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
- `loss_scale`: see `sixteen.training.optimizers`.

Where sums are accumulated (arXiv:1710.03740, section 3.3) can be chosen for the loss alone. Keras has no argument
for it. XLA has one for matrix products, not for convolutions: the algorithm of a dot, in JAX
`jax.lax.DotAlgorithmPreset`; its CPU backend ignores it. TensorFlow reads TF_FP16_MATMUL_USE_FP32_COMPUTE and
TF_FP16_CONV_USE_FP32_COMPUTE for GPUs; `sixteen.training.backends` sets both to 1, float32. So there is no field.
Measured on a CPU (tests/training/test_accumulation.py): products and convolutions are summed in float32 and rounded
once, on both backends, and so are all other sums on TensorFlow with XLA; on JAX, sums that the backward pass adds
(gradients of biases) run in the 16-bit format itself. The arithmetic of batch and layer normalisation is float32 in
Keras, whatever their storage.
"""

import math
from typing import Any

import ml_dtypes
import numpy as np


def storage_of(precision: dict[str, Any]) -> str:
    """The format of stored weights: float32 for master weights (arXiv:1710.03740, section 3.1)."""
    return "float32" if precision["master_weights"] else precision["compute"]


def rounded(value: float, format: str) -> float:
    """The nearest number of a format (float16, bfloat16 or float32); may be 0 or infinite."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float64(value).astype(ml_dtypes.finfo(format).dtype))


def holds(value: float, format: str) -> bool:
    """Whether a format has a number near a positive one: it becomes neither 0 nor infinite."""
    return 0 < rounded(value, format) < math.inf


def range_of(format: str) -> str:
    """The positive numbers of a format in words."""
    info = ml_dtypes.finfo(format)
    return f"{float(info.smallest_subnormal):.3g} to {float(info.max):.6g}"


def scale_formats(precision: dict[str, Any]) -> tuple[str, ...]:
    """The formats in which a loss scale must be a number: where it multiplies, and where it divides.

    A dynamic scale is float32 in Keras. A static one multiplies the loss and divides gradients, which are stored
    like their weights.
    """
    if precision["loss_scale"]["kind"] == "dynamic":
        return ("float32",)
    used = ("float32", precision["compute"], storage_of(precision), precision["batch_norm"])
    return tuple(dict.fromkeys(used))
