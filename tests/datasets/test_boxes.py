"""The form of pictures with boxes."""

import numpy as np
import pytest

from sixteen.datasets.prepared.boxes import Boxes
from sixteen.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 6, 9, 3), dtype=np.uint8)
NAMES = ("cat", "dog")
GOOD = [np.array([[0, 0, 9, 6, 1], [2, 1, 3, 2, 0]]), np.zeros((0, 5))]


def of(train=GOOD, test=GOOD, images=IMAGES, classes=NAMES):
    return Boxes.of((images, train), (IMAGES, test), classes, "scalar")


def test_what_was_read_is_padded_and_kept(tmp_path):
    boxes = of(test=[np.array([[0.5, 1, 2.25, 3, 1]])] * 2)
    boxes.save(tmp_path)
    loaded = Boxes.load(tmp_path)
    assert np.array_equal(loaded.train_images, IMAGES) and loaded.classes == NAMES
    none = [0, 0, 0, 0]
    assert loaded.train_boxes.tolist() == [[[0, 0, 9, 6], [2, 1, 3, 2]], [none, none]]
    assert loaded.train_classes.tolist() == [[1, 0], [-1, -1]]
    assert loaded.test_boxes.tolist() == 2 * [[[0.5, 1, 2.25, 3]]]
    assert loaded.test_classes.tolist() == [[1], [1]]
    assert (loaded.train_boxes.dtype, loaded.train_classes.dtype) == (np.float32, np.int32)
    assert loaded.mean == pytest.approx(IMAGES.mean()) and loaded.std == pytest.approx(IMAGES.std())
    facts = boxes.facts()
    assert (facts["train_items"], facts["train_boxes"], facts["test_boxes"]) == (2, 2, 2)
    assert (facts["outputs"], facts["shape"]) == (2, [6, 9, 3])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([3, 0, 3, 2, 0], r"left < right and top < bottom, came \[3, 0, 3, 2\] of .* picture 1"),
        ([3, 4, 5, 2, 0], r"left < right and top < bottom"),
        ([float("nan"), 0, 5, 2, 0], r"left < right and top < bottom"),
        ([-1, 0, 5, 2, 0], r"within their pictures of 6 rows and 9 columns, came \[-1, 0, 5, 2\]"),
        ([0, -0.5, 5, 2, 0], r"within their pictures"),
        ([0, 0, 9.5, 2, 0], r"within their pictures"),
        ([0, 0, 6, 9, 0], r"within their pictures"),
        ([0, 0, 5, 2, 2], r"classes from 0 to 1, came 2 for the box .* of"),
        ([0, 0, 5, 2, -1], r"classes from 0 to 1, came -1"),
    ],
)
@pytest.mark.parametrize("part", ["training", "test"])
def test_a_box_that_is_none_is_refused_by_its_picture(row, words, part):
    rows = [GOOD[0], np.array([row])]
    with pytest.raises(UserError, match=f"expected .*{words}.*{part} picture 1|{words}") as told:
        of(train=rows) if part == "training" else of(test=rows)
    assert f"{part} picture 1; mend" in str(told.value)


def test_a_class_without_a_box_in_training_is_refused_and_in_the_test_is_not():
    only = [GOOD[0][:1], GOOD[1]]
    of(test=only)
    with pytest.raises(UserError, match=r"a box of each class in training, came none of 'cat'; "):
        of(train=only)


def test_pictures_of_another_size_or_none_are_refused():
    with pytest.raises(UserError, match=r"one size, came \(5, 9, 3\) and \(6, 9, 3\); bring"):
        of(images=IMAGES[:, :5])
    with pytest.raises(UserError, match=r"expected pictures in the training part, came none; mend"):
        of(train=[], images=IMAGES[:0])


def test_random_pictures_have_a_box_of_every_class_within_them():
    boxes = Boxes.random(3, (8, 20, 1), 4)
    assert boxes.train_images.shape == (3, 8, 20, 1)
    assert boxes.train_classes.tolist() == 3 * [[0, 1, 2, 3]]
    assert boxes.train_boxes[..., 2].max() > 8 >= boxes.train_boxes[..., 3].max()
