"""The step that casts the weights of a run to 16 bit, and measures what the cast did.

The map Q of arXiv:2311.18587, section 4: theta_16 = Q(theta_32) with ||theta_32 - Q(theta_32)|| <= delta, where
`sixteen.precision.casts` makes delta computable.
"""

import json
import math
import shutil
from pathlib import Path
from typing import Any, Literal

import numpy as np
from safetensors.numpy import load_file, save_file

from sixteen.entry import Entry
from sixteen.files import write_csv
from sixteen.precision.casts import error_of, ratio, round_to_nearest
from sixteen.precision.formats import SIXTEEN_BIT


class Quantization(Entry):
    """What the step reads: the format that weights are cast to."""

    to: Literal["float16", "bfloat16"]


def quantize(
    parameters: Quantization, inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Cast every floating-point tensor of the run ``start``, to nearest, ties to even.

    Writes weights.safetensors (tensors of integers unchanged), tensors.csv (a row a tensor, in order of
    name) and a copy of the start's outcome.json. Returns the facts of all tensors together. Raises
    UserError for a weight that isn't finite, or is too large for the format.
    """
    to = parameters.to
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
        "relative_error": ratio(
            math.hypot(*(row["error_norm"] for row in rows)), math.hypot(*norms)
        ),
        "underflowed": sum(row["underflowed"] for row in rows),
        "within_bound": all(row["within_bound"] for row in rows),
    }


def _is_floating(dtype: np.dtype) -> bool:
    return np.issubdtype(dtype, np.floating) or dtype in SIXTEEN_BIT.values()
