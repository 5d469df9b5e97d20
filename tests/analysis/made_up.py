"""Small studies made up by hand: folders as training, quantize and evaluate leave them."""

import csv
import hashlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from sixteen.analysis.evaluate import Evaluation, evaluate
from sixteen.precision.quantize import Quantization, quantize
from sixteen.study.claim import Levels

CLASSES = 4
BATCH, STEPS = 32, 3
TASK = "classify_images"
LEVELS = Levels(confidence=0.95, alpha=0.05, power=0.8)
ARMS = {  # in another order than the runs, as a plan that was read from sorted JSON
    "float16": "trained-in-float32-by-sgd-until-2/quantized-to-float16/continued-in-float16-by-sgd-until-6",
    "float32": "trained-in-float32-by-sgd-until-2/continued-in-float32-by-sgd-until-6",
}
PRECISION = {
    "compute": "float32",
    "master_weights": False,
    "batch_norm": "float32",
    "loss": "float32",
    "loss_scale": None,
}
SGD = {
    "optimizer": "sgd",
    "learning_rate": 0.01,
    "schedule": {"kind": "constant", "warmup": 0.0, "restarts": False},
    "clip_norm": None,
    "l2": 0.0001,
    "averaging": None,
    "batch": BATCH,
    "label_smoothing": 0,
    "gradient_accumulation": 1,
    "augmentation": "none",
    "momentum": 0.9,
}
HISTORY = (
    "epoch,loss,train_accuracy,test_loss,test_accuracy,zero_gradients,nonfinite_gradients,"
    "loss_scale,skipped_steps,forward_bits,test_loss_at_bits,test_accuracy_at_bits"
)
BIT_COST = 0.25
OBSERVATIONS = (
    "epoch,tensor,elements,weight_norm,quantization_error,quantization_bound,gradient_norm,"
    "gradient_error,gradient_cosine,hessian_product,gradient_change,gradient_change_gap,"
    "held_change,held_change_gap,underflowed_gradients,updates,lost_updates,update_norm,update_error"
)
DESCENT = "epoch,learning_rate,loss_before,loss_after,predicted_decrease,actual_decrease,remainder"
EXPONENTS = "epoch,of,tensor,exponent,count"
KINKS = "epoch,layer,units,crossed"
TIMES = (
    "arm,turn,compile_seconds,step_seconds,items_per_second,peak_bytes,peak_bytes_of,energy_joules,"
    "largest_batch,device"
)


def write_csv(path: Path, columns: str, rows: list[list[Any]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns.split(","), *rows])


def write_dataset(folder: Path, labels: np.ndarray) -> Path:
    folder.mkdir(parents=True)
    image = np.zeros((len(labels), 1, 1, 1), np.uint8)
    labels = labels.astype(np.int32)
    tensors = {"train_images": image, "train_labels": labels}
    tensors |= {"test_images": image, "test_labels": labels}
    tensors |= {"mean": np.zeros(1, np.float32), "std": np.ones(1, np.float32)}
    names = json.dumps({"classes": [f"class {i}" for i in range(CLASSES)]})
    save_file(tensors, folder / "dataset.safetensors", metadata={"sixteen": names})
    return folder


def write_training(
    folder: Path,
    logits: np.ndarray,
    accuracies: list[float],
    first_epoch: int = 0,
    seconds: float = 2.0,
    outcome: str = "finished",
    bytes_per_weight: int = 4,
    layers: int = 8,
    start: np.ndarray | None = None,
) -> Path:
    """A training run; `accuracies` are of the test set, the first before any step."""
    folder.mkdir(parents=True)
    weights = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    tensors = {"dense/kernel": weights, "dense/bias": np.zeros(5, np.float32)}
    save_file(tensors, folder / "weights.safetensors")
    start = logits if start is None else start
    save_file({"logits": logits, "start": start}, folder / "predictions.safetensors")
    epochs = range(first_epoch, first_epoch + len(accuracies))
    write_csv(
        folder / "history.csv",
        HISTORY,
        [
            [epoch, *(["", ""] if i == 0 else [1 / epoch, 0.5]), 1 - accuracy, accuracy]
            + (["", "", "", ""] if i == 0 else [7, 0, 64, i % 2])
            for i, (epoch, accuracy) in enumerate(zip(epochs, accuracies, strict=True))
        ],
    )
    write_csv(
        folder / "timing.csv",
        "epoch,train_seconds,items_per_second,test_seconds",
        [
            [epoch, seconds + 0.1 * (epoch % 2), BATCH * STEPS / seconds, 0.5]
            for epoch in epochs[1:]
        ],
    )
    stop = {"outcome": outcome, "epochs_done": epochs[-1]}
    (folder / "outcome.json").write_text(json.dumps(stop))
    facts = {
        "outcome": outcome,
        "compile_seconds": 9.0,
        "train_seconds": seconds * (len(accuracies) - 1),
        "peak_bytes": 10_000 * bytes_per_weight,
        "peak_bytes_of": "process",
        "weight_bytes": 100 * bytes_per_weight,
        "master_bytes": 400 if bytes_per_weight == 2 else 0,
        "gradient_bytes": 100 * bytes_per_weight,
        "optimizer_bytes": 100 * bytes_per_weight,
        "activation_bytes": 50 * bytes_per_weight,
        # More than batches times steps, as where a whole graph is one step.
        "items": BATCH * (STEPS + 1) * (len(accuracies) - 1),
        "steps": STEPS * (len(accuracies) - 1),
        "batch": BATCH,
        "energy_joules": None,
        "device": "cpu: of a test",
        "layers": layers,
        "bit_cost": BIT_COST,
    }
    fingerprint = hashlib.sha256("/".join(folder.parts[-2:]).encode()).hexdigest()[:12]
    until = first_epoch + len(accuracies) - 1
    record = {"fingerprint": fingerprint, "parameters": {"until": until}, "facts": facts}
    (folder / "record.json").write_text(json.dumps(record))
    return folder


def write_observation(folder: Path, epochs: tuple[int, ...]) -> Path:
    """What a phase was observed to do at these epochs."""
    folder.mkdir(parents=True)
    write_csv(
        folder / "observations.csv",
        OBSERVATIONS,
        [
            [
                *(epoch, tensor, 20, 9, 0.2, 0.5, 2, 0.1, 0.9 + epoch / 100, 0.3, 0.4, 0.1),
                *(0.25, 0.05, 1, 20, epoch, 0.5, 0.15),
            ]
            for epoch in epochs
            for tensor in ("dense/kernel", "all")
        ],
    )
    descent = [[epoch, 0.01, 1.0, 0.9, 0.2, 0.1, 0.1] for epoch in epochs]
    write_csv(folder / "descent.csv", DESCENT, descent)
    exponents = [[epoch, "weights", "dense/kernel", -12, 20] for epoch in epochs]
    write_csv(folder / "exponents.csv", EXPONENTS, exponents)
    kinks = [[e, layer, 50, e // 2] for e in epochs for layer in ("relu", "all")]
    write_csv(folder / "kinks.csv", KINKS, kinks)
    return folder


def write_times(folder: Path, step_seconds: dict[str, list[float]], device: str) -> Path:
    """A timing of two arms, `first` and `second`, in turns, on which no energy and no largest batch was measured."""
    folder.mkdir(parents=True)
    turns = range(len(next(iter(step_seconds.values()))))
    rows = [
        [arm, turn, 9.5, seconds[turn], BATCH / seconds[turn], 1000, "device", "", "", device]
        for turn in turns
        for arm, seconds in step_seconds.items()
    ]
    write_csv(folder / "times.csv", TIMES, rows)
    return folder


def logits_of(labels: np.ndarray, correct: int) -> np.ndarray:
    """Logits that predict the first ``correct`` labels rightly and the others wrongly."""
    predicted = np.where(np.arange(len(labels)) < correct, labels, (labels + 1) % CLASSES)
    return np.eye(CLASSES, dtype=np.float32)[predicted] * 3


def make_study(
    folder: Path,
    outcome: Callable[[str, str, int], dict[str, Any]],
    networks: list[str],
    seeds: list[int],
    claims: list[dict[str, Any]],
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Parameters, as JSON has them, and inputs of summarize, for arms float32 and float16.

    `outcome(network, arm, seed)` says how a continuation ended: `correct` of the 200 test images, whether it was
    `observed` (before its first step and after its last), and any argument of `write_training` that isn't as usual.
    """
    labels = np.arange(200) % CLASSES
    dataset = write_dataset(folder / "dataset", labels)
    runs, inputs = [], {}
    for network, arm, seed in itertools.product(networks, ("float32", "float16"), seeds):
        place = folder / network / str(seed)
        start, quantized, evaluated = place / "trained", place / "quantized", place / arm / "eval"
        if not start.exists():
            write_training(start, logits_of(labels, 100), [0.25, 0.5, 0.5])
            quantized.mkdir()
            quantize(Quantization(to="float16"), {"start": start}, quantized, folder)
        end = outcome(network, arm, seed)
        correct, observed = end.pop("correct"), end.pop("observed", False)
        end.setdefault("accuracies", [0.5, 0.6, 0.9, 0.7, correct / 200])
        layers = int(network.removeprefix("resnet"))
        logits = logits_of(labels, correct)
        end.setdefault("start", logits_of(labels, 99))  # the switch changes the class of an image
        run = write_training(place / arm, logits, first_epoch=2, layers=layers, **end)
        evaluated.mkdir()
        evaluate(Evaluation(task=TASK), {"dataset": dataset, "run": run}, evaluated, folder)
        roles = {f"{network}/{seed}/trained": start, f"{network}/{arm}/{seed}": run}
        inputs |= {**roles, f"{network}/{arm}/{seed}/evaluated": evaluated}
        row = {"network": network, "arm": arm, "seed": seed, "training": list(roles)}
        row |= {"evaluated": f"{network}/{arm}/{seed}/evaluated", "quantized": None}
        row["observed"] = [None, None]
        if observed:
            row["observed"][1] = f"{network}/{arm}/{seed}/observed"
            epochs = (2, 1 + len(end["accuracies"]))
            inputs[row["observed"][1]] = write_observation(place / arm / "observed", epochs)
        if arm == "float16":
            row["quantized"] = f"{network}/{seed}/quantized"
            inputs[row["quantized"]] = quantized
        runs.append(row)
    parameters = {
        "study": "made-up",
        "title": "Made up",
        "papers": ["arXiv:2311.18587"],
        "scale": "toy",
        "task": TASK,
        "dataset": "made-up",
        "backend": "tensorflow",
        "threads": 1,
        "devices": 1,
        "machines": {},
        "arms": ARMS,
        "networks": {
            name: {"family": "resnet", "depth": int(name.removeprefix("resnet")), "width": 16}
            for name in networks
        },
        "precisions": {"float32": PRECISION, "float16": {**PRECISION, "compute": "float16"}},
        "recipes": {"sgd": SGD},
        "statistics": LEVELS.plain(),
        "published": None,
        "along": None,
        "factorial": None,
        "reach": None,
        "claims": claims,
        "runs": runs,
        "timed": [],
    }
    return parameters, inputs
