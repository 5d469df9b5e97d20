"""Start Keras on one backend, once in a process: environment, threads, numerics, compilation cache.

Must run before Keras, TensorFlow or JAX is imported. Two numeric choices stand here because they decide
what "16 bit" and "32 bit" mean: XLA may not carry intermediate results in more bits than the program says
(by default it does, so that bfloat16 sums keep their float32 digits), and float32 on GPUs is float32,
never TensorFloat-32.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.training import surroundings

NAMES = {"tensorflow": "TensorFlow", "jax": "JAX"}
XLA_FLAGS = "--xla_allow_excess_precision=false --xla_gpu_deterministic_ops=true"
# TensorFlow's libraries on GPUs add up float16 products in float32: its default, which a user's environment could undo.
FLOAT32_SUMS = {"TF_FP16_MATMUL_USE_FP32_COMPUTE": "1", "TF_FP16_CONV_USE_FP32_COMPUTE": "1"}
# Keras imports these where it finds them, for wrappers, plots and tables that training never uses: a third
# of the start-up time.
UNUSED = ("matplotlib", "pandas", "sklearn")


def start(backend: str, threads: int, devices: int = 1) -> None:
    """Import Keras on `backend` ("tensorflow" or "jax") with so many CPU threads, and spread batches over `devices` by JAX.

    Compiled programs are kept in the folder that the environment variable SIXTEEN_CACHE names, if set.
    Raises UserError if the backend isn't installed, if there are fewer devices, and if this process has already started
    another backend, or has used TensorFlow.
    """
    if importlib.util.find_spec(backend) is None:
        raise UserError(
            f"expected {NAMES[backend]} in {sys.executable}, found none: add it to the environment (`make demo EXTRA=jax` "
            "does for JAX), or name another `backend` in params.yaml"
        )
    keras = sys.modules.get("keras")
    if keras is not None and keras.backend.backend() != backend:
        raise UserError(
            f"expected a process where Keras hasn't started, came one where it runs on "
            f"{keras.backend.backend()}, not {backend}; train in a process of its own"
        )
    surroundings.settle({"XLA_FLAGS": XLA_FLAGS, **FLOAT32_SUMS})
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _hidden(UNUSED):
        if backend == "tensorflow":
            _start_tensorflow(threads)  # imports Keras as well
        else:
            _start_jax(threads)
        import keras
    # A user's ~/.keras/keras.json may say otherwise.
    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_last")
    _spread(devices)


def _spread(devices: int) -> None:
    """Have each variable on so many devices, and let `step_jax` spread batches over them."""
    if devices == 1:
        return
    import keras

    if len(found := keras.distribution.list_devices()) < devices:
        raise UserError(
            f"expected {devices} devices, found {len(found)} ({', '.join(found)}): lower `devices` in params.yaml, or give "
            "the run more (a CPU counts as N with XLA_FLAGS=--xla_force_host_platform_device_count=N)"
        )
    spread = keras.distribution.DataParallel(devices=found[:devices])
    keras.distribution.set_distribution(spread)


def _start_tensorflow(threads: int) -> None:
    if cache := _cache("tensorflow", threads):
        flags = f"--tf_xla_persistent_cache_directory={cache} "
        flags += "--tf_xla_persistent_cache_device_types=CPU,GPU,XLA_CPU_JIT"
        os.environ["TF_XLA_FLAGS"] = f"{os.environ.get('TF_XLA_FLAGS', '')} {flags}".strip()
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError as error:
        raise UserError(
            f"expected a process where TensorFlow hasn't run, came one where its {threads} threads can't be "
            "set any more; train in a process of its own"
        ) from error
    tf.config.experimental.enable_tensor_float_32_execution(False)


def _start_jax(threads: int) -> None:
    os.environ["NPROC"] = str(threads)  # the size of XLA's thread pool
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax  # pyright: ignore[reportMissingImports] (an optional extra)

    jax.config.update("jax_default_matmul_precision", "float32")
    if cache := _cache("jax", threads):
        jax.config.update("jax_compilation_cache_dir", str(cache))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)


def _cache(backend: str, threads: int) -> Path | None:
    """A folder for programs compiled for this processor, backend version, thread count and flags."""
    root = os.environ.get("SIXTEEN_CACHE")
    if not root:
        return None
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    features = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    version = importlib.metadata.version(backend)
    key = f"{version} {threads} {os.environ['XLA_FLAGS']} {features}"
    folder = Path(root) / f"{backend}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Let imports of these optional packages fail, if they haven't happened yet."""
    hidden = [name for name in names if name not in sys.modules]
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
