"""What a precision entry of params.yaml stores; the arithmetic is in `sixteen.training.precision`."""

from typing import Any

LARGEST_FLOAT16 = 65504


def storage_of(precision: dict[str, Any]) -> str:
    """The format of stored weights: float32 for master weights (arXiv:1710.03740, section 3.1)."""
    return "float32" if precision["master_weights"] else precision["compute"]
