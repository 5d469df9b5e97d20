"""The machine that a run is made on: a GPU for itself, and what there is to record of it."""

import contextlib
import fcntl
import importlib.metadata
import logging
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

PACKAGES = (
    "keras",
    "tensorflow",
    "jax",
    "numpy",
    "pandas",
    "pillow",
    "safetensors",
    "scikit-learn",
    "scipy",
    "matplotlib",
)

FLAGS = ("XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS", "NVIDIA_TF32_OVERRIDE", "OMP_NUM_THREADS")

log = logging.getLogger("sixteen")


@contextlib.contextmanager
def device() -> Iterator[None]:
    """Take one of the machine's NVIDIA GPUs for this process alone; does nothing where there is none.

    Snakemake counts GPUs within one call only; other terminals and `dvc queue` are outside of that.
    """
    found = sorted(path.name[6:] for path in Path("/dev").glob("nvidia[0-9]*"))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(found)).split(",")
    if not found or visible in ([""], ["-1"]):
        yield
        return
    held: TextIO | None = None
    waiting = False
    while held is None:
        for device in visible:
            file = (Path(tempfile.gettempdir()) / f"sixteen-{os.getuid()}-gpu-{device}.lock").open(
                "a"
            )
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
            else:
                held = file
                os.environ["CUDA_VISIBLE_DEVICES"] = device
                break
        else:
            if not waiting:
                log.info("waiting for a GPU (%s), all are in use", ", ".join(visible))
            waiting = True
            time.sleep(0.5)
    with held:
        yield


def facts(root: Path) -> dict[str, Any]:
    """What the run was made with: machine, versions, commit. Facts, never part of a fingerprint."""
    versions = {}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    commit = _git(root, "rev-parse", "HEAD")
    return {
        "host": platform.node(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "python": platform.python_version(),
        "packages": versions,
        # What a caller may have set that changes numerics, with what we set ourselves.
        "flags": {k: v for k, v in sorted(os.environ.items()) if k in FLAGS},
        "git_commit": commit,
        "git_dirty": bool(_git(root, "status", "--porcelain")) if commit else None,
    }


def _cpu() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _git(root: Path, *arguments: str) -> str | None:
    """Answer of git, or None outside a repository."""
    try:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
