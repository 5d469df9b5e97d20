"""Cast the weights of a run to 16 bit, and measure what the cast did.

The map Q of arXiv:2311.18587, section 4: theta_16 = Q(theta_32) with ||theta_32 - Q(theta_32)|| <= delta.
Rounding to nearest makes delta computable. With u the unit roundoff and s the smallest subnormal number
of the format, each element obeys |w - Q(w)| <= u |w| where |w| is at least the smallest normal number,
and |w - Q(w)| <= s / 2 below it (Higham 2002, Accuracy and Stability of Numerical Algorithms, section
2.2). float16: u = 2^-11, s / 2 = 2^-25; bfloat16: u = 2^-8, s / 2 = 2^-134.
"""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from safetensors.numpy import load_file, save_file

from sixteen.errors import UserError
from sixteen.files import write_csv

FORMATS = {"float16": np.dtype(np.float16), "bfloat16": np.dtype(ml_dtypes.bfloat16)}


def quantize(
    parameters: dict[str, Any], inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Cast every floating-point tensor of the run ``start``, to nearest, ties to even.

    Writes weights.safetensors (tensors of integers unchanged), tensors.csv (a row a tensor, in order of
    name) and a copy of the start's outcome.json. Returns the facts of all tensors together. Raises
    UserError for a weight that isn't finite, or is too large for the format.
    """
    to = parameters["to"]
    weights = load_file(inputs["start"] / "weights.safetensors")
    cast, rows = {}, []
    for name in sorted(weights):
        cast[name] = weights[name]
        if _is_floating(weights[name].dtype):
            cast[name] = round_to_nearest(weights[name], to, name)
            rows.append({"tensor": name, **error_of(weights[name], cast[name])})
    save_file(
        cast,
        into / "weights.safetensors",
        metadata={"sixteen": json.dumps({"quantized_to": to})},
    )
    norms = [row.pop("norm") for row in rows]
    write_csv(into / "tensors.csv", tuple(rows[0]), rows)
    shutil.copyfile(inputs["start"] / "outcome.json", into / "outcome.json")
    return {
        "elements": sum(row["elements"] for row in rows),
        "max_error": max(row["max_error"] for row in rows),
        "relative_error": _ratio(
            math.hypot(*(row["error_norm"] for row in rows)), math.hypot(*norms)
        ),
        "underflowed": sum(row["underflowed"] for row in rows),
        "within_bound": all(row["within_bound"] for row in rows),
    }


def round_to_nearest(weights: np.ndarray, to: str, name: str) -> np.ndarray:
    """Cast floats of any shape to the format ``to``; ``name`` is the tensor's, for the error message."""
    target = FORMATS[to]
    wide = weights.astype(np.float64)
    if not np.isfinite(wide).all():
        raise UserError(
            f"expected finite weights to cast to {to}, came {wide[~np.isfinite(wide)][0]} in tensor "
            f"{name!r}; start from a run that hasn't diverged"
        )
    with np.errstate(over="ignore", under="ignore"):
        cast = np.asarray(weights.astype(target))
    if not np.isfinite(cast.astype(np.float64)).all():
        worst = wide.flat[np.abs(wide).argmax()]
        raise UserError(
            f"expected weights that {to} can hold, whose largest number is "
            f"{float(ml_dtypes.finfo(target).max):g}, came {worst:g} in tensor {name!r}; cast to "
            "bfloat16, which has the range of float32, or start from smaller weights"
        )
    return cast


def error_of(weights: np.ndarray, cast: np.ndarray) -> dict[str, Any]:
    """What the cast of one tensor did, in float64: errors, their bound, and what was lost.

    ``relative_error`` is ||w - Q(w)|| / ||w||, ``error_norm`` the norm ||w - Q(w)|| and ``bound_norm``
    the norm of the elementwise bound. ``underflowed`` counts the non-zero numbers that became zero,
    ``subnormal`` the non-zero results below the smallest normal number. ``norm`` is ||w||.
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
        "relative_error": _ratio(error_norm, norm),
        "error_norm": error_norm,
        "bound_norm": _norm(bound),
        "within_bound": bool((error <= bound).all()),
        "underflowed": int(((before != 0) & (after == 0)).sum()),
        "subnormal": int(((after != 0) & (np.abs(after) < float(info.smallest_normal))).sum()),
        "norm": norm,
    }


def _is_floating(dtype: np.dtype) -> bool:
    return np.issubdtype(dtype, np.floating) or dtype == FORMATS["bfloat16"]


def _norm(values: np.ndarray) -> float:
    return float(np.linalg.norm(values.ravel()))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0  # a tensor of zeros is cast without error
