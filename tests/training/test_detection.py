"""Trainings of a detector: it learns, on both backends, and goes on after a kill with the same bytes."""

import json

import numpy as np
import pytest
from small_runs import CONSTANT, FLOAT32, PRECISIONS, Runner, tensors

from sixteen.datasets.digits_on_canvas import DigitsOnCanvas, read
from sixteen.tasks.measured import module

CANVAS = {
    **{
        "kind": "digits-on-canvas",
        "seed": 0,
        "size": 48,
        "test_every": 2,
        "train": 160,
        "test": 40,
    },
    **{"digits": [1, 1], "side": [32, 40], "overlap": 0, "cells": 2, "texture": [0, 60]},
    **{"contrast": [80, 100], "noise": 5, "normalisation": "scalar"},
}
NETWORK = {"family": "retinanet", "width": 8, "units": [1, 1], "levels": 1, "features": 16}
QUANTIZED = FLOAT32 | {"low": 3, "high": 8, "gradients": 8, "ranges": "moving"}
QUANTIZED |= {"bits": {"kind": "static"}}
# 0.999 is 1 in bfloat16, where nothing would move.
ADAM = {"optimizer": "adam", "learning_rate": 0.005, "beta_1": 0.9, "beta_2": 0.99, "l2": 0.0}
ADAM |= {"epsilon": 1e-4, "schedule": CONSTANT, "batch": 8, "clip_norm": 0.1}
SETTINGS = {"network": NETWORK | {"convolutions": 1}, "task": "detect_objects", "until": 8} | ADAM


@pytest.fixture(scope="module")
def canvas(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canvas")
    read(None, DigitsOnCanvas.model_validate(CANVAS)).save(folder)
    return Runner(folder, folder)


def precision_of(canvas, run):
    """The average precision of a run."""
    module("detect_objects").evaluate(canvas.dataset, run.into, run.into)
    return json.loads((run.into / "metrics.json").read_text())["average_precision"]


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_digits_are_found_and_told_apart(canvas, backend):
    pytest.importorskip(backend)
    found = canvas.run(backend, backend=backend, precision=QUANTIZED, **SETTINGS)
    assert found.outcome["outcome"] == "finished" and found.facts["items"] == 8 * 160
    losses = found.column("test_loss")
    assert losses[-1] < 0.5 * losses[0]
    assert precision_of(canvas, found) > 0.4
    predictions = tensors(found, "predictions")
    assert predictions["logits"].shape == predictions["start"].shape == (40, 100, 7)
    assert not predictions["start"][..., :6].any()  # all classes have 0.01 at first


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_16_bits_go_on_to_learn(canvas, precision):
    settings = SETTINGS | {"until": 2, "augmentation": "flip"}
    found = canvas.run(precision, precision=PRECISIONS[precision], **settings)
    assert found.outcome["outcome"] == "finished"
    losses = found.column("test_loss")
    assert np.isfinite(losses).all() and losses[-1] < 0.8 * losses[0]
    assert tensors(found, "predictions")["logits"].dtype == np.float32


def test_killed_and_called_again_gives_the_same_bytes(canvas):
    settings = SETTINGS | {"precision": QUANTIZED, "until": 7, "augmentation": "flip"}
    canvas.kill("killed", said="epoch 6/", **settings)
    resumed = canvas.run("killed", **settings)
    assert resumed.deterministic() == canvas.run("whole", **settings).deterministic()
