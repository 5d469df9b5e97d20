"""The metrics of a run that are compared between arms, and the pairs of runs that compare them."""

from dataclasses import dataclass
from typing import Any

Run = dict[str, Any]  # a row of runs.csv; None where nothing was measured

POINTS = "percentage points"


@dataclass(frozen=True)
class Metric:
    """A metric in words. ``scale`` turns a value (a share, say) into ``unit`` (percentage points).

    ``kind`` says how two arms are compared: by the ``difference`` or the ``ratio`` of paired runs.
    """

    words: str
    unit: str
    scale: float = 1.0
    kind: str = "difference"


METRICS = {
    "accuracy": Metric("test accuracy", POINTS, 100),
    "loss": Metric("test loss", "nats"),
    "calibration_error": Metric("expected calibration error", POINTS, 100),
    "margin_mean": Metric("mean classification margin", POINTS, 100),
    "best_epoch_bias": Metric("best-epoch minus last-epoch accuracy", POINTS, 100),
    "start_accuracy": Metric("test accuracy before the first step", POINTS, 100),
    "first_epoch_accuracy": Metric("test accuracy after the first epoch", POINTS, 100),
    "epoch_sd": Metric("epoch-to-epoch deviation of test accuracy", POINTS, 100, "ratio"),
    "loss_sd": Metric("epoch-to-epoch deviation of test loss", "nats", kind="ratio"),
    "certified_share": Metric("images certified to keep the reference's class", POINTS, 100),
    "agreement": Metric("images with the reference's class", POINTS, 100),
    # Of the last observation, all tensors together.
    "casting_error": Metric("casting error over its bound", POINTS, 100),
    "hessian_gap": Metric("change of the gradient by a cast that the Hessian misses", POINTS, 100),
    "gradient_error": Metric("relative error of the gradient", POINTS, 100),
    "gradient_cosine": Metric("cosine of the gradient with that in float32", "of 1"),
    "lost_updates": Metric("updates lost to rounding", POINTS, 100),
    "remainder": Metric("remainder R over the predicted decrease", POINTS, 100),
    "skipped_steps": Metric("skipped steps", "steps"),
    "train_seconds": Metric("training time", "s", kind="ratio"),
    "seconds_per_epoch": Metric("time per epoch", "s", kind="ratio"),
    "images_per_second": Metric("training throughput", "images/s", kind="ratio"),
    "compile_seconds": Metric("compile time", "s", kind="ratio"),
    "peak_bytes": Metric("peak memory", "bytes", kind="ratio"),
    "weight_bytes": Metric("memory of the weights", "bytes", kind="ratio"),
    "master_bytes": Metric("memory of the float32 master weights", "bytes"),
    "gradient_bytes": Metric("memory of the gradients", "bytes", kind="ratio"),
    "optimizer_bytes": Metric("memory of the optimizer", "bytes", kind="ratio"),
    "state_bytes": Metric("memory of weights, gradients and optimizer", "bytes", kind="ratio"),
    "activation_bytes": Metric("memory of the activations of an image", "bytes", kind="ratio"),
    "training_bytes": Metric("memory counted for a training step", "bytes", kind="ratio"),
    "energy_joules": Metric("energy", "J", kind="ratio"),
}


@dataclass(frozen=True)
class Pairs:
    """Values of two arms by common seed [n], and in words the runs that had to be left out."""

    first: list[float]
    second: list[float]
    left_out: list[str]


def pair(runs: list[Run], network: str, arms: list[str], metric: str, kind: str) -> Pairs:
    """Pair the two ``arms`` of a network by seed.

    A seed counts if both of its runs finished and have the metric; for a ratio it has to be positive.
    """
    chosen = {(run["arm"], run["seed"]): run for run in runs if run["network"] == network}
    pairs = Pairs([], [], [])
    for seed in sorted({seed for arm, seed in chosen if arm in arms}):
        flaws = [(arm, _flaw(chosen.get((arm, seed)), metric, kind)) for arm in arms]
        if any(flaw for _, flaw in flaws):
            pairs.left_out.extend(f"{arm} seed {seed} ({flaw})" for arm, flaw in flaws if flaw)
        else:
            pairs.first.append(chosen[arms[0], seed][metric])
            pairs.second.append(chosen[arms[1], seed][metric])
    return pairs


def _flaw(run: Run | None, metric: str, kind: str) -> str | None:
    """Why a run can't be compared; None if it can."""
    if run is None:
        return "not run"
    if run["outcome"] == "diverged":
        return "diverged"
    if run[metric] is None:
        return "not measured"
    return "zero, so that there is no ratio" if kind == "ratio" and run[metric] <= 0 else None
