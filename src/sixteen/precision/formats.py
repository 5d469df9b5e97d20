"""The formats of numbers: what each can hold, and the nearest number in it."""

import math

import ml_dtypes
import numpy as np

# The formats that weights are cast to.
SIXTEEN_BIT = {"float16": np.dtype(np.float16), "bfloat16": np.dtype(ml_dtypes.bfloat16)}

BITS = {"float16": 16, "bfloat16": 16, "float32": 32}


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
