"""Average precision of boxes: cases that are known by hand, and one against another way to compute it."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from sixteen.datasets.prepared.boxes import Boxes
from sixteen.errors import UserError
from sixteen.tasks.measured import module

NAMES = ("cat", "dog", "owl")
# Two pictures with two cats and a dog, one with an owl, and one without anything.
TRUTH = [
    [[0, 0, 10, 10, 0], [20, 20, 40, 30, 1]],
    [[5, 5, 25, 45, 0]],
    [[1, 1, 9, 9, 2]],
    np.zeros((0, 5)),
]
MOST = 6


def predicted(rows):
    """Predictions [4, MOST, 7] of rows (picture, four sides, score, class); the losses are 0.5, 1.5, 2.5 and 3.5."""
    found = np.zeros((4, MOST, 7), np.float32)
    found[..., 6] = np.arange(4)[:, None] + 0.5
    for picture, *row in rows:
        place = int((found[picture, :, 4] > 0).sum())
        found[picture, place, :6] = row
    return found


def perfect(scores=(0.9, 0.8, 0.7, 0.6)):
    rows = [(n, *row) for n, rows in enumerate(TRUTH) for row in np.array(rows).tolist()]
    return [(*row[:5], score, row[5]) for row, score in zip(rows, scores, strict=True)]


@pytest.fixture
def dataset(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 48, 48, 1), dtype=np.uint8)
    data = (images, [np.array(rows) for rows in TRUTH])
    Boxes.of(data, data, NAMES, "unit").save(tmp_path)
    return tmp_path


@pytest.fixture
def run(tmp_path, dataset):
    """A function that writes what a run leaves, evaluates it, and returns its metrics."""

    def evaluated(predictions, last=2.0, outcome="finished", losses=(3.0, 1.0)):
        tensors = {"logits": np.float32(predictions), "start": predicted(perfect())}
        save_file(tensors, tmp_path / "predictions.safetensors")
        history = ["epoch,test_loss", "0,9.5"]
        history += [f"{n},{x}" for n, x in enumerate([*losses, last], 1)]
        (tmp_path / "history.csv").write_text("\n".join(history) + "\n")
        (tmp_path / "outcome.json").write_text(json.dumps({"outcome": outcome}))
        facts = module("detect_objects").evaluate(dataset, tmp_path, tmp_path)
        found = json.loads((tmp_path / "metrics.json").read_text())
        assert facts["average_precision"] == found["average_precision"]
        return found

    return evaluated


def test_all_boxes_and_no_others_are_a_hundred_per_cent(run, tmp_path):
    found = run(predicted(perfect()))
    assert (found["outcome"], found["n"]) == ("finished", 4)
    assert (found["average_precision"], found["average_precision_strict"]) == pytest.approx((1, 1))
    assert found["classes"] == pytest.approx(dict.fromkeys(NAMES, 1.0))
    assert (tmp_path / "per_class.csv").read_text() == "class,n,correct,accuracy\n"


def test_nothing_found_is_nothing(run):
    found = run(predicted([]))
    assert found["average_precision"] == found["average_precision_strict"] == 0
    assert run(predicted([(n, 30, 30, 48, 48, 0.9, 0) for n in range(4)]))["average_precision"] == 0


def test_a_box_of_another_class_or_in_another_picture_is_wrong(run):
    of_class = [(*row[:6], (row[6] + 1) % 3) for row in perfect()]
    assert run(predicted(of_class))["average_precision"] == 0
    elsewhere = [((row[0] + 1) % 4, *row[1:]) for row in perfect()]
    assert run(predicted(elsewhere))["average_precision"] == 0


def test_a_second_box_around_the_same_thing_is_wrong(run):
    """Of cats in order: right, wrong, right. Precision 1 to a recall of half, then 2/3."""
    again = [*perfect((0.9, 0.8, 0.5, 0.6)), (0, 0, 0, 10, 10, 0.7, 0)]
    classes = run(predicted(again))["classes"]
    assert (classes["dog"], classes["owl"]) == pytest.approx((1, 1))
    assert classes["cat"] == pytest.approx((51 + 50 * 2 / 3) / 101)
    # One with a lower score than all that are right costs nothing.
    last = [*perfect(), (0, 0, 0, 10, 10, 0.1, 0)]
    assert run(predicted(last))["average_precision"] == pytest.approx(1)


def test_a_wrong_box_in_a_picture_without_anything_counts(run):
    classes = run(predicted([*perfect((0.5, 0.5, 0.5, 0.5)), (3, 0, 0, 9, 9, 0.9, 2)]))["classes"]
    assert classes == pytest.approx({"cat": 1, "dog": 1, "owl": 0.5})


@pytest.mark.parametrize(("right", "share", "strict"), [(20, 1, 0.1), (19, 0, 0)])
def test_half_an_overlap_is_enough(run, right, share, strict):
    """The dog has 20 x 10: a box within it has half of it, or less."""
    rows = perfect()
    rows[1] = (0, 20, 20, 20 + right / 2, 30, 0.8, 1)
    found = run(predicted(rows))
    assert found["classes"]["dog"] == pytest.approx(share)
    assert found["average_precision_strict"] == pytest.approx((2 + strict) / 3)


def test_classes_weigh_alike_and_one_without_test_boxes_is_left_out(run, dataset):
    known = Boxes.load(dataset)
    classes = known.test_classes.copy()
    classes[classes == 2] = -1
    about = {name: getattr(known, name) for name in known.__dataclass_fields__}
    Boxes(**about | {"test_classes": classes}).save(dataset)
    found = run(predicted(perfect()[:2]))  # of two cats one, the dog
    assert found["classes"].pop("owl") is None
    assert found["classes"] == pytest.approx({"cat": 51 / 101, "dog": 1})
    assert found["average_precision"] == pytest.approx((51 / 101 + 1) / 2)


def interpolated(scores, right, many):
    """Mean over 101 values of recall of the largest precision at that recall or more."""
    order = np.argsort(-np.array(scores), kind="stable")
    hits = np.array(right)[order].cumsum()
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / many
    return np.mean([max([0, *precision[recall >= r]]) for r in np.linspace(0, 1, 101)])


def test_it_is_the_area_under_the_envelope_at_101_values_of_recall():
    draw = np.random.default_rng(1)
    n, most = 40, 5
    boxes = np.stack([[[20 * k, 0, 20 * k + 10, 10] for k in range(most)]] * n).astype(float)
    classes = np.zeros((n, most), int)
    predictions = np.zeros((n, most, 7))
    right = draw.random((n, most)) < 0.6
    predictions[..., :4] = boxes + np.where(right, 0, 10)[..., None] * [1, 0, 1, 0]
    predictions[..., 4] = draw.permutation(np.linspace(0.1, 1, n * most)).reshape(n, most)
    found = module("detect_objects").measure(predictions, boxes, classes, ("one",))
    wanted = interpolated(predictions[..., 4].ravel(), right.ravel(), n * most)
    assert 0.2 < wanted < 0.8
    assert found["average_precision"] == pytest.approx(wanted, abs=1e-6)


def test_the_best_epoch_is_that_of_the_least_loss(run):
    found = run(predicted([]), losses=(3.0, 1.0))
    assert (found["loss"], found["last_epoch"], found["best_epoch"]) == (2, 3, 2)
    assert (found["best_epoch_loss"], found["best_epoch_bias"]) == (1, 1)


def test_a_run_that_is_not_finite_has_no_metrics(run):
    broken = predicted(perfect())
    broken[2, :, 6] = np.nan
    found = run(broken, last=1)
    assert (found["outcome"], found["average_precision"], found["loss"]) == ("diverged", None, None)
    assert run(predicted(perfect()), outcome="diverged")["average_precision"] is None


def test_predictions_of_another_dataset_or_of_another_epoch_are_refused(run):
    with pytest.raises(UserError, match=r"3 classes, \[4, boxes, 7\], .*, came \[3, 6, 7\]"):
        run(predicted([])[:3])
    with pytest.raises(UserError, match=r"expected boxes of 3 classes"):
        run(predicted([(0, 0, 0, 9, 9, 0.5, 3)]))
    with pytest.raises(UserError, match=r"with test loss 2.01 in history.csv, came some with 2 "):
        run(predicted([]), last=2.01)
