"""Anchors, assignment, loss and suppression against plain NumPy, box by box."""

import numpy as np
import pytest

from sixteen import tasks
from sixteen.datasets.prepared.boxes import Boxes
from sixteen.errors import UserError
from sixteen.tasks.parts import anchors, focal, suppression

SHAPE = (48, 64, 1)
COUNT = 9 * (6 * 8 + 3 * 4)
KNOWN = anchors.anchors(SHAPE, COUNT)


def array(tensor):
    return np.asarray(tensor)


def share(one, other):
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    both = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (both - shared)


def some_boxes(draw, n, most=3):
    """Random boxes [n, most, 4] within the picture and classes, some of which are none."""
    upper = draw.uniform(0, 30, (n, most, 2))
    boxes = np.concatenate([upper, upper + draw.uniform(8, 18, (n, most, 2))], -1)
    # Near to some anchors, so that all cases come.
    boxes[:, 0] = np.clip(KNOWN[draw.integers(0, COUNT, n)] + draw.uniform(-3, 3, (n, 4)), 0, 64)
    classes = draw.integers(0, 5, (n, most))
    classes[:, -1] = -1
    boxes[:, -1] = 0
    return boxes.astype(np.float32), classes.astype(np.int32)


def test_anchors_stand_at_the_middles_of_their_places_level_by_level():
    middles, sides = (KNOWN[:, :2] + KNOWN[:, 2:]) / 2, KNOWN[:, 2:] - KNOWN[:, :2]
    assert KNOWN.shape == (COUNT, 4) and KNOWN.dtype == np.float32
    first, second = 9 * 6 * 8, 9 * 3 * 4
    grids = (middles[:first].reshape(6, 8, 9, 2), middles[first:].reshape(3, 4, 9, 2))
    assert len(middles[first:]) == second
    for stride, grid in zip((8, 16), grids, strict=True):
        for row, column in ((0, 0), (0, 1), (2, 3)):
            at = [stride * (column + 0.5), stride * (row + 0.5)]
            assert grid[row, column] == pytest.approx(np.tile(at, (9, 1)))
    for level, size in ((0, 32), (first, 64)):
        areas, ratios = sides[level : level + 9].prod(1), sides[level : level + 9]
        assert areas.reshape(3, 3) == pytest.approx(
            np.outer([size**2, size**2 * 2 ** (2 / 3), size**2 * 2 ** (4 / 3)], [1, 1, 1]), rel=1e-5
        )
        assert ratios[:, 1] / ratios[:, 0] == pytest.approx(3 * [0.5, 1, 2])


def test_sides_that_are_no_multiples_have_a_place_more():
    assert len(anchors.anchors((50, 65, 3), 9 * 7 * 9)) == 9 * 7 * 9
    # Five levels, as in arXiv:2403.02243.
    many = 9 * (76**2 + 38**2 + 19**2 + 10**2 + 5**2)
    assert len(anchors.anchors((608, 608, 3), many)) == many


def test_offsets_are_in_sides_of_the_anchor_and_logarithms_and_are_undone():
    anchor, box = np.float32([[10, 20, 30, 60]]), np.float32([[13, 20, 43, 80]])
    wanted = np.array([8 / 20 / 0.1, 10 / 40 / 0.1, np.log(1.5) / 0.2, np.log(1.5) / 0.2])
    assert array(anchors.encode(box, anchor))[0] == pytest.approx(wanted, rel=1e-5)
    boxes, _ = some_boxes(np.random.default_rng(0), COUNT, 1 + 1)
    again = array(anchors.decode(array(anchors.encode(boxes[:, 0], KNOWN)), KNOWN))
    np.testing.assert_allclose(again, boxes[:, 0], atol=1e-3)


def assigned(boxes, classes):
    """As `focal.assigned`, of one picture, written out."""
    labels, offsets, counts = [], [], []
    for anchor in KNOWN.astype(np.float64):
        shares = [
            share(anchor, box) if c >= 0 else 0 for box, c in zip(boxes, classes, strict=True)
        ]
        best = int(np.argmax(shares))
        labels.append(classes[best] if shares[best] >= 0.5 else -1)
        counts.append(shares[best] >= 0.5 or shares[best] < 0.4)
        (left, top, right, bottom), (a, b, c, d) = boxes[best], anchor
        sides = np.maximum([right - left, bottom - top], 1e-8) / [c - a, d - b]
        middles = np.array([left + right - a - c, top + bottom - b - d]) / 2 / [c - a, d - b]
        offsets.append(np.concatenate([middles / 0.1, np.log(sides) / 0.2]))
    return np.array(labels), np.array(offsets), np.array(counts)


def test_anchors_are_for_the_box_that_they_overlap_most_if_by_half():
    boxes, classes = some_boxes(np.random.default_rng(1), 6)
    found = list(map(array, focal.assigned(KNOWN, boxes, classes)))
    seen = set()
    for picture in range(6):
        labels, offsets, counts = assigned(boxes[picture], classes[picture])
        assert np.array_equal(found[0][picture], labels)
        assert np.array_equal(found[2][picture], counts)
        of = labels >= 0
        np.testing.assert_allclose(found[1][picture][of], offsets[of], atol=1e-4)
        seen |= {(bool(a), bool(b)) for a, b in zip(of, counts, strict=True)}
    assert seen == {(True, True), (False, True), (False, False)}


def loss(outputs, boxes, classes):
    """As `focal.losses`, of one picture, in float64."""
    labels, offsets, counts = assigned(boxes, classes)
    total = 0.0
    for anchor in range(COUNT):
        if not counts[anchor]:
            continue
        for number in range(5):
            right = 1 / (1 + np.exp(-outputs[anchor, number]))
            weight = 0.25
            if labels[anchor] != number:
                right, weight = 1 - right, 0.75
            total -= weight * (1 - right) ** 2 * np.log(right)
        if labels[anchor] >= 0:
            error = np.abs(outputs[anchor, 5:] - offsets[anchor])
            smooth = np.where(error < 1 / 9, 4.5 * error**2, error - 1 / 18)
            total += smooth.mean()
    return total / max(1, (labels >= 0).sum())


def test_loss_is_that_of_an_independent_sum():
    draw = np.random.default_rng(2)
    boxes, classes = some_boxes(draw, 4)
    classes[3], boxes[3] = -1, 0  # a picture with nothing in it
    _, offsets, _ = focal.assigned(KNOWN, boxes, classes)
    outputs = draw.normal(0, 2, (4, COUNT, 9)).astype(np.float32)
    outputs[..., 5:] = array(offsets) + draw.normal(
        0, 0.2, (4, COUNT, 4)
    )  # on both sides of the bend
    found = array(focal.losses(outputs, KNOWN, (boxes, classes), "float32"))
    wanted = [loss(outputs[n].astype(float), boxes[n], classes[n]) for n in range(4)]
    assert found == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_16_bit_losses_are_near_with_logits_far_out(dtype):
    draw = np.random.default_rng(3)
    boxes, classes = some_boxes(draw, 4)
    outputs = draw.normal(0, 8, (4, COUNT, 9)).astype(np.float32)
    exact = array(focal.losses(outputs, KNOWN, (boxes, classes), "float32"))
    found = focal.losses(outputs, KNOWN, (boxes, classes), dtype)
    assert found.dtype == dtype
    assert array(found).astype(np.float32) == pytest.approx(exact, rel=0.03)


def survivors(boxes, scores):
    """Of one picture: the best pair again and again, without those of its class that it overlaps by more than half."""
    pairs = [
        (scores[n, c], c, boxes[n])
        for n in range(len(boxes))
        for c in range(scores.shape[1])
        if scores[n, c] > 0.05
    ]
    pairs.sort(key=lambda pair: -pair[0])
    kept = []
    for score, label, box in pairs:
        if all(label != other or share(box, by) <= 0.5 for _, other, by in kept):
            kept.append((score, label, box))
    return [[*box, score, label] for score, label, box in kept[:100]]


@pytest.mark.parametrize("spread", [10, 60])
def test_what_is_suppressed_is_what_brute_force_suppresses(spread):
    draw = np.random.default_rng(4)
    upper = draw.uniform(0, spread, (3, 130, 2))
    boxes = np.concatenate([upper, upper + draw.uniform(5, 25, (3, 130, 2))], -1)
    boxes = boxes.astype(np.float32)
    scores = draw.uniform(0, 1, (3, 130, 3)).astype(np.float32) ** 4
    scores[2] = 0.05  # no more than the least: nothing is found
    found = array(suppression.suppressed(boxes, scores))
    assert found.shape == (3, 100, 6) and found.dtype == np.float32
    for picture in range(3):
        wanted = survivors(boxes[picture], scores[picture])
        assert (len(wanted) == 0) == (picture == 2)
        np.testing.assert_allclose(found[picture, : len(wanted)], np.reshape(wanted, (-1, 6)))
        assert not found[picture, len(wanted) :].any()


def test_no_more_than_a_hundred_boxes_are_kept():
    left = 10 * np.arange(150, dtype=np.float32)
    boxes = np.stack([left, 0 * left, left + 9, 0 * left + 9], -1)[None]
    scores = np.linspace(0.1, 0.9, 150, dtype=np.float32)[None, :, None]
    found = array(suppression.suppressed(boxes, scores))[0]
    assert found[:, 0].tolist() == left[:49:-1].tolist()


@pytest.fixture
def task(tmp_path):
    draw = np.random.default_rng(5)
    images = draw.integers(0, 256, (7, *SHAPE), dtype=np.uint8)
    rows = [np.array([[0, 8, 16, 40, n % 3], [30, 0, 64, 48, 2]][: 1 + n % 2]) for n in range(7)]
    data = (images, rows)
    Boxes.of(data, (images[:5], rows[:5]), tuple("abc"), "scalar").save(tmp_path)
    return tasks.bind("detect_objects", tmp_path)


def test_sizes_are_those_of_the_dataset(task):
    assert (task.item, task.shape, task.outputs) == ("picture", SHAPE, 3)
    assert (task.train_items, task.test_items) == (7, 5)


@pytest.mark.parametrize("compute", ["float32", "float16"])
def test_flips_turn_pictures_and_their_boxes(task, compute):
    rows = np.array([[1, 4, 4, 0], [1, 4, 4, 1]], np.int32)
    images, (boxes, classes) = task.train_batch(task.train_data(), rows, "flip", compute)
    images = array(images)
    whole = task.boxes.train_images[1].astype(np.float32)
    assert images.dtype == compute
    expected = ((whole - task.boxes.mean) / task.boxes.std).astype(compute)
    assert np.array_equal(images[0], expected) and np.array_equal(images[1], expected[:, ::-1])
    assert array(boxes)[:, :2].tolist() == [
        [[0, 8, 16, 40], [30, 0, 64, 48]],
        [[48, 8, 64, 40], [0, 0, 34, 48]],
    ]
    assert array(classes).tolist() == [[1, 2], [1, 2]]
    unturned, _ = task.train_batch(task.train_data(), rows, "none", compute)
    assert np.array_equal(array(unturned)[1], expected)


@pytest.mark.parametrize("crops", ["crop-flip", "resized-crop-flip"])
def test_crops_are_refused(task, crops):
    assert task.rows(3, "flip", 0, 1).shape == (2, 3, 4)
    with pytest.raises(UserError, match=rf"expected `augmentation: flip` .*, came {crops}; choose"):
        task.rows(3, crops, 0, 1)


def test_predictions_are_boxes_cut_to_the_picture_and_the_loss_of_each(task):
    draw = np.random.default_rng(6)
    outputs = draw.normal(-1, 2, (3, COUNT, 7)).astype(np.float32)
    indices = np.array([4, 0, 1], np.int32)
    data = task.test_data()
    found = array(task.predicted(outputs, data, indices))
    assert found.shape == (3, 100, 7) and found.dtype == np.float32
    boxes = np.clip(array(anchors.decode(outputs[..., 3:], KNOWN)), 0, [64, 48, 64, 48])
    scores = 1 / (1 + np.exp(-outputs[..., :3]))
    expected = array(suppression.suppressed(boxes.astype(np.float32), scores))
    np.testing.assert_allclose(found[..., :6], expected, rtol=1e-4, atol=1e-3)
    targets = (data[1][indices], data[2][indices])
    losses = array(focal.losses(outputs, KNOWN, targets, "float32"))
    assert found[..., 6] == pytest.approx(np.tile(losses[:, None], 100), rel=1e-5)
    assert task.tested(found) == {"test_loss": pytest.approx(losses.mean(), rel=1e-6)}
    assert float(task.loss(outputs, targets, "float32", 0.0)) == pytest.approx(
        losses.mean(), rel=1e-6
    )
    assert np.isnan(float(task.correct(outputs, targets)))
