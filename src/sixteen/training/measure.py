"""What a run costs: memory, energy, and on which device. Measured, so different from run to run."""

import contextlib
import math
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import ml_dtypes

from sixteen import hardware, networks
from sixteen.precision.entry import Precision
from sixteen.precision.proofs import norms_of

POWERCAP = Path("/sys/class/powercap")


def device() -> str:
    """The GPU's name, or `cpu: <model>`; with `, N devices` where batches are spread over several."""
    spread = keras.distribution.distribution()
    return _device() + (f", {spread.num_model_replicas} devices" if spread else "")


def _device() -> str:
    cpu = f"cpu: {hardware.processor()['model']}"
    if keras.backend.backend() == "jax":
        import jax  # pyright: ignore[reportMissingImports] (an optional extra)

        first = jax.devices()[0]
        return cpu if first.platform == "cpu" else first.device_kind
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return cpu
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "gpu")


def peak() -> dict[str, Any]:
    """Peak memory so far in bytes, and whether it is the device's or the whole process's."""
    if keras.backend.backend() == "jax":
        import jax  # pyright: ignore[reportMissingImports] (an optional extra)

        used = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    else:
        import tensorflow as tf

        gpus = tf.config.list_logical_devices("GPU")
        used = tf.config.experimental.get_memory_info("GPU:0")["peak"] if gpus else None
    if used is not None:
        return {"peak_bytes": used, "peak_bytes_of": "device"}
    unit = 1 if sys.platform == "darwin" else 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"peak_bytes": used, "peak_bytes_of": "process"}


def state_bytes(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, precision: Precision
) -> dict[str, int]:
    """Bytes of what a training holds, counted from the tensors.

    `weight_bytes`: weights as computed with, which are 16-bit copies where there are master weights, and
    parameters and statistics of batch norm as stored. `master_bytes`: float32 master weights, 0 without
    them. `gradient_bytes` (stored like their weights) and `optimizer_bytes`. `activation_bytes`: the outputs
    of all layers for one item in the compute type; times the batch, what the backward pass may need.
    """
    masters: list[keras.Variable] = []
    if precision.master_weights:
        norms = norms_of(model)
        masters = [variable for variable in model.weights if variable.path not in norms]
    width = ml_dtypes.finfo(precision.compute).bits // 8
    copies = sum(math.prod(variable.shape) for variable in masters) * width
    return {
        "weight_bytes": _bytes(model.weights) - _bytes(masters) + copies,
        "master_bytes": _bytes(masters),
        "gradient_bytes": _bytes(model.trainable_variables),
        "optimizer_bytes": _bytes(optimizer.variables),
        "activation_bytes": networks.activation_elements(model) * width,
    }


def _bytes(variables: Sequence[keras.Variable]) -> int:
    return sum(variable.numpy().nbytes for variable in variables)


def energy_meter() -> Callable[[], float] | None:
    """A function that returns the joules spent so far (NVML, else RAPL), or None where nothing counts.

    NVML counts the GPUs that this process was given. RAPL counts whole processor packages, with all that runs
    on them, and wraps; it has to be asked at least once a wrap (minutes to hours).
    """
    with contextlib.suppress(Exception):  # no NVML, no GPU, or one that doesn't count energy
        if meters := [_nvml(gpu) for gpu in hardware.visible()]:
            return lambda: sum(meter() for meter in meters)
    try:
        return _rapl(sorted(POWERCAP.glob("intel-rapl:[0-9]")))
    except OSError:
        return None


def _nvml(gpu: str) -> Callable[[], float]:
    nvml, handle = hardware.nvml(gpu)
    nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    return lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3  # from millijoules


def _rapl(packages: list[Path]) -> Callable[[], float] | None:
    if not packages:
        return None

    def read() -> list[int]:
        return [int((package / "energy_uj").read_text()) for package in packages]

    limits = [int((package / "max_energy_range_uj").read_text()) + 1 for package in packages]
    last, spent = read(), 0

    def joules() -> float:
        nonlocal last, spent
        now = read()
        spent += sum((b - a) % limit for a, b, limit in zip(last, now, limits, strict=True))
        last = now
        return spent / 1e6  # from microjoules

    return joules
