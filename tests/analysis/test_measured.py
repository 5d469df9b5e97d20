import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_up import TASK, logits_of, write_training
from safetensors.numpy import save_file

from sixteen.analysis.evaluate import Evaluation, evaluate
from sixteen.analysis.pairs import Sample, pair
from sixteen.tasks import measured
from sixteen.tasks.measured.parts.metrics import metrics_of

TASKS = [TASK, "classify_sequences"]


def test_words_and_units_name_what_the_task_is_about() -> None:
    assert metrics_of("classify_images")["agreement"].words == "images with the reference's class"
    sequences = metrics_of("classify_sequences")
    assert sequences["items_per_second"].unit == "sequences/s"
    said = [f"{metric.words} {metric.unit}" for metric in sequences.values()]
    assert not any("image" in words for words in said)
    assert list(sequences) == list(metrics_of("classify_images"))
    assert next(iter(sequences)) == "accuracy"  # the task's own come first


@pytest.mark.parametrize("task", TASKS)
def test_a_plan_asks_for_metrics_without_waiting_for_keras_or_scipy(task) -> None:
    program = (
        "import sys; from sixteen.tasks.measured.parts.metrics import metrics_of; metrics_of(sys.argv[1]);"
        "print({'keras', 'tensorflow', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, task], check=True, capture_output=True, text=True
    )
    assert done.stdout == "set()\n"


def test_better_is_as_readers_expect() -> None:
    metrics = metrics_of(TASK)
    more = {name for name, metric in metrics.items() if metric.better == "more"}
    assert {"accuracy", "items_per_second", "largest_batch", "gradient_cosine"} <= more
    assert not more & {"loss", "step_seconds", "peak_bytes", "energy_joules", "lost_updates"}


def test_one_test_item_is_the_least_spread_of_what_is_counted_in_items() -> None:
    rows = [
        {
            "arm": arm,
            "seed": 0,
            "outcome": "finished",
            "test_items": 50,
            "accuracy": 1.0,
            "loss": 1.0,
        }
        for arm in ("a", "b")
    ]
    for name, least in (("accuracy", 1 / 50), ("loss", 0.0)):
        metric = metrics_of(TASK)[name]
        assert pair(Sample(rows, "seed"), ("a", "b"), name, metric, metric.kind).least_sd == least


def test_a_dataset_is_asked_for_labels_and_classes_alone(tmp_path: Path) -> None:
    """Whatever the items look like: sequences here."""
    labels = (np.arange(40) % 4).astype(np.int32)
    tensors = {"test_sequences": np.zeros((40, 7, 1), np.float32), "test_labels": labels}
    names = json.dumps({"classes": list("abcd")})
    save_file(tensors, tmp_path / "dataset.safetensors", metadata={"sixteen": names})
    run = write_training(tmp_path / "run", logits_of(labels, 30), [0.1, 0.75])
    facts = evaluate(
        Evaluation(task="classify_sequences"), {"dataset": tmp_path, "run": run}, tmp_path, tmp_path
    )
    assert facts == {"outcome": "finished", "accuracy": 0.75}
    found = json.loads((tmp_path / "metrics.json").read_text())
    saved = {"accuracy", "loss", "calibration_error", "margin_mean", "best_epoch_bias"}
    assert saved <= set(found) & set(measured.module("classify_sequences").METRICS)
