"""The metrics of a run that are compared between arms, and the pairs of runs that compare them."""

import math
from dataclasses import dataclass

import pandas as pd

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
    "train_seconds": Metric("training time", "s", kind="ratio"),
    "seconds_per_epoch": Metric("time per epoch", "s", kind="ratio"),
    "images_per_second": Metric("training throughput", "images/s", kind="ratio"),
    "compile_seconds": Metric("compile time", "s", kind="ratio"),
    "peak_bytes": Metric("peak memory", "bytes", kind="ratio"),
    "weight_bytes": Metric("memory of the weights", "bytes", kind="ratio"),
    "gradient_bytes": Metric("memory of the gradients", "bytes", kind="ratio"),
    "optimizer_bytes": Metric("memory of the optimizer", "bytes", kind="ratio"),
    "state_bytes": Metric("memory of weights, gradients and optimizer", "bytes", kind="ratio"),
    "energy_joules": Metric("energy", "J", kind="ratio"),
}


@dataclass(frozen=True)
class Pairs:
    """Values of two arms by common seed [n], and in words the runs that had to be left out."""

    first: list[float]
    second: list[float]
    left_out: list[str]


def pair(runs: pd.DataFrame, network: str, arms: list[str], metric: str, kind: str) -> Pairs:
    """Pair the two ``arms`` of a network by seed; ``runs`` has the columns of runs.csv.

    A seed counts if both of its runs finished and have the metric; for a ratio it has to be positive.
    """
    rows = runs[(runs["network"] == network) & runs["arm"].isin(arms)]
    pairs = Pairs([], [], [])
    for seed in sorted(rows["seed"].unique()):
        by_arm = rows[rows["seed"] == seed].set_index("arm")
        reasons = []
        values = []
        for arm in arms:
            if arm not in by_arm.index:
                reasons.append(f"{arm} seed {seed} (not run)")
                continue
            values.append(float(by_arm.loc[arm, metric]))
            if by_arm.loc[arm, "outcome"] == "diverged":
                reasons.append(f"{arm} seed {seed} (diverged)")
            elif math.isnan(values[-1]):
                reasons.append(f"{arm} seed {seed} (not measured)")
            elif kind == "ratio" and values[-1] <= 0:
                reasons.append(f"{arm} seed {seed} (zero, so that there is no ratio)")
        if reasons:
            pairs.left_out.extend(reasons)
        else:
            pairs.first.append(values[0])
            pairs.second.append(values[1])
    return pairs
