"""How far two networks' predictions are apart, and for which images that can't change the class.

arXiv:2305.10947: on softmax outputs, the floating-point error delta(x) = max_i |M32(x)_i - M16(x)_i| and the
classification tolerance Gamma(M, x), the largest output minus the second largest. Lemma: where
Gamma(M32, x) > 2 delta(x) both networks predict the same class, since every output moves by delta at most.
The lemma asks nothing of the networks, so it holds for two that were trained apart just as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401 (teaches NumPy, and so safetensors, what bfloat16 is)
import numpy as np
from safetensors.numpy import load_file
from scipy.special import softmax

from sixteen.analysis.parameters import RunOf
from sixteen.files import read_json
from sixteen.study import sentence

RUN = ("network", "arm", "kind", "seed")
TOLERANCE = (
    *RUN,
    "n",
    "certified",
    "certified_agree",
    "agree",
    "violations",
    "delta_mean",
    "delta_max",
    "gamma_mean",
)
IMAGES = (*RUN, "image", "delta", "gamma", "agrees")
SHOWN = 1000  # test images in images.csv
# Gamma and 2 delta are each rounded, by at most 2^-54 and 2^-53: what is certified holds exactly.
ROUNDING = 2.0**-52

Pair = tuple[str, tuple[str, str], tuple[str, str]]  # kind, and role and tensor of each side


@dataclass(frozen=True)
class Tolerance:
    """By image [n]: `delta` and `gamma` (float64), and whether the classes `agree` (bool)."""

    delta: np.ndarray
    gamma: np.ndarray
    agree: np.ndarray

    @property
    def certified(self) -> np.ndarray:
        """The images [n] for which the lemma promises the same class."""
        return self.gamma > 2 * self.delta + ROUNDING


def tolerance(first: np.ndarray, second: np.ndarray) -> Tolerance:
    """Compare finite logits [n, classes] of any floats, in float64; Gamma is that of `first`.

    As in `evaluate`, the predicted class is the first of the largest logits.
    """
    before, after = (softmax(logits.astype(np.float64), axis=1) for logits in (first, second))
    runner_up, largest = np.sort(before, axis=1)[:, -2:].T
    return Tolerance(
        delta=np.abs(before - after).max(axis=1),
        gamma=largest - runner_up,
        agree=first.astype(np.float64).argmax(axis=1) == second.astype(np.float64).argmax(axis=1),
    )


def compare_runs(
    runs: Sequence[RunOf],
    inputs: dict[str, Path],
    arms: dict[str, str],
    finished: set[tuple[str, str, int]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of tolerance.csv, and those of images.csv: the first SHOWN images of the first seed.

    `arms` are the sentences of the arms, `finished` the (network, arm, seed) whose last phase did. Kind `cast`
    compares the network before a quantized phrase with the start of the continuation after it, `trained` the end of
    an arm with that of the reference arm. Pairs of which one diverged or isn't finite have no row.
    """
    rows, images, shown = [], [], set()
    for network, seed in dict.fromkeys((run.network, run.seed) for run in runs):
        group = [run for run in runs if (run.network, run.seed) == (network, seed)]
        ends = {run.arm: run.training[-1] for run in group if (network, run.arm, seed) in finished}
        reference = ends.pop(runs[0].arm, None)
        read = _Predictions(inputs)  # each file once, and only a seed's at a time
        for run in group:
            pairs = _cast(run, inputs, arms[run.arm])
            if reference and run.arm in ends:
                pairs.append(("trained", (reference, "logits"), (ends[run.arm], "logits")))
            for kind, *sides in pairs:
                first, second = (read(*side) for side in sides)
                if not (_finite(first) and _finite(second)):
                    continue
                compared = tolerance(first, second)
                head = {"network": network, "arm": run.arm, "kind": kind, "seed": seed}
                rows.append({**head, **_totals(compared)})
                if (network, run.arm, kind) not in shown:
                    shown.add((network, run.arm, kind))
                    images += [{**head, **image} for image in _images(compared)]
    listed = {(run.network, run.arm, run.seed): i for i, run in enumerate(runs)}
    for table in (rows, images):
        table.sort(key=lambda row: listed[row["network"], row["arm"], row["seed"]])
    return rows, images


class _Predictions:
    """Saved predictions by role and tensor; each file is read once."""

    def __init__(self, inputs: dict[str, Path]) -> None:
        self.inputs = inputs
        self.read: dict[str, dict[str, np.ndarray]] = {}

    def __call__(self, role: str, tensor: str) -> np.ndarray:
        if role not in self.read:
            self.read[role] = load_file(self.inputs[role] / "predictions.safetensors")
        return self.read[role][tensor]


def _cast(run: RunOf, inputs: dict[str, Path], text: str) -> list[Pair]:
    """The predictions on both sides of the last cast of a run, if it has one and what was cast hadn't diverged."""
    if run.quantized is None:
        return []
    before, after = _around_cast(run.training, text)
    if read_json(inputs[before] / "outcome.json")["outcome"] == "diverged":
        return []
    return [("cast", (before, "logits"), (after, "start"))]


def _around_cast(training: Sequence[str], text: str) -> tuple[str, str]:
    """The training runs before and after the last quantized phrase of a sentence."""
    steps = [phrase.step for phrase in sentence.parse(text)]
    last = len(steps) - 1 - steps[::-1].index("quantize")
    after = sum(step != "quantize" for step in steps[:last])
    return training[after - 1], training[after]


def _totals(compared: Tolerance) -> dict[str, Any]:
    certified, agree = compared.certified, compared.agree
    return {
        "n": len(agree),
        "certified": int(certified.sum()),
        "certified_agree": int((certified & agree).sum()),
        "agree": int(agree.sum()),
        "violations": int((certified & ~agree).sum()),
        "delta_mean": float(compared.delta.mean()),
        "delta_max": float(compared.delta.max()),
        "gamma_mean": float(compared.gamma.mean()),
    }


def _images(compared: Tolerance) -> list[dict[str, Any]]:
    columns = (compared.delta, compared.gamma, compared.agree)
    return [
        {"image": image, "delta": float(delta), "gamma": float(gamma), "agrees": bool(agrees)}
        for image, (delta, gamma, agrees) in enumerate(zip(*columns, strict=True))
        if image < SHOWN
    ]


def _finite(logits: np.ndarray) -> bool:
    return bool(np.isfinite(logits.astype(np.float64)).all())
