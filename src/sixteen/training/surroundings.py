"""Variables of the environment that change what a backend computes: no run sees them, for no fingerprint tells them.

TensorFlow, JAX, XLA and NVIDIA's libraries read some hundred, each version others: all are taken away but those of
which it is known that they change no number.
"""

import logging
import os
import re

READ = re.compile(r"(TF|JAX|XLA|ONEDNN|DNNL|CUBLAS|CUBLASLT|CUDNN)_\w+|NVIDIA_TF32_OVERRIDE")
# How much memory, which devices; what is told, dumped and cached; and what Terraform reads.
HARMLESS = re.compile(
    r"XLA_(PYTHON_)?CLIENT_\w+|TF_FORCE_GPU_ALLOW_GROWTH|TF_GPU_(ALLOCATOR|THREAD_\w+)|TF_\w*MEM\w*_IN_MB|"
    r"JAX_(PLATFORMS|PLATFORM_NAME|CUDA_VISIBLE_DEVICES|(COMPILATION|PERSISTENT)_CACHE_\w+|TRACEBACK_\w+)|"
    r"TF_(VAR|TOKEN|CLI)_\w+|TF_CPP_\w+|(TF|JAX|ONEDNN)_(\w+_)?DUMP_\w+|\w+_LOG\w*|\w+_(VERBOSE|VERSION)"
)
LISTS = ("XLA_FLAGS", "TF_XLA_FLAGS")  # each holds flags, see the next line for the harmless ones
HARMLESS_FLAG = re.compile(
    r"--(xla_dump_\w+|xla_gpu_cuda_data_dir|xla_force_host_platform_device_count|tf_xla_persistent_cache_\w+)(=.*)?"
)

log = logging.getLogger("sixteen")


def settle(ours: dict[str, str]) -> None:
    """Take away what changes numbers, with a line in the log that names it, and set `ours`, added to what a list holds."""
    ignored: list[str] = []
    for name in sorted(filter(READ.fullmatch, os.environ)):
        if name in LISTS:
            kept, others = _sifted(os.environ.pop(name), ours.get(name, ""))
            ignored += [f"{name} {flag}" for flag in others]
            if kept:
                os.environ[name] = kept
        elif not HARMLESS.fullmatch(name) and os.environ.pop(name) != ours.get(name):
            ignored.append(name)  # without its value, which may be a secret of another program
    for name, value in ours.items():
        kept = os.environ.get(name, "") if name in LISTS else ""
        os.environ[name] = f"{kept} {value}".strip()
    if ignored:
        log.info("not heeded, since it would change what is computed: %s", ", ".join(ignored))


def _sifted(flags: str, own: str) -> tuple[str, list[str]]:
    """The harmless of the flags, and the others that aren't our own of an earlier call."""
    kept = [flag for flag in flags.split() if HARMLESS_FLAG.fullmatch(flag)]
    return " ".join(kept), [f for f in flags.split() if f not in (*kept, *own.split())]
