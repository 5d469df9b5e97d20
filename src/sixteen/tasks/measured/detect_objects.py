"""Measuring the task `detect_objects`, from the boxes that a run saved: average precision, by pycocotools.

Precision is interpolated at 101 values of recall, as COCO has it; what arXiv:2403.02243 reports of Pascal VOC is the area
under the same envelope, so that the two aren't to be compared to the last digit. What counts is the last epoch. The best one is known by
its test loss, see `best_epoch_bias`: average precision isn't measured after every epoch.
"""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401 (teaches NumPy, and so safetensors, what bfloat16 is)
import numpy as np
from safetensors.numpy import load_file

from sixteen.datasets.prepared.files import Prepared
from sixteen.errors import UserError
from sixteen.files import read_json, write_csv, write_json
from sixteen.tasks.measured.parts.classification import PER_CLASS
from sixteen.tasks.measured.parts.least_loss import best_epoch
from sixteen.tasks.measured.parts.metric import measured, share

ITEM = "picture"
METRICS = {
    # Means over the classes, at an intersection over union of 0.5, and over those from 0.5 to 0.95 in steps of 0.05.
    "average_precision": share("mean average precision at IoU 0.5", "more"),
    "average_precision_strict": share("mean average precision at IoU 0.5 to 0.95", "more"),
    "loss": measured("test loss", "units", "less", "difference"),
    "best_epoch_bias": measured(
        "last-epoch minus best-epoch test loss", "units", "less", "difference"
    ),
    # Over the second half of a phase, see sixteen.analysis.runs.
    "loss_sd": measured(
        "epoch-to-epoch deviation of test loss (second half)", "units", "less", "ratio"
    ),
}
SAVED = (
    *("average_precision", "average_precision_strict", "loss", "classes"),
    *("last_epoch", "best_epoch", "best_epoch_loss", "best_epoch_bias"),
)
COLUMNS = 7  # four sides, score, class, loss of the picture
Row = dict[str, Any]


@dataclass(frozen=True)
class _Pictures(Prepared):
    """What is read of prepared pictures, see `sixteen.datasets.prepared.boxes`."""

    test_boxes: np.ndarray
    test_classes: np.ndarray
    classes: tuple[str, ...]


def steps(items: int, batch: int, shape: tuple[int, ...]) -> int:
    """Steps of an epoch; a batch that isn't full is left out."""
    return items // batch


def evaluate(dataset: Path, run: Path, into: Path) -> dict[str, Any]:
    """Write metrics.json and per_class.csv of the run in `run` on the test pictures of the prepared `dataset`.

    per_class.csv is empty, since it counts items that are right; `classes` of metrics.json has the average precision of
    each class at IoU 0.5, null for one without a box. A run whose last predictions aren't all finite counts as diverged,
    and a diverged run has no metrics (null). UserError if the predictions don't belong to the dataset or to the run's
    history.
    """
    known = _Pictures.load(dataset)
    predictions = load_file(run / "predictions.safetensors")["logits"].astype(np.float64)
    pictures = len(known.test_boxes)
    if (
        predictions.ndim != 3
        or (predictions.shape[0], predictions.shape[2]) != (pictures, COLUMNS)
        or (predictions[..., 5] >= len(known.classes)).any()
    ):
        raise UserError(
            f"expected boxes of {len(known.classes)} classes, [{pictures}, boxes, {COLUMNS}], for these test pictures, came "
            f"{list(predictions.shape)} in {run}; evaluate a run of this dataset"
        )
    outcome = read_json(run / "outcome.json")["outcome"]
    if not np.isfinite(predictions).all():
        outcome = "diverged"
    found = {"outcome": outcome, "n": pictures, **dict.fromkeys(SAVED)}
    if outcome != "diverged":
        found |= measure(predictions, known.test_boxes, known.test_classes, known.classes)
        found |= best_epoch(run, found["loss"])
    write_json(into / "metrics.json", found)
    write_csv(into / "per_class.csv", PER_CLASS, [])
    return {"outcome": outcome, "average_precision": found["average_precision"]}


def measure(
    predictions: np.ndarray, boxes: np.ndarray, classes: np.ndarray, names: tuple[str, ...]
) -> dict[str, Any]:
    """Metrics of predictions [n, most, 7] for boxes [n, any, 4] and classes [n, any], -1 where there is no box.

    A prediction with score 0 is none.
    """
    truth = _rows(boxes, classes, classes >= 0)
    found = _rows(predictions[..., :4], predictions[..., 5], predictions[..., 4])
    precision = _precision(truth, found, len(names))
    each = [float(of.mean()) if (of >= 0).all() else None for of in precision[0].T]
    strict = precision[precision > -1]
    return {
        "average_precision": float(np.mean([one for one in each if one is not None])),
        "average_precision_strict": float(strict.mean()),
        "loss": float(predictions[:, 0, -1].mean()),
        "classes": dict(zip(names, each, strict=True)),
    }


def _precision(truth: list[Row], found: list[Row], classes: int) -> np.ndarray:
    """Precision by IoU, recall and class, [10, 101, classes], of at most 100 boxes a picture; -1 for a class without any."""
    # Here, not above: a plan asks for the metrics, and must not wait for it.
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    about: dict[str, Any] = {
        "images": [{"id": picture} for picture in {row["image_id"] for row in truth + found}],
        "categories": [{"id": number} for number in range(classes)],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        sides: list[Any] = [COCO(), COCO()]
        for side, rows in zip(sides, (truth, found), strict=True):
            side.dataset = about | {"annotations": rows}
            side.createIndex()
        judge: Any = COCOeval(sides[0], sides[1], "bbox")
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.params.maxDets = [100]
        judge.evaluate()
        judge.accumulate()
    return judge.eval["precision"][:, :, :, 0, 0]


def _rows(boxes: np.ndarray, classes: np.ndarray, scores: np.ndarray) -> list[Row]:
    """Those with a score, as COCO has them; numbers begin with 1, since 0 stands for none there."""
    places = np.argwhere(scores > 0)
    rows: list[Row] = []
    for number, (picture, place) in enumerate(places.tolist(), 1):
        left, top, right, bottom = boxes[picture, place].tolist()
        width, height = right - left, bottom - top
        rows.append(
            {
                "id": number,
                "image_id": picture,
                "category_id": int(classes[picture, place]),
                "bbox": [left, top, width, height],
                "area": width * height,
                "iscrowd": 0,
                "score": float(scores[picture, place]),
            }
        )
    return rows
