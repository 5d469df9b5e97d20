"""Cheap stand-in for training: a softmax regression in NumPy that leaves the same files."""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from sixteen.datasets import load_prepared
from sixteen.precision.formats import storage_of


def train(
    parameters: dict[str, Any], inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Train from initial weights."""
    return _train(parameters, inputs, into, None)


def continue_training(
    parameters: dict[str, Any], inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Go on from the weights of another run."""
    return _train(parameters, inputs, into, inputs["start"])


def _train(
    parameters: dict[str, Any], inputs: dict[str, Path], into: Path, start: Path | None
) -> dict[str, Any]:
    data = load_prepared(inputs["dataset"])
    images = (data.train_images.reshape(len(data.train_labels), -1) - data.mean) / data.std
    tests = (data.test_images.reshape(len(data.test_labels), -1) - data.mean) / data.std
    hot = np.eye(len(data.classes), dtype="float32")[data.train_labels]
    recipe, first = parameters["recipe"], 0
    weights = np.random.default_rng(parameters["seed"]).normal(size=(tests.shape[1], hot.shape[1]))
    if start is not None:
        weights = load_file(start / "weights.safetensors")["weights"]
        first = json.loads((start / "outcome.json").read_text())["epochs_done"]
    format = storage_of(parameters["precision"])
    weights = weights.astype(format)
    start_logits = tests @ weights.astype("float32")
    rows = []
    for epoch in range(first, first + recipe["epochs"] + 1):
        time.sleep(float(os.environ.get("CHEAP_PAUSE", "0")))
        logits = (images @ weights.astype("float32")).astype("float32")
        chances = np.exp(logits - logits.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        loss = -np.log(np.maximum((chances * hot).sum(1), 1e-30)).mean()
        if epoch > first:
            step = images.T @ (chances - hot) / len(hot) * recipe["learning_rate"]
            weights = (weights - step.astype(format)).astype(format)
        right = (tests @ weights.astype("float32")).argmax(1) == data.test_labels
        train_right = (logits.argmax(1) == data.train_labels).mean()
        before = f"{loss!r},{train_right!r}" if epoch > first else ","
        rows.append(
            f"{epoch},{before},{loss!r},{right.mean()!r},0.0,0.0,1,0".replace("np.float64", "")
        )
    rows = [row.replace("(", "").replace(")", "").replace("np.float32", "") for row in rows]
    head = "epoch,loss,train_accuracy,test_loss,test_accuracy,zero_gradients,nonfinite_gradients"
    head += ",loss_scale,skipped_steps"
    (into / "history.csv").write_text("\n".join([head, *rows]) + "\n")
    timing = [f"{epoch},0.1,100.0,0.1" for epoch in range(first + 1, first + recipe["epochs"] + 1)]
    head = "epoch,train_seconds,images_per_second,test_seconds"
    (into / "timing.csv").write_text("\n".join([head, *timing]) + "\n")
    save_file({"weights": weights}, into / "weights.safetensors")
    logits = {"logits": tests @ weights.astype("float32"), "start": start_logits}
    save_file(logits, into / "logits.safetensors")
    for name in ("observations", "descent", "exponents"):
        (into / f"{name}.csv").write_text("epoch\n")
    outcome = {
        "outcome": "finished",
        "epochs_done": first + recipe["epochs"],
        "epoch": None,
        "step": None,
        "last_finite_loss": None,
        "hint": None,
    }
    (into / "outcome.json").write_text(json.dumps(outcome))
    return {
        "outcome": "finished",
        "images": len(hot) * recipe["epochs"],
        "compile_seconds": 0.1,
        "train_seconds": 0.2,
        "test_seconds": 0.1,
        "import_seconds": 0.1,
        "peak_bytes": 1000,
        "peak_bytes_of": "process",
        "weight_bytes": weights.nbytes,
        "master_bytes": 0,
        "activation_bytes": 40,
        "batch": recipe["batch"],
        "observe_seconds": 0.0,
        "gradient_bytes": weights.nbytes,
        "optimizer_bytes": weights.nbytes,
        "energy_joules": None,
        "device": "cpu: cheap",
        "parameters": weights.size,
        "layers": 1,
    }
