"""The step that casts the weights of a run to 16 bit, and measures what the cast did.

The map Q of arXiv:2311.18587, section 4: theta_16 = Q(theta_32) with ||theta_32 - Q(theta_32)|| <= delta, where
`sixteen.precision.casts` makes delta computable.
"""

import json
import math
from pathlib import Path
from typing import Any, Literal

import ml_dtypes
import numpy as np
from safetensors.numpy import load_file, save_file

from sixteen.entry import Entry
from sixteen.files import read_json, write_csv, write_json
from sixteen.precision.casts import error_of, ratio, round_to_nearest
from sixteen.precision.formats import SIXTEEN_BIT

OUTCOME = "outcome.json"


class Quantization(Entry):
    """What the step reads: the format that weights are cast to."""

    to: Literal["float16", "bfloat16"]


def quantize(
    parameters: Quantization, inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Cast every floating-point tensor of the run ``start``, to nearest, ties to even.

    Writes weights.safetensors (tensors of integers unchanged), tensors.csv (a row a tensor, in order of
    name; no error where there is an infinite one) and outcome.json: the start's, but diverged where a weight is beyond
    the largest number of the format, since nothing can go on from there. Returns the facts of all tensors together, null
    for what isn't finite. Raises UserError for a weight that isn't.
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
    write_csv(into / "tensors.csv", tuple(rows[0]), map(_known, rows))
    write_json(into / OUTCOME, _outcome(read_json(inputs["start"] / OUTCOME), rows, to))
    error_norm = math.hypot(*(row["error_norm"] for row in rows))
    facts = {
        "elements": sum(row["elements"] for row in rows),
        "max_error": max(row["max_error"] for row in rows),
        "relative_error": ratio(error_norm, math.hypot(*norms)),
        "underflowed": sum(row["underflowed"] for row in rows),
        "within_bound": all(row["within_bound"] for row in rows),
    }
    return _known(facts)


def _outcome(start: dict[str, Any], rows: list[dict[str, Any]], to: str) -> dict[str, Any]:
    """How it stands after the cast: as before it, unless that made a weight infinite."""
    lost = [row for row in rows if math.isinf(row["max_error"])]
    if start["outcome"] == "diverged" or not lost:
        return start
    worst, most = max(lost, key=lambda row: row["max_abs"]), float(ml_dtypes.finfo(to).max)
    hint = (
        f"{to} can't hold {worst['max_abs']:g}, a weight of tensor {worst['tensor']!r}, its largest number being {most:g}: "
        "cast to bfloat16, which has the range of float32, or start from smaller weights"
    )
    found = {"outcome": "diverged", "epoch": start["epochs_done"], "step": 0, "hint": hint}
    return start | found


def _known(row: dict[str, Any]) -> dict[str, Any]:
    """A row, or facts, with None for what is infinite."""
    return {
        name: None if isinstance(value, float) and math.isinf(value) else value
        for name, value in row.items()
    }


def _is_floating(dtype: np.dtype) -> bool:
    return np.issubdtype(dtype, np.floating) or dtype in SIXTEEN_BIT.values()
