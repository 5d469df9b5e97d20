"""Cheap stand-in for training: a softmax regression in NumPy that leaves the same files."""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from sixteen.datasets.prepared.images import Images
from sixteen.training.parameters import Training
from sixteen.training.watching import LIVE, OF, digest


def train(
    parameters: Training, inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Train from initial weights."""
    return run(parameters, inputs["dataset"], None, into, scratch)


def continue_training(
    parameters: Training, inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Go on from the weights of another run."""
    return run(parameters, inputs["dataset"], inputs["start"], into, scratch)


def run(
    parameters: Training,
    dataset: Path,
    start: Path | None,
    into: Path,
    scratch: Path,
    published: Path | None = None,
) -> dict[str, Any]:
    data = Images.load(dataset)
    images = (data.train_images.reshape(len(data.train_labels), -1) - data.mean) / data.std
    tests = (data.test_images.reshape(len(data.test_labels), -1) - data.mean) / data.std
    hot = np.eye(len(data.classes), dtype="float32")[data.train_labels]
    recipe, first = parameters.recipe, 0
    weights = np.random.default_rng(parameters.seed).normal(size=(tests.shape[1], hot.shape[1]))
    if start is not None:
        weights = load_file(start / "weights.safetensors")["weights"]
        first = json.loads((start / "outcome.json").read_text())["epochs_done"]
    format = parameters.precision.storage
    weights = weights.astype(format)
    start_logits = tests @ weights.astype("float32")
    rows = []
    for epoch in range(first, parameters.until + 1):
        time.sleep(float(os.environ.get("CHEAP_PAUSE", "0")))
        logits = (images @ weights.astype("float32")).astype("float32")
        chances = np.exp(logits - logits.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        loss = float(-np.log(np.maximum((chances * hot).sum(1), 1e-30)).mean())
        if epoch > first:
            step = images.T @ (chances - hot) / len(hot) * recipe.learning_rate
            weights = (weights - step.astype(format)).astype(format)
        right = float(((tests @ weights.astype("float32")).argmax(1) == data.test_labels).mean())
        train_right = float((logits.argmax(1) == data.train_labels).mean())
        before = f"{loss!r},{train_right!r}" if epoch > first else ","
        rows.append(f"{epoch},{before},{loss!r},{right!r},0.0,0.0,1,0,{recipe.learning_rate},,,")
    head = "epoch,loss,train_accuracy,test_loss,test_accuracy,zero_gradients,nonfinite_gradients"
    head += ",loss_scale,skipped_steps,learning_rate,forward_bits,test_loss_at_bits,test_accuracy_at_bits"
    (into / "history.csv").write_text("\n".join([head, *rows]) + "\n")
    timing = [f"{epoch},0.1,100.0,0.1" for epoch in range(first + 1, parameters.until + 1)]
    head = "epoch,train_seconds,items_per_second,test_seconds"
    (into / "timing.csv").write_text("\n".join([head, *timing]) + "\n")
    save_file({"weights": weights}, into / "weights.safetensors")
    logits = {"logits": tests @ weights.astype("float32"), "start": start_logits}
    save_file(logits, into / "predictions.safetensors")
    outcome = {
        "outcome": "finished",
        "epochs_done": parameters.until,
        "epoch": None,
        "step": None,
        "last_finite_loss": None,
        "hint": None,
    }
    (into / "outcome.json").write_text(json.dumps(outcome))
    _leave_observations(parameters, into, scratch)
    return {
        "outcome": "finished",
        "items": len(hot) * (parameters.until - first),
        "compile_seconds": 0.1,
        "train_seconds": 0.2,
        "test_seconds": 0.1,
        "import_seconds": 0.1,
        "peak_bytes": 1000,
        "peak_bytes_of": "process",
        "bit_cost": 1.0,
        "steps": parameters.until - first,
        "weight_bytes": weights.nbytes,
        "master_bytes": 0,
        "activation_bytes": 40,
        "batch": recipe.batch,
        "gradient_bytes": weights.nbytes,
        "optimizer_bytes": weights.nbytes,
        "energy_joules": None,
        "device": "cpu: cheap",
        "parameters": weights.size,
        "layers": 1,
    }


def _leave_observations(parameters: Training, into: Path, scratch: Path) -> None:
    for watched in parameters.watched:
        live = scratch.parent / watched.fingerprint / LIVE
        live.mkdir(parents=True, exist_ok=True)
        for name in ("observations", "descent", "exponents", "kinks"):
            (live / f"{name}.csv").write_text("epoch\n")
        of = {"weights": digest(into / "weights.safetensors"), "observe_seconds": 0.0}
        of["tables"] = {table.name: digest(table) for table in live.glob("*.csv")}
        (live / OF).write_text(json.dumps(of))
