"""Digits on canvases: what is pasted where, and the boxes around it."""

import hashlib

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.datasets import load_digits

from sixteen.datasets.digits_on_canvas import DigitsOnCanvas, items, overlaps, read, shape
from sixteen.datasets.digits_on_textures import split

FIELDS = {
    **{
        "kind": "digits-on-canvas",
        "seed": 0,
        "size": 64,
        "test_every": 2,
        "train": 100,
        "test": 40,
    },
    **{"digits": [1, 4], "side": [16, 40], "overlap": 30, "cells": 4, "texture": [0, 80]},
    **{"contrast": [60, 100], "noise": 20, "normalisation": "scalar"},
}
HASHES = ["57ebc0d4e566", "c4047f0f22f1", "ead6661bc675", "8f5734712de9"]
# Ink alone, on black.
PLAIN = FIELDS | {"texture": [0, 0], "contrast": [100, 100], "noise": 0}


def drawn(**changes):
    """The pictures of an entry with these fields changed, read as params.yaml is."""
    return read(None, DigitsOnCanvas.model_validate(FIELDS | changes))


def plain(**changes):
    return drawn(**(PLAIN | changes))


def pictures(found):
    """Each training picture, the boxes in it and their classes."""
    for image, boxes, classes in zip(
        found.train_images, found.train_boxes, found.train_classes, strict=True
    ):
        yield image[..., 0], boxes[classes >= 0].astype(int), classes[classes >= 0]


def test_the_bytes_are_those_of_every_machine():
    found = drawn()
    arrays = (found.train_images, found.train_boxes, found.train_classes, found.test_images)
    assert [hashlib.sha256(array.tobytes()).hexdigest()[:12] for array in arrays] == HASHES


def test_there_are_as_many_pictures_of_as_many_digits_as_asked_for():
    found = drawn(digits=[2, 3], side=[16, 20], train=200)
    entry = DigitsOnCanvas.model_validate(FIELDS | {"train": 200})
    assert found.train_images.shape[1:] == shape(entry) == (64, 64, 1)
    assert items(entry) == (200, 40, 10)
    assert (len(found.train_images), len(found.test_images)) == (200, 40)
    assert found.train_images.dtype == np.uint8 and found.classes == tuple("0123456789")
    assert set((found.train_classes >= 0).sum(1)) == {2, 3}
    assert np.bincount(found.train_classes[found.train_classes >= 0]).min() > 20


def test_a_box_is_the_smallest_around_its_ink():
    for image, boxes, _ in pictures(plain(digits=[1, 1])):
        (box,) = boxes.tolist()
        # Half of full ink is 127.5, of which 127 is left.
        loose, tight = around(image >= 127), around(image > 127)
        assert all(a <= b <= c for a, b, c in zip(loose[:2], box[:2], tight[:2], strict=True))
        assert all(a >= b >= c for a, b, c in zip(loose[2:], box[2:], tight[2:], strict=True))


def around(inked):
    """Left, top, right and bottom of what is true."""
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def test_digits_are_enlarged_to_the_sides_asked_for_and_stand_anywhere():
    found = plain(digits=[1, 1], side=[20, 40], train=300)
    sides = found.train_boxes[:, 0, 2:] - found.train_boxes[:, 0, :2]
    assert sides.max() <= 40 and sides[:, 1].max() > 36 and sides[:, 1].min() < 22
    assert found.train_boxes[..., :2].min() < 2 and found.train_boxes[..., 2:].max() > 62


def test_a_digit_is_the_bundled_one():
    pixels, target = load_digits(return_X_y=True)
    train = np.concatenate(split(target, 2)[0])
    for image, _, (label,) in pictures(plain(digits=[1, 1], size=14, side=[14, 14])):
        # The middle of pixel 2 of 8 lies between pixels 3 and 4 of 14, and so on.
        halves = (image[1:12:2].astype(float) + image[2:13:2]) / 2
        small = (halves[:, 1:12:2] + halves[:, 2:13:2]) / 2
        likeness = [
            np.corrcoef(small.ravel(), one.reshape(8, 8)[1:7, 1:7].ravel())[0, 1]
            for one in pixels[train]
        ]
        best = int(np.argmax(likeness))
        assert likeness[best] > 0.95 and target[train][best] == label


def test_no_box_overlaps_another_by_more_than_asked_for():
    def shares(found):
        for _, boxes, _ in pictures(found):
            for number, one in enumerate(boxes):
                for other in boxes[:number]:
                    covered = np.zeros((2, 64, 64), bool)
                    for layer, (left, top, right, bottom) in zip(
                        covered, (one, other), strict=True
                    ):
                        layer[top:bottom, left:right] = True
                    yield covered.all(0).sum() / covered.any(0).sum()

    loose = list(shares(drawn(overlap=30, digits=[4, 4], train=200)))
    assert 0.2 < max(loose) <= 0.3
    assert max(shares(drawn(overlap=0, digits=[4, 4], train=200))) == 0


def test_a_share_on_the_limit_is_no_overlap():
    box, other = np.array([0, 0, 2, 2]), np.array([[1, 0, 3, 2]])  # a third
    assert overlaps(box, other, 33) and not overlaps(box, other, 34)
    assert not overlaps(box, np.zeros((0, 4), int), 0)


def test_test_pictures_show_digits_that_no_training_picture_shows(monkeypatch):
    pixels, target = load_digits(return_X_y=True)
    blank = np.concatenate(split(target, 2)[1])
    marked = np.full_like(pixels, 16)
    marked[blank] = 8
    monkeypatch.setattr("sklearn.datasets.load_digits", lambda return_X_y: (marked, target))
    found = plain()
    assert found.train_images.max() == 255 and found.test_images.max() == 127


def test_neither_part_changes_with_the_size_of_the_other_and_the_seed_changes_both():
    one, more, other = drawn(), drawn(train=101), drawn(seed=1)
    assert np.array_equal(one.test_images, more.test_images)
    assert np.array_equal(one.train_images, more.train_images[:100])
    assert not np.array_equal(one.train_images, other.train_images)
    assert not np.array_equal(one.test_images, other.test_images)
    assert not np.array_equal(one.train_images[:40], one.test_images)


def test_textures_lie_between_their_ends_and_noise_is_as_strong_as_asked_for():
    blank = FIELDS | {"contrast": [0, 0], "texture": [30, 90], "noise": 0}
    images = drawn(**blank).train_images.astype(int)
    assert images.min() in range(30, 40) and images.max() in range(80, 91)
    assert (images.std((1, 2)) > 0).all()
    noisy = drawn(**blank | {"noise": 9}).train_images.astype(int)[0] - images[0]
    assert abs(noisy).max() == 9


def test_a_digit_larger_than_the_canvas_is_refused():
    with pytest.raises(
        ValidationError, match=r"no larger than the canvas of `size` 64, came .* 65"
    ):
        DigitsOnCanvas.model_validate(FIELDS | {"side": [20, 65]})
