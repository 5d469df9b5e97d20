"""Trainings on pictures that are read meanwhile: they learn, and go on in the middle of an epoch to the same bytes."""

import numpy as np
import pytest
from small_runs import PRECISIONS, VIT, Runner, tensors

from sixteen.datasets.digits_as_files import DigitsAsFiles, read

DIGITS = {
    **{"kind": "digits-as-files", "seed": 0, "size": 16, "test_every": 2, "train_per_class": 16},
    **{"test_per_class": 10, "stretch": [80, 120], "slant": 20, "shift": 3, "cells": 2},
    **{"texture": [0, 40], "contrast": [80, 100], "noise": 5, "normalisation": "channel"},
    **{"sides": [14, 24], "side": 12},
}
SETTINGS = {"network": VIT, "task": "classify_image_files", "augmentation": "resized-crop-flip"}
SETTINGS |= {"batch": 20, "learning_rate": 0.05, "label_smoothing": 0.1, "until": 3}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    read(None, DigitsAsFiles.model_validate(DIGITS)).save(folder)
    return Runner(folder, folder)


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_killed_within_an_epoch_and_called_again_gives_the_same_bytes(digits, backend):
    pytest.importorskip(backend)
    settings = SETTINGS | {"backend": backend}
    name = f"killed-{backend}"
    digits.kill(name, said="step 6 of 8 of epoch 2", checkpoint_steps=3, **settings)
    resumed = digits.run(name, checkpoint_steps=3, **settings)
    assert "going on from the checkpoint of epoch 1, step 6 of the next" in resumed.said
    whole = digits.run(f"whole-{backend}", **settings)
    assert resumed.deterministic() == whole.deterministic()
    assert whole.facts["items"] == 3 * 160
    assert tensors(whole, "predictions")["logits"].shape == (100, 10)


def test_16_bits_go_on_to_learn(digits):
    settings = SETTINGS | {"augmentation": "none", "until": 8, "precision": PRECISIONS["bfloat16"]}
    found = digits.run("bfloat16", **settings)
    losses = found.column("loss")
    assert np.isfinite(losses).all() and losses[-1] < 0.95 * losses[0]
