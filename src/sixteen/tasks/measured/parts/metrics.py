"""The metrics of a run that are compared between arms: those of its task, and those that all tasks share."""

import dataclasses
from typing import Literal

from sixteen.tasks import measured
from sixteen.tasks.measured.parts.metric import (
    COSINE,
    Better,
    Kind,
    Metric,
    percentage,
    share,
)
from sixteen.tasks.measured.parts.metric import measured as number

# Clocks that are measured alone, see sixteen.timing, and by which claims are decided. The others are of training runs,
# which share their machine.
TIMED = (
    *("compile_seconds", "step_seconds", "items_per_second", "peak_bytes", "energy_joules"),
    "largest_batch",
)


def metrics_of(task: str) -> dict[str, Metric]:
    """All metrics by name, the task's own first."""
    module = measured.module(task)
    return module.METRICS | _theory() | _clocks(module.ITEM) | _memory(module.ITEM)


def _theory() -> dict[str, Metric]:
    """Of the last observation, all tensors together."""
    return {
        "casting_error": percentage("casting error over its bound", "less"),
        "hessian_gap": percentage("change of the gradient by a cast that the Hessian misses", None),
        "held_gap": percentage("the same with each ReLU held on the side of its kink", None),
        "crossed_kinks": share("units of ReLUs that the cast moves across their kink", None),
        "gradient_error": percentage("relative error of the gradient", "less"),
        "gradient_cosine": dataclasses.replace(
            number("cosine of the gradient with that in float32", "of 1", "more", "difference"),
            ends=COSINE,
        ),
        "underflowed_gradients": share("gradient values lost to underflow", "less"),
        "lost_updates": share("updates lost to rounding", "less"),
        "update_error": percentage("norm of the update that rounding changes", "less"),
        "remainder": percentage("remainder R over the predicted decrease", None),
        "bit_cost": Metric(
            "cost of training in bit operations",
            *("epochs in float32", 1, "less", "ratio", "fixed"),
            clock=False,
        ),
        "skipped_steps": number("skipped steps", "steps", "less", "difference"),
    }


def _clocks(item: str) -> dict[str, Metric]:
    """Times and all else that depends on what the machine does beside; `step_seconds` and `largest_batch` are timed only."""
    return {
        "train_seconds": _clock("training time", "s", "less", "measured"),
        "seconds_per_epoch": _clock("time per epoch", "s", "less", "measured"),
        "reach_seconds": _clock("time to equal accuracy", "s", "less", "measured"),
        "step_seconds": _clock("time per step", "s", "less", "measured"),
        "items_per_second": _clock("training throughput", f"{item}s/s", "more", "measured"),
        "compile_seconds": _clock("compile time", "s", "less", "measured"),
        "peak_bytes": _clock("peak memory", "bytes", "less", "allocated"),
        "largest_batch": _clock("largest batch that fits", f"{item}s", "more", "tried"),
        "energy_joules": _clock("energy", "J", "less", "measured"),
    }


def _memory(item: str) -> dict[str, Metric]:
    """Counted from shapes and formats."""
    return {
        "weight_bytes": _bytes("memory of the weights", "ratio"),
        "master_bytes": _bytes("memory of the float32 master weights", "difference"),
        "gradient_bytes": _bytes("memory of the gradients", "ratio"),
        "optimizer_bytes": _bytes("memory of the optimizer", "ratio"),
        "state_bytes": _bytes("memory of weights, gradients and optimizer", "ratio"),
        "activation_bytes": _bytes(f"memory of the activations of one {item}", "ratio"),
        "training_bytes": _bytes("memory counted for a training step", "ratio"),
    }


def _clock(
    words: str, unit: str, better: Better, spread: Literal["measured", "tried", "allocated"]
) -> Metric:
    return Metric(words, unit, 1, better, "ratio", spread, clock=True)


def _bytes(words: str, kind: Kind) -> Metric:
    return Metric(words, "bytes", 1, "less", kind, "fixed", clock=False)
