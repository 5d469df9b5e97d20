"""The cast of a tensor to 16 bit, and what it did.

Rounding to nearest makes the error computable. With u the unit roundoff and s the smallest subnormal number
of the format, each element obeys |w - Q(w)| <= u |w| where |w| is at least the smallest normal number,
and |w - Q(w)| <= s / 2 below it (Higham 2002, Accuracy and Stability of Numerical Algorithms, section
2.2). float16: u = 2^-11, s / 2 = 2^-25; bfloat16: u = 2^-8, s / 2 = 2^-134.
"""

from typing import Any

import ml_dtypes
import numpy as np

from sixteen.errors import UserError
from sixteen.precision.formats import SIXTEEN_BIT


def round_to_nearest(weights: np.ndarray, to: str, name: str) -> np.ndarray:
    """Cast floats of any shape to the format ``to``: what is beyond its largest number is infinite in it.

    ``name`` is the tensor's, for the error message: UserError for a weight that isn't finite.
    """
    wide, target = weights.astype(np.float64), SIXTEEN_BIT[to]
    if not np.isfinite(wide).all():
        raise UserError(
            f"expected finite weights to cast to {to}, came {wide[~np.isfinite(wide)][0]} in tensor "
            f"{name!r}; start from a run that hasn't diverged"
        )
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(weights.astype(target))


def error_of(weights: np.ndarray, cast: np.ndarray) -> dict[str, Any]:
    """What the cast of one tensor did, in float64: errors, their bound, and what was lost.

    ``relative_error`` is ||w - Q(w)|| / ||w||, ``error_norm`` the norm ||w - Q(w)|| and ``bound_norm``
    the norm of the elementwise bound. ``underflowed`` counts the non-zero numbers that became zero,
    ``subnormal`` the non-zero results below the smallest normal number. ``norm`` is ||w||. Errors are infinite where
    the cast is.
    """
    info = ml_dtypes.finfo(cast.dtype)
    unit_roundoff = float(info.eps) / 2
    before, after = weights.astype(np.float64), cast.astype(np.float64)
    error = np.abs(before - after)
    normal = np.abs(before) >= float(info.smallest_normal)
    bound = np.where(normal, unit_roundoff * np.abs(before), float(info.smallest_subnormal) / 2)
    norm, error_norm = _norm(before), _norm(error)
    return {
        "elements": before.size,
        "max_abs": float(np.abs(before).max()),
        "max_error": float(error.max()),
        "mean_error": float(error.mean()),
        "relative_error": ratio(error_norm, norm),
        "error_norm": error_norm,
        "bound_norm": _norm(bound),
        "within_bound": bool((error <= bound).all()),
        "underflowed": int(((before != 0) & (after == 0)).sum()),
        "subnormal": int(((after != 0) & (np.abs(after) < float(info.smallest_normal))).sum()),
        "norm": norm,
    }


def ratio(part: float, whole: float) -> float:
    """`part` of `whole`; a tensor of zeros is cast without error."""
    return part / whole if whole else 0.0


def _norm(values: np.ndarray) -> float:
    return float(np.linalg.norm(values.ravel()))
