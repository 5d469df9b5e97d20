"""The machine that a run is made on: a place on its GPU, or on its cores, and what there is to record of it."""

import contextlib
import fcntl
import importlib.metadata
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sixteen import hardware
from sixteen.errors import UserError
from sixteen.files import read_json
from sixteen.lineage.places import BUNDLE

PACKAGES = (
    *("keras", "tensorflow", "jax", "jaxlib", "ml-dtypes", "numpy", "pandas", "pillow"),
    *("safetensors", "scikit-learn", "scipy", "matplotlib", "sixteen", "snakemake"),
)
# CUDA and cuDNN as pip installs them beside TensorFlow and JAX.
CUDA = {"cuda": "nvidia-cuda-runtime-cu12", "cudnn": "nvidia-cudnn-cu12"}

FLAGS = ("XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS", "NVIDIA_TF32_OVERRIDE", "OMP_NUM_THREADS")

# Of the locks: one folder for all processes of a user, whatever their environment. A job of a batch system often has a
# TMPDIR of its own, and XDG_RUNTIME_DIR is there only for those who logged in.
LOCKS = Path("/tmp" if os.access("/tmp", os.W_OK | os.X_OK) else tempfile.gettempdir())

POLL = 0.5  # seconds between looks at a place that is taken

log = logging.getLogger("sixteen")


@contextlib.contextmanager
def device(share: int, alone: bool, count: int = 1) -> Iterator[None]:
    """Hold a place on each of `count` of the machine's NVIDIA GPUs, or, without a GPU, on the machine itself.

    At most `share` runs are on a GPU at once; on the cores Snakemake counts. A run that is to be `alone` (a timing)
    waits until nothing of ours is on its GPUs, or on the machine, and then all others wait for it; so do those that come
    while it waits, else it might wait for ever. Snakemake counts within one call only; other terminals and `dvc queue` are outside of that. The locks die with this process and with those
    that it started and that inherited them. Under Slurm every job may see its GPU as number 0, so that a GPU is known
    by its UUID where NVML tells it, else by the job, which Slurm gave it to alone. A run of several GPUs holds all of them
    or none, so that no two wait for each other. Raises UserError if there are fewer.
    """
    # NVML counts GPUs by their place on the bus; CUDA does so on request.
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    gpus = hardware.visible()
    if gpus and len(gpus) < count:
        raise UserError(
            f"expected {count} GPUs, as `devices` of this run says, found {len(gpus)}: lower it in params.yaml, or ask the batch "
            f'system for as many (`gres: "gpu:{count}"` in profiles/slurm/config.yaml)'
        )
    job = os.environ.get("SLURM_JOB_ID", "")
    names = {f"gpu-{_uuid(gpu) or job + gpu}": gpu for gpu in gpus} or {"machine": None}
    wanted = Wanted(tuple(names), share if gpus else None, alone, count if gpus else 1)
    if (held := _free(wanted)) is None:
        what = f"a GPU ({', '.join(gpus)})" if gpus else "the machine"
        what = f"{count} GPUs ({', '.join(gpus)})" if gpus and count > 1 else what
        held = _wait(wanted, what)
    found, locks = held
    with locks:
        if gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(names[name] or "" for name in found)
        yield


@dataclass(frozen=True)
class Wanted:
    """Places on `count` of the devices `names`, each shared by so many `places` (any number: None), or each `alone`."""

    names: tuple[str, ...]
    places: int | None
    alone: bool
    count: int


def _wait(wanted: Wanted, what: str) -> tuple[list[str], contextlib.ExitStack]:
    """What `_free` finds in the end."""
    why = (
        "a timing has to be alone"
        if wanted.alone
        else "all places are taken, or a timing is on or waits"
    )
    with contextlib.ExitStack() as intent:
        intended: set[str] = set()
        log.info("waiting for %s: %s", what, why)
        while (held := _free(wanted)) is None:
            if wanted.alone:
                _intend(intent, wanted, intended)
            time.sleep(POLL)
    return held


def _free(wanted: Wanted) -> tuple[list[str], contextlib.ExitStack] | None:
    """The first devices with a free place for which, unless for one `alone`, no timing waits; and the locks that hold them."""
    with contextlib.ExitStack() as held:
        found: list[str] = []
        for name in wanted.names:
            with contextlib.ExitStack() as one:
                if _take(one, name, wanted):
                    found.append(name)
                    held.push(one.pop_all())
            if len(found) == wanted.count:
                return found, held.pop_all()
    return None


def _take(held: contextlib.ExitStack, name: str, wanted: Wanted) -> bool:
    if wanted.alone:
        return _lock(held, name, fcntl.LOCK_EX)
    with contextlib.ExitStack() as intent:
        return (
            _lock(intent, f"{name}-intent", fcntl.LOCK_SH)
            and _lock(held, name, fcntl.LOCK_SH)
            and (
                wanted.places is None
                or any(_lock(held, f"{name}-{n}", fcntl.LOCK_EX) for n in range(wanted.places))
            )
        )


def _intend(intent: contextlib.ExitStack, wanted: Wanted, intended: set[str]) -> None:
    """Keep others from coming to as many devices as are wanted, which then get free in the end."""
    for name in wanted.names:
        if len(intended) < wanted.count and name not in intended:
            with contextlib.ExitStack() as held:
                if _lock(held, f"{name}-intent", fcntl.LOCK_EX):
                    intent.enter_context(held.pop_all())
                    intended.add(name)


def _lock(held: contextlib.ExitStack, name: str, kind: int) -> bool:
    """Take a lock of this user on this machine if it is free."""
    path = LOCKS / f"sixteen-{os.getuid()}-{name}.lock"
    file = held.enter_context(path.open("a"))
    # The processes of a timing hold it as well, should this one be killed before they end.
    os.set_inheritable(file.fileno(), True)
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _uuid(gpu: str) -> str | None:
    with contextlib.suppress(Exception):  # no NVML
        nvml, handle = hardware.nvml(gpu)
        return _text(nvml.nvmlDeviceGetUUID(handle))
    return None


def facts(root: Path) -> dict[str, Any]:
    """What the run was made with: machine, versions, commit. Facts, never part of a fingerprint."""
    cpu = hardware.processor()
    return {
        "host": platform.node(),
        "cpu": cpu.pop("model"),
        **{f"cpu_{key}": value for key, value in cpu.items()},
        "gpu": _gpu(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        # What a caller may have set that changes numerics, with what we set ourselves.
        "flags": {k: v for k, v in sorted(os.environ.items()) if k in FLAGS},
        **source(root),
    }


def source(root: Path) -> dict[str, Any]:
    """The commit of the project, and whether files differ from it; where a bundle was unpacked, of that which packed it."""
    with contextlib.suppress(FileNotFoundError):
        return read_json(root / BUNDLE)["source"]
    # A repository around the project says nothing of it unless it keeps it.
    kept = _git(root, "ls-files", "--error-unmatch", "Snakefile")
    commit = _git(root, "rev-parse", "HEAD") if kept else None
    changed = _git(root, "status", "--porcelain") if commit else None
    return {"git_commit": commit, "git_dirty": None if changed is None else bool(changed)}


def _gpu() -> dict[str, Any] | None:
    """What NVML tells of the GPU that this process was given; None without one, a value None where it is silent.

    `driver_cuda` is the newest CUDA that the driver serves, `cuda` and `cudnn` are what runs on it; the limit of power
    is in watts.
    """
    given = hardware.visible()
    if not given:
        return None
    told: dict[str, Any] = dict.fromkeys(
        ("name", "uuid", "driver", "driver_cuda", "compute_capability", "power_limit_watts")
    )
    with contextlib.suppress(Exception):  # no NVML
        nvml, handle = hardware.nvml(given[0])
        ask = {
            "name": lambda: _text(nvml.nvmlDeviceGetName(handle)),
            "uuid": lambda: _text(nvml.nvmlDeviceGetUUID(handle)),
            "driver": lambda: _text(nvml.nvmlSystemGetDriverVersion()),
            "driver_cuda": lambda: _dotted(nvml.nvmlSystemGetCudaDriverVersion()),
            "compute_capability": lambda: "{}.{}".format(
                *nvml.nvmlDeviceGetCudaComputeCapability(handle)
            ),
            "power_limit_watts": lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1e3,
        }
        for key, answer in ask.items():
            with contextlib.suppress(nvml.NVMLError):  # what this GPU doesn't tell
                told[key] = answer()
    return told | {key: _version(package) or _built_for(key) for key, package in CUDA.items()}


def _built_for(library: str) -> str | None:
    """The version of CUDA or cuDNN that TensorFlow was built for, if it is what this process ran."""
    tensorflow: Any = sys.modules.get("tensorflow")
    if tensorflow is None:
        return None
    return tensorflow.sysconfig.get_build_info().get(f"{library}_version")


def _version(package: str) -> str | None:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return None


def _text(told: str | bytes) -> str:
    return told.decode() if isinstance(told, bytes) else told  # older pynvml speaks bytes


def _dotted(version: int) -> str:
    """12040 is CUDA 12.4."""
    return f"{version // 1000}.{version % 1000 // 10}"


def _git(root: Path, *arguments: str) -> str | None:
    """Answer of git; None where it refuses, as outside a repository, and where there is no git.

    It takes no lock: a job that is killed meanwhile would leave it to the user's own git.
    """
    try:
        command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
