import hashlib

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sixteen.datasets import digits_on_textures, load_prepared
from sixteen.datasets.digits_on_textures import read, split
from sixteen.datasets.prepare import prepare
from sixteen.errors import UserError

PARAMETERS = {
    "kind": "digits-on-textures",
    "seed": 0,
    "size": 10,
    "test_every": 2,
    "train_per_class": 150,
    "test_per_class": 500,
    "stretch": [80, 120],
    "slant": 30,
    "shift": 5,
    "cells": 3,
    "texture": [0, 80],
    "contrast": [60, 100],
    "noise": 20,
    "normalisation": "scalar",
}
FEW = PARAMETERS | {"train_per_class": 20, "test_per_class": 10}
# Ink alone, as it was bundled.
PLAIN = PARAMETERS | {
    "size": 8,
    "stretch": [100, 100],
    "slant": 0,
    "shift": 0,
    "texture": [0, 0],
    "contrast": [100, 100],
    "noise": 0,
}


def sha256(array):
    return hashlib.sha256(array.tobytes()).hexdigest()


def test_the_bytes_are_those_of_every_machine():
    train_images, train_labels, test_images, test_labels, classes = read(None, PARAMETERS)
    assert (
        sha256(train_images) == "0c977a3f36c93e8f7e03e15a510f0df6fdad59c9322836196790b3c03326af9b"
    )
    assert (
        sha256(train_labels) == "748b5ec688b3e1a0ecc80e4d1a2b18e146f4ccd98f3a6d24508e1ed9ea0899ef"
    )
    assert sha256(test_images) == "f80213c25e390e030b7a0cc2da0f44b649eb8e76d737376e6edae9b0affdbeb1"
    assert sha256(test_labels) == "684afa4d8977efbb097b203e2e22c31559824b664a8a04d614844034c664dc52"
    assert classes == tuple("0123456789")


def test_images_are_uint8_of_the_size_and_every_class_has_as_many():
    train_images, train_labels, test_images, test_labels, _ = read(None, PARAMETERS)
    assert train_images.shape == (1500, 10, 10, 3)
    assert test_images.shape == (5000, 10, 10, 3)
    assert train_images.dtype == test_images.dtype == np.uint8
    assert train_labels.dtype == test_labels.dtype == np.int32
    assert np.bincount(train_labels).tolist() == [150] * 10
    assert np.bincount(test_labels).tolist() == [500] * 10
    assert (test_images.min(), test_images.max()) == (0, 255)
    assert len(np.unique(test_images, axis=0)) == 5000


def test_every_digit_is_a_source_of_training_or_of_test_images_and_never_of_both():
    labels = load_digits().target
    for test_every in (2, 5, 174):
        train, test = split(labels, test_every)
        assert sorted(np.concatenate(train + test).tolist()) == list(range(1797))
        for label in range(10):
            assert (labels[train[label]] == label).all() and (labels[test[label]] == label).all()
            assert len(test[label]) == (labels == label).sum() // test_every > 0


def test_images_come_from_the_sources_of_their_part(monkeypatch):
    pixels, target = load_digits(return_X_y=True)
    blank = np.concatenate(split(target, 2)[1])
    marked = np.full_like(pixels, 16)
    marked[blank] = 0
    monkeypatch.setattr(digits_on_textures, "load_digits", lambda return_X_y: (marked, target))
    train_images, _, test_images, _, _ = read(None, PARAMETERS | {"texture": [0, 0], "noise": 0})
    assert train_images.any((1, 2, 3)).all()
    assert not test_images.any()


def test_a_digit_neither_warped_nor_textured_is_the_bundled_one():
    pixels, target = load_digits(return_X_y=True)
    train, test = split(target, 2)
    train_images, _, test_images, _, _ = read(None, PLAIN)
    for images, sources, per_class in ((train_images, train, 150), (test_images, test, 500)):
        for label, rows in enumerate(sources):
            ink = pixels[np.resize(rows, per_class)].astype(int).reshape(-1, 8, 8) * 255 // 16
            for channel in range(3):
                ours = images[label * per_class : (label + 1) * per_class, :, :, channel]
                assert (ours == ink).all()


def test_ink_and_texture_are_blended_by_their_absolute_difference():
    dark = read(None, PLAIN)[0].astype(int)
    bright = read(None, PLAIN | {"texture": [255, 255]})[0].astype(int)
    assert (abs(bright + dark - 255) <= 1).all()
    halved = read(None, PLAIN | {"contrast": [50, 50]})[0].astype(int)
    assert (abs(2 * halved - dark) <= 1).all()


def test_textures_are_coloured_and_lie_between_their_ends():
    texture = PLAIN | {"contrast": [0, 0], "texture": [30, 90], "train_per_class": 50}
    images = read(None, texture)[0].astype(int)
    assert images.min() in range(30, 40) and images.max() in range(80, 91)
    assert (images.std((1, 2)) > 0).all(), "a texture of one value"
    assert (images[..., 0] != images[..., 1]).any((1, 2)).all(), "a texture without colour"
    noisy = read(None, texture | {"noise": 9})[0].astype(int)
    assert (noisy - images).min() == -9 and (noisy - images).max() == 9
    assert read(None, PLAIN | {"contrast": [0, 0], "noise": 9})[0].max() == 9, "what is below 0"
    assert (
        read(None, PLAIN | {"contrast": [0, 0], "texture": [255, 255], "noise": 9})[0].min() == 246
    )


def test_a_digit_is_stretched_slanted_and_shifted_as_far_as_the_parameters_say(monkeypatch):
    full = np.full((1797, 64), 16.0)
    target = load_digits().target
    monkeypatch.setattr(digits_on_textures, "load_digits", lambda return_X_y: (full, target))

    def sides(**changed):
        """First and last inked row, and column, over all images of 40 x 40."""
        inked = read(
            None, PLAIN | {"size": 40, "train_per_class": 60, "test_per_class": 1} | changed
        )
        rows, columns = (inked[0][..., 0] > 127).any(2), (inked[0][..., 0] > 127).any(1)
        return [
            (int(np.argmax(side, 1).min()), int(40 - np.argmax(side[:, ::-1], 1).min()))
            for side in (rows, columns)
        ]

    assert sides() == [(0, 40), (0, 40)]
    assert sides(stretch=[50, 50]) == [(10, 30), (10, 30)]
    assert sides(stretch=[50, 50], shift=25) == [(0, 40), (0, 40)]
    # The outermost rows are 9.5 pixels from the middle.
    assert sides(stretch=[50, 50], slant=100) == [(10, 30), (1, 39)]


def test_test_images_stay_when_there_are_more_training_images():
    few, more = (read(None, FEW | {"train_per_class": count}) for count in (20, 21))
    assert (few[2] == more[2]).all()


def test_training_and_test_images_have_textures_of_their_own():
    train, _, test, _, _ = read(None, FEW | {"contrast": [0, 0], "test_per_class": 20})
    assert (train != test).any((1, 2, 3)).all()


def test_another_seed_gives_other_images_and_what_numpy_drew_before_does_not():
    once = read(None, FEW)
    np.random.seed(7)
    assert (read(None, FEW)[0] == once[0]).all()
    assert (read(None, FEW | {"seed": 1})[0] != once[0]).any((1, 2, 3)).all()


def test_it_can_be_prepared(tmp_path):
    facts = prepare(FEW, {}, tmp_path, tmp_path)
    assert facts["shape"] == [10, 10, 3]
    assert load_prepared(tmp_path).test_images.shape == (100, 10, 10, 3)


@pytest.mark.parametrize(
    "changed, sentence",
    [
        (
            {"seed": -1},
            "expected a value from 0 to 4294967295 for seed of digits-on-textures, came -1",
        ),
        ({"size": 0}, "expected a value from 1 to 256 for size"),
        ({"test_every": 1}, "expected a value from 2 to 174 for test_every"),
        ({"test_every": 175}, "came 175; mend it in params.yaml"),
        ({"train_per_class": 0}, "for train_per_class"),
        ({"test_per_class": 0}, "for test_per_class"),
        ({"stretch": [0, 100]}, "expected a lowest and a highest value from 1 to 1000 for stretch"),
        ({"texture": [80, 0]}, r"from 0 to 255 for texture of digits-on-textures, came \[80, 0\]"),
        ({"contrast": [50, 101]}, "from 0 to 100 for contrast"),
        ({"slant": -1}, "for slant"),
        ({"shift": 101}, "for shift"),
        ({"cells": 0}, "for cells"),
        ({"noise": 256}, "for noise"),
    ],
    ids=str,
)
def test_a_parameter_out_of_its_limits_is_refused(changed, sentence):
    with pytest.raises(UserError, match=sentence):
        read(None, PARAMETERS | changed)
