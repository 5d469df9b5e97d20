import hashlib

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.datasets import load_digits

from sixteen.datasets.digits_on_textures import DigitsOnTextures, items, read, shape, split
from sixteen.datasets.prepared.images import Images
from sixteen.datasets.prepared.prepare import Preparation, prepare

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


def drawn(fields):
    """The images of an entry with these fields, read as params.yaml is."""
    return read(None, DigitsOnTextures.model_validate(fields))


def sha256(array):
    return hashlib.sha256(array.tobytes()).hexdigest()


def test_the_bytes_are_those_of_every_machine():
    images = drawn(PARAMETERS)
    assert (
        sha256(images.train_images)
        == "0c977a3f36c93e8f7e03e15a510f0df6fdad59c9322836196790b3c03326af9b"
    )
    assert (
        sha256(images.train_labels)
        == "748b5ec688b3e1a0ecc80e4d1a2b18e146f4ccd98f3a6d24508e1ed9ea0899ef"
    )
    assert (
        sha256(images.test_images)
        == "f80213c25e390e030b7a0cc2da0f44b649eb8e76d737376e6edae9b0affdbeb1"
    )
    assert (
        sha256(images.test_labels)
        == "684afa4d8977efbb097b203e2e22c31559824b664a8a04d614844034c664dc52"
    )
    assert images.classes == tuple("0123456789")


def test_images_are_uint8_of_the_size_and_every_class_has_as_many():
    images = drawn(PARAMETERS)
    train_images, train_labels = images.train_images, images.train_labels
    test_images, test_labels = images.test_images, images.test_labels
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
    monkeypatch.setattr("sklearn.datasets.load_digits", lambda return_X_y: (marked, target))
    images = drawn(PARAMETERS | {"texture": [0, 0], "noise": 0})
    assert images.train_images.any((1, 2, 3)).all()
    assert not images.test_images.any()


def test_a_digit_neither_warped_nor_textured_is_the_bundled_one():
    pixels, target = load_digits(return_X_y=True)
    train, test = split(target, 2)
    plain = drawn(PLAIN)
    parts = ((plain.train_images, train, 150), (plain.test_images, test, 500))
    for images, sources, per_class in parts:
        for label, rows in enumerate(sources):
            ink = pixels[np.resize(rows, per_class)].astype(int).reshape(-1, 8, 8) * 255 // 16
            for channel in range(3):
                ours = images[label * per_class : (label + 1) * per_class, :, :, channel]
                assert (ours == ink).all()


def test_ink_and_texture_are_blended_by_their_absolute_difference():
    dark = drawn(PLAIN).train_images.astype(int)
    bright = drawn(PLAIN | {"texture": [255, 255]}).train_images.astype(int)
    assert (abs(bright + dark - 255) <= 1).all()
    halved = drawn(PLAIN | {"contrast": [50, 50]}).train_images.astype(int)
    assert (abs(2 * halved - dark) <= 1).all()


def test_textures_are_coloured_and_lie_between_their_ends():
    texture = PLAIN | {"contrast": [0, 0], "texture": [30, 90], "train_per_class": 50}
    images = drawn(texture).train_images.astype(int)
    assert images.min() in range(30, 40) and images.max() in range(80, 91)
    assert (images.std((1, 2)) > 0).all(), "a texture of one value"
    assert (images[..., 0] != images[..., 1]).any((1, 2)).all(), "a texture without colour"
    noisy = drawn(texture | {"noise": 9}).train_images.astype(int)
    assert (noisy - images).min() == -9 and (noisy - images).max() == 9
    assert drawn(PLAIN | {"contrast": [0, 0], "noise": 9}).train_images.max() == 9, (
        "what is below 0"
    )
    assert (
        drawn(PLAIN | {"contrast": [0, 0], "texture": [255, 255], "noise": 9}).train_images.min()
        == 246
    )


def test_a_digit_is_stretched_slanted_and_shifted_as_far_as_the_parameters_say(monkeypatch):
    full = np.full((1797, 64), 16.0)
    target = load_digits().target
    monkeypatch.setattr("sklearn.datasets.load_digits", lambda return_X_y: (full, target))

    def sides(**changed):
        """First and last inked row, and column, over all images of 40 x 40."""
        fields = PLAIN | {"size": 40, "train_per_class": 60, "test_per_class": 1} | changed
        inked = drawn(fields).train_images[..., 0] > 127
        rows, columns = inked.any(2), inked.any(1)
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
    few, more = (drawn(FEW | {"train_per_class": count}).test_images for count in (20, 21))
    assert (few == more).all()


def test_training_and_test_images_have_textures_of_their_own():
    images = drawn(FEW | {"contrast": [0, 0], "test_per_class": 20})
    assert (images.train_images != images.test_images).any((1, 2, 3)).all()


def test_another_seed_gives_other_images_and_what_numpy_drew_before_does_not():
    once = drawn(FEW).train_images
    np.random.seed(7)
    assert (drawn(FEW).train_images == once).all()
    assert (drawn(FEW | {"seed": 1}).train_images != once).any((1, 2, 3)).all()


def test_they_are_prepared_with_the_size_that_the_entry_says(tmp_path):
    entry = DigitsOnTextures.model_validate(FEW)
    facts = prepare(Preparation(dataset=entry), {}, tmp_path, tmp_path)
    assert (facts["train_items"], facts["test_items"], facts["outputs"]) == items(entry)
    assert items(entry) == (200, 100, 10)
    assert facts["shape"] == list(shape(entry)) == [10, 10, 3]
    assert np.array_equal(Images.load(tmp_path).test_images, drawn(FEW).test_images)


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": -1},
        {"size": 0},
        {"test_every": 1},
        {"test_every": 175},
        {"train_per_class": 0},
        {"test_per_class": 0},
        {"stretch": [0, 100]},
        {"texture": [80, 0]},
        {"texture": [0, 80, 90]},
        {"contrast": [50, 101]},
        {"slant": -1},
        {"shift": 101},
        {"cells": 0},
        {"noise": 256},
    ],
    ids=str,
)
def test_a_number_out_of_its_limits_is_refused(changed):
    with pytest.raises(ValidationError, match=next(iter(changed))):
        DigitsOnTextures.model_validate(PARAMETERS | changed)
