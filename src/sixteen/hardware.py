"""What the machine computes with, as the system tells it, without any framework."""

import contextlib
import os
import platform
from pathlib import Path
from typing import Any

CPUINFO = Path("/proc/cpuinfo")


def processor() -> dict[str, str | None]:
    """Model, family, stepping and flags of the processor: what numerics and compiled programs depend on.

    `model` is the name that it is sold by, `family` the vendor's numbers of family and model. What isn't told is None.
    """
    told: dict[str, str] = {}
    with contextlib.suppress(OSError):
        # One processor after the other; the first stands for all.
        for line in CPUINFO.read_text().partition("\n\n")[0].splitlines():
            key, _, value = line.partition(":")
            told[key.strip()] = value.strip()
    numbers = (told.get("cpu family"), told.get("model"))
    return {
        "model": told.get("model name") or platform.processor() or platform.machine(),
        "family": "/".join(filter(None, numbers)) or None,
        "stepping": told.get("stepping"),
        "flags": told.get("flags") or told.get("Features"),
    }


def visible() -> list[str]:
    """The GPUs that this process may use, by index or UUID as in CUDA_VISIBLE_DEVICES; empty where there is none."""
    found = sorted(path.name[6:] for path in Path("/dev").glob("nvidia[0-9]*"))
    if not found:
        return []
    listed = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(found))
    return [] if listed in ("", "-1") else listed.split(",")


def nvml(gpu: str) -> tuple[Any, Any]:
    """The module pynvml and its handle of a GPU, by index or UUID. Raises what pynvml raises, or ImportError."""
    import pynvml  # pyright: ignore[reportMissingImports] (an optional extra)

    pynvml.nvmlInit()
    by = pynvml.nvmlDeviceGetHandleByIndex if gpu.isdigit() else pynvml.nvmlDeviceGetHandleByUUID
    return pynvml, by(int(gpu) if gpu.isdigit() else gpu)
