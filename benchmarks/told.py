"""How benchmarks tell where they measured, and what."""

import importlib.metadata
import os
import platform
import statistics
from collections.abc import Sequence


def machine() -> str:
    """Cores, and versions of what computes."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("tensorflow", "keras")]
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {', '.join(versions)}"


def spread(values: Sequence[float], form: str) -> str:
    """Minimum, median and maximum."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"min {low:{form}}  median {middle:{form}}  max {high:{form}}"
