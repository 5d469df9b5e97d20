"""The metrics of a run that are compared between arms, and the pairs of runs that compare them."""

import math
from dataclasses import dataclass
from typing import Any

Run = dict[str, Any]  # a row of runs.csv; None where nothing was measured

POINTS = "percentage points"


@dataclass(frozen=True)
class Metric:
    """A metric in words. ``scale`` turns a value (a share, say) into ``unit`` (percentage points).

    ``kind`` says how two arms are compared: by the ``difference`` or the ``ratio`` of paired runs. ``spread``
    says what it means that seeds agree: a ``measured`` metric then shows no spread to test against; what is
    counted in test ``images`` varies by less than one image, which is taken for its spread; a ``fixed`` one is
    counted from shapes, the same for every seed, and decides exactly.
    """

    words: str
    unit: str
    scale: float = 1.0
    kind: str = "difference"
    spread: str = "measured"


def _images(words: str, kind: str = "difference") -> Metric:
    return Metric(words, POINTS, 100, kind, "images")


def _bytes(words: str, kind: str = "ratio") -> Metric:
    return Metric(words, "bytes", 1.0, kind, "fixed")


METRICS = {
    "accuracy": _images("test accuracy"),
    "loss": Metric("test loss", "nats"),
    "calibration_error": Metric("expected calibration error", POINTS, 100),
    "margin_mean": Metric("mean classification margin", POINTS, 100),
    "best_epoch_bias": _images("best-epoch minus last-epoch accuracy"),
    "start_accuracy": _images("test accuracy before the first step"),
    "first_epoch_accuracy": _images("test accuracy after the first epoch"),
    # Over the second half of a phase, see sixteen.analysis.runs.
    "epoch_sd": _images("epoch-to-epoch deviation of test accuracy (second half)", "ratio"),
    "loss_sd": Metric("epoch-to-epoch deviation of test loss (second half)", "nats", kind="ratio"),
    "certified_share": _images("images certified to keep the reference's class"),
    "agreement": _images("images with the reference's class"),
    # Of the last observation, all tensors together.
    "casting_error": Metric("casting error over its bound", POINTS, 100),
    "hessian_gap": Metric("change of the gradient by a cast that the Hessian misses", POINTS, 100),
    "gradient_error": Metric("relative error of the gradient", POINTS, 100),
    "gradient_cosine": Metric("cosine of the gradient with that in float32", "of 1"),
    "underflowed_gradients": Metric("gradient values lost to underflow", POINTS, 100),
    "lost_updates": Metric("updates lost to rounding", POINTS, 100),
    "remainder": Metric("remainder R over the predicted decrease", POINTS, 100),
    "skipped_steps": Metric("skipped steps", "steps"),
    "train_seconds": Metric("training time", "s", kind="ratio"),
    "seconds_per_epoch": Metric("time per epoch", "s", kind="ratio"),
    "images_per_second": Metric("training throughput", "images/s", kind="ratio"),
    "compile_seconds": Metric("compile time", "s", kind="ratio"),
    "peak_bytes": Metric("peak memory", "bytes", kind="ratio"),
    "weight_bytes": _bytes("memory of the weights"),
    "master_bytes": _bytes("memory of the float32 master weights", "difference"),
    "gradient_bytes": _bytes("memory of the gradients"),
    "optimizer_bytes": _bytes("memory of the optimizer"),
    "state_bytes": _bytes("memory of weights, gradients and optimizer"),
    "activation_bytes": _bytes("memory of the activations of an image"),
    "training_bytes": _bytes("memory counted for a training step"),
    "energy_joules": Metric("energy", "J", kind="ratio"),
}


def value_of(run: Run, metric: str) -> float | None:
    """A metric of a run, None where it wasn't measured.

    A deviation of accuracies, which is to be divided by, is at least what whole images bring by themselves: each
    accuracy is rounded, with a deviation of image / sqrt(12), and a change of it is a difference of two.
    """
    value, known = run[metric], METRICS[metric]
    if value is not None and (known.kind, known.spread) == ("ratio", "images"):
        return max(value, image(run) / math.sqrt(6))
    return value


def image(run: Run) -> float:
    """What one test image adds to an accuracy."""
    return 1 / run["test_images"]


@dataclass(frozen=True)
class Pairs:
    """Values of two arms by common seed [n], and in words the runs that had to be left out.

    ``least_sd`` is the spread that seeds have even where they agree, see ``Metric``.
    """

    first: list[float]
    second: list[float]
    left_out: list[str]
    least_sd: float


def pair(runs: list[Run], network: str, arms: list[str], metric: str, kind: str) -> Pairs:
    """Pair the two ``arms`` of a network by seed.

    A seed counts if both of its runs finished and have the metric; for a ratio it has to be positive.
    """
    chosen = {(run["arm"], run["seed"]): run for run in runs if run["network"] == network}
    counted = METRICS[metric].spread == "images" and kind == "difference"
    least_sd = max(map(image, chosen.values()), default=0.0) if counted else 0.0
    pairs = Pairs([], [], [], least_sd)
    for seed in sorted({seed for arm, seed in chosen if arm in arms}):
        flaws = [(arm, _flaw(chosen.get((arm, seed)), metric, kind)) for arm in arms]
        if any(flaw for _, flaw in flaws):
            pairs.left_out.extend(f"{arm} seed {seed} ({flaw})" for arm, flaw in flaws if flaw)
        else:
            for arm, values in zip(arms, (pairs.first, pairs.second), strict=True):
                value = value_of(chosen[arm, seed], metric)
                assert value is not None  # that would be a flaw
                values.append(value)
    return pairs


def _flaw(run: Run | None, metric: str, kind: str) -> str | None:
    """Why a run can't be compared; None if it can."""
    if run is None:
        return "not run"
    if run["outcome"] == "diverged":
        return "diverged"
    value = value_of(run, metric)
    if value is None:
        return "not measured"
    return "zero, so that there is no ratio" if kind == "ratio" and value <= 0 else None
