"""Which predictions of a run are measured."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from sixteen.datasets.prepared.sequences import Sequences
from sixteen.tasks.measured import module


@pytest.mark.parametrize("task", ["classify_images", "classify_sequences"])
def test_what_is_measured_are_the_predictions_at_the_end(tmp_path, task):
    """Not those before the first step, which lie beside them and are as right here."""
    labels = np.arange(40, dtype=np.int32) % 4
    items = np.zeros((40, 5, 1), np.float32)
    Sequences(items, labels, items, labels, tuple("abcd")).save(tmp_path)
    draw = np.random.default_rng(0)
    start, end = (4 * np.eye(4)[labels] + draw.normal(0, 0.5, (40, 4)) for _ in range(2))
    start[:10], end[30:] = start[:10, ::-1], end[30:, ::-1]  # others are wrong, as many
    accuracy = (end.argmax(1) == labels).mean()
    assert (start.argmax(1) == labels).mean() == accuracy == 0.75
    save_file({"logits": end, "start": start}, tmp_path / "predictions.safetensors")
    history = ["epoch,test_accuracy", "0,0.75", "1,0.5", f"2,{accuracy}"]
    (tmp_path / "history.csv").write_text("\n".join(history) + "\n")
    (tmp_path / "outcome.json").write_text('{"outcome": "finished"}')
    module(task).evaluate(tmp_path, tmp_path, tmp_path)
    found = json.loads((tmp_path / "metrics.json").read_text())
    likely = np.exp(end) / np.exp(end).sum(1, keepdims=True)
    assert found["loss"] == pytest.approx(-np.log(likely[np.arange(40), labels]).mean())
    second, first = np.sort(likely, axis=1)[:, -2:].T
    assert found["margin_mean"] == pytest.approx((first - second).mean())
    assert (found["accuracy"], found["last_epoch"], found["n"]) == (0.75, 2, 40)
    # A class without any hit, and three that are always right, wherever they stand.
    rows = [row.split(",") for row in (tmp_path / "per_class.csv").read_text().splitlines()[1:]]
    hits = [int((end.argmax(1) == labels)[labels == label].sum()) for label in range(4)]
    assert [int(row[2]) for row in rows] == hits
