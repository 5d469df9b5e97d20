"""The files of a training run, made up but in the columns of real ones."""

import csv
import io
import json
from typing import Any

import numpy as np
from safetensors.numpy import save

from sixteen.precision.entry import precision_of

CLASSES = 10
ITEMS = 200  # of the test set
STEPS = 43  # of an epoch
TENSORS = ("stem/kernel", "block-0/norm/gamma", "block-0/kernel", "block-1/kernel", "head/kernel", "head/bias")  # fmt: skip
HISTORY = ("epoch", "loss", "train_accuracy", "test_loss", "test_accuracy", "zero_gradients",
           "nonfinite_gradients", "loss_scale", "skipped_steps", "forward_bits",
           "test_loss_at_bits", "test_accuracy_at_bits")  # fmt: skip
OBSERVATIONS = ("epoch", "tensor", "elements", "weight_norm", "quantization_error", "quantization_bound",
                "gradient_norm", "gradient_error", "gradient_cosine", "hessian_product", "gradient_change",
                "gradient_change_gap", "held_change", "held_change_gap", "underflowed_gradients", "updates",
                "lost_updates", "update_norm", "update_error")  # fmt: skip
DESCENT = ("epoch", "learning_rate", "loss_before", "loss_after", "predicted_decrease", "actual_decrease",
           "remainder")  # fmt: skip
TIMES = ("arm", "turn", "compile_seconds", "step_seconds", "items_per_second", "peak_bytes", "peak_bytes_of",
         "energy_joules", "largest_batch", "device")  # fmt: skip
DEVICE = "cpu: Example Processor 3000"
EXPONENTS = ("epoch", "of", "tensor", "exponent", "count")
KINKS = ("epoch", "layer", "units", "crossed")
LAYERS = ("stem_relu", "block_relu")


def table(columns: tuple[str, ...], rows: list[list[Any]]) -> str:
    """A CSV file as text, header first."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    return text.getvalue()


def first_logits(seed: int) -> np.ndarray:
    """Logits [ITEMS, CLASSES] that all arms of a seed stay near."""
    random = np.random.default_rng(seed)
    made = random.normal(0, 1, (ITEMS, CLASSES))
    made[np.arange(ITEMS), np.arange(ITEMS) % CLASSES] += random.uniform(1, 8, ITEMS)
    return made.astype(np.float32)


def logits(random: np.random.Generator, before: np.ndarray, spread: float) -> np.ndarray:
    """Logits near those of ``before``."""
    return (before + random.normal(0, spread, before.shape)).astype(np.float32)


def observed(
    random: np.random.Generator, precision: dict[str, Any], epochs: list[int]
) -> dict[str, str]:
    """observations.csv, descent.csv, exponents.csv and kinks.csv; header only without epochs."""
    half, wide = precision["compute"] != "float32", precision["compute"] == "float32"
    wide |= precision["master_weights"]
    scaled = precision["loss_scale"] is not None
    rows: list[list[Any]] = []
    steps: list[list[Any]] = []
    counts: list[list[Any]] = []
    kinks: list[list[Any]] = []
    for i, epoch in enumerate(epochs):
        norm = 0.8 * np.exp(-i / 2) * random.lognormal(0, 0.1)
        for place, tensor in enumerate((*TENSORS, "all")):
            elements = 1000 if tensor != "all" else 1000 * len(TENSORS)
            size = norm if tensor == "all" else norm / (place + 2)
            noise = random.lognormal(0, 0.15)
            error = (0.004 if scaled else 0.02) * size * noise * (1 + i)
            change = 2e-3 * size * noise
            share = (0.0 if wide else 0.12 + 0.08 * i) * noise * (0 if "gamma" in tensor else 1)
            gone = (2 if scaled else 90) * (1 + i)
            rows.append([
                epoch, tensor, elements, 10.0,
                *([3e-3 * noise, 4.9e-3] if wide else ["", ""]), size,
                *([error, 1 - (error / size) ** 2 / 2] if half else ["", ""]),
                *([change, change * random.lognormal(0, 0.05), change * 0.05] if wide else ["", "", ""]),
                *([change * 0.6, change * 0.03] if wide else ["", ""]),
                gone if half else "", elements - 10, int(min(share, 1) * (elements - 10)),
                0.01 * size, 0.01 * size * min(share, 1),
            ])  # fmt: skip
        if wide:
            crossed = [int(random.integers(1, 40)) for _ in LAYERS]
            kinks += [[epoch, layer, 5000, n] for layer, n in zip(LAYERS, crossed, strict=True)]
            kinks.append([epoch, "all", 10_000, sum(crossed)])
        loss, predicted = np.exp(-i), 0.01 * norm**2
        actual = predicted * random.normal(0.9, 0.05) - (
            2e-5 * random.uniform(0.5, 2) if half else 0
        )
        steps.append([epoch, 0.01, loss, loss - actual, predicted, actual, predicted - actual])
        for of, names in (("weights", TENSORS), ("activations", TENSORS[:1] + TENSORS[2:4])):
            for place, tensor in enumerate(names):
                centre = (-11 if of == "weights" else -17) - place - i
                found = np.floor(random.normal(centre, 4, 1000)).astype(int)
                for exponent, count in zip(*np.unique(found, return_counts=True), strict=True):
                    counts.append([epoch, of, tensor, exponent, count])
                counts.append([epoch, of, tensor, "", 40])
    return {
        "observations.csv": table(OBSERVATIONS, rows),
        "descent.csv": table(DESCENT, steps),
        "exponents.csv": table(EXPONENTS, counts),
        "kinks.csv": table(KINKS, kinks),
    }


def history(
    random: np.random.Generator,
    precision: dict[str, Any],
    accuracy: np.ndarray,
    first: int,
    bits: np.ndarray,
) -> str:
    """history.csv of epochs ``first`` to the last of ``accuracy``, the first before any step.

    With the last of the forward bits [steps] of an epoch, a test is the worse the fewer they are.
    """
    scale, rows = precision["loss_scale"], [[first, "", "", 2.3, accuracy[0], *[""] * 7]]
    half = precision["compute"] != "float32"
    for i in range(1, len(accuracy)):
        loss = float(np.exp(-(first + i) / 3) + 0.05 + abs(random.normal(0, 0.004)))
        zeros = (0.12 if half else 0.02) + 0.002 * i + random.normal(0, 0.001)
        dynamic = scale is not None and scale["kind"] == "dynamic"
        factor = (
            1 if scale is None else scale["start"] / 2 ** min(i, 3) if dynamic else scale["factor"]
        )
        skipped = int(random.integers(1, 4)) if dynamic and i <= 3 else 0
        last = bits[i * STEPS - 1] if "bits" in precision else None
        short = 0.01 * (8 - last) if last else 0.0
        at_bits = [last, loss * 1.2 + short, accuracy[i] - short] if last else [""] * 3
        rows.append(
            [
                first + i,
                loss,
                1 - 0.8 * (1 - accuracy[i]) - 0.001 * half,
                loss * 1.2,
                accuracy[i],
                zeros,
                0,
                factor,
                skipped,
                *at_bits,
            ]
        )
    return table(HISTORY, rows)


def facts(
    random: np.random.Generator,
    precision: dict[str, Any],
    depth: int,
    seconds: float,
    batch: int,
    bits: np.ndarray,
) -> dict[str, Any]:
    """The facts that reports read, bytes counted as training counts them."""
    count = depth * 9700
    small = 4 if precision["compute"] == "float32" else 2
    stored = 4 if precision["master_weights"] else small
    state = {
        "weight_bytes": count * small,
        "gradient_bytes": count * small,
        "optimizer_bytes": count * stored,
    }
    state["master_bytes"] = 4 * count if precision["master_weights"] else 0
    return {
        "items": STEPS * batch, "steps": len(bits), "bit_cost": precision_of(precision).bit_cost(bits), "compile_seconds": 14.0 + seconds, "train_seconds": seconds, "test_seconds": 0.2 * len(bits),
        "multiply_adds": depth * 200_000,
        "peak_bytes": int(6e8 + sum(state.values()) * 40 * random.normal(1, 0.01)),
        "peak_bytes_of": "process", **state, "activation_bytes": depth * 24_000 * small, "batch": batch,
        "energy_joules": None, "parameters": count, "layers": 6 * ((depth - 2) // 6) + 2,
    }  # fmt: skip


def times(random: np.random.Generator) -> str:
    """times.csv of a timing: the first arm takes 0.7 times the time of the second."""
    rows: list[list[Any]] = []
    for turn in range(1, 6):
        for arm, pace in (("first", 0.7), ("second", 1.0)):
            seconds = 0.021 * pace * random.normal(1, 0.02)
            rows.append(
                [arm, turn, 14.2, seconds, 32 / seconds, int(6e8 * pace), "process", "", "", DEVICE]
            )
    return table(TIMES, rows)


def per_class(random: np.random.Generator, half: bool) -> str:
    """per_class.csv: in 16 bit class 3 loses."""
    rows = []
    for name in range(CLASSES):
        share = 0.93 + random.normal(0, 0.008) - (0.09 if half and name == 3 else 0)
        label = "$x^$" if name == 7 else name  # what matplotlib would take for mathematics
        rows.append([label, 100, round(100 * share), round(share, 4)])
    return table(("class", "n", "correct", "accuracy"), rows)


def outcome(diverged: bool, done: int) -> str:
    """outcome.json of a training run."""
    return json.dumps({"outcome": "diverged" if diverged else "finished", "epochs_done": done})


def tensors(start: np.ndarray, last: np.ndarray) -> bytes:
    """predictions.safetensors."""
    return save({"start": start, "logits": last})
