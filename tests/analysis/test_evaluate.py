import json
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pandas as pd
import pytest
from made_up import TASK, logits_of, write_dataset, write_training

from sixteen.analysis.evaluate import Evaluation, evaluate
from sixteen.errors import UserError
from sixteen.tasks.measured.parts.classification import calibration_error, measure

LABELS = np.arange(40) % 4


def run(folder: Path, logits: np.ndarray, accuracies: list[float], outcome: str = "finished"):
    dataset = write_dataset(folder / "dataset", LABELS)
    training = write_training(folder / "run", logits, accuracies, outcome=outcome)
    into = folder / "into"
    into.mkdir()
    evaluate(Evaluation(task=TASK), {"dataset": dataset, "run": training}, into, folder)
    return json.loads((into / "metrics.json").read_text()), pd.read_csv(into / "per_class.csv")


def test_loss_and_margin_of_known_probabilities() -> None:
    logits = np.log([[0.7, 0.2, 0.1], [0.25, 0.5, 0.25]]) + np.array([[5.0], [-300.0]])
    metrics = measure(logits, np.array([0, 2]))
    assert metrics["accuracy"] == 0.5
    assert metrics["loss"] == pytest.approx(-(np.log(0.7) + np.log(0.25)) / 2)
    assert metrics["margin_mean"] == pytest.approx((0.5 + 0.25) / 2)
    assert metrics["margin_p05"] == pytest.approx(0.25 + 0.05 * 0.25)


def test_float16_logits_are_measured_in_float64() -> None:
    logits = np.float16([[20, 0, 0]])
    assert measure(logits, np.array([0]))["loss"] == pytest.approx(np.log1p(2 * np.exp(-20.0)))


def test_calibration_error_of_two_filled_bins() -> None:
    confidence = np.array([0.95] * 10 + [0.55] * 10)
    correct = np.array([True] * 7 + [False] * 3 + [True] * 6 + [False] * 4)
    expected = 0.5 * abs(0.7 - 0.95) + 0.5 * abs(0.6 - 0.55)
    assert calibration_error(confidence, correct) == pytest.approx(expected)


def test_gaps_within_a_bin_cancel_and_between_bins_do_not() -> None:
    correct = np.array([True, False])
    assert calibration_error(np.array([0.5, 0.5]), correct) == pytest.approx(0)
    assert calibration_error(np.array([0.6, 0.3]), correct) == pytest.approx((0.4 + 0.3) / 2)


def test_certain_and_right_is_calibrated() -> None:
    assert calibration_error(np.ones(5), np.ones(5, bool)) == 0


def test_the_last_epoch_counts_and_the_best_is_shown_apart(tmp_path: Path) -> None:
    metrics, _ = run(tmp_path, logits_of(LABELS, 30), [0.99, 0.5, 0.8, 0.75])
    assert (metrics["accuracy"], metrics["last_epoch"]) == (0.75, 3)
    assert (metrics["best_epoch"], metrics["best_epoch_accuracy"]) == (2, 0.8)
    assert metrics["best_epoch_bias"] == pytest.approx(0.05)


def test_accuracy_by_class(tmp_path: Path) -> None:
    _, table = run(tmp_path, logits_of(LABELS, 30), [0.1, 0.75])
    assert list(table["class"]) == [f"class {i}" for i in range(4)]
    assert list(table["n"]) == [10] * 4
    assert list(table["correct"]) == [8, 8, 7, 7]
    assert list(table["accuracy"]) == [0.8, 0.8, 0.7, 0.7]


def test_logits_of_another_epoch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"0\.8 in history\.csv, came logits with 0\.75"):
        run(tmp_path, logits_of(LABELS, 30), [0.1, 0.75, 0.8])


def test_logits_of_another_test_set_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected logits \[40, 4\].*came \[39, 4\]"):
        run(tmp_path, logits_of(LABELS, 30)[1:], [0.1, 0.75])


def test_a_diverged_run_has_no_metrics(tmp_path: Path) -> None:
    metrics, table = run(tmp_path, logits_of(LABELS, 30), [0.1, 0.75], outcome="diverged")
    assert metrics["outcome"] == "diverged"
    assert {metrics[name] for name in metrics if name not in ("outcome", "n")} == {None}
    assert table["accuracy"].isna().all()


def test_logits_that_are_not_finite_count_as_diverged(tmp_path: Path) -> None:
    logits = logits_of(LABELS, 30)
    logits[3, 1] = np.inf
    assert run(tmp_path, logits, [0.1, 0.75])[0]["outcome"] == "diverged"


def test_logits_in_bfloat16_are_read_where_nothing_else_has_taught_numpy(tmp_path) -> None:
    dataset = write_dataset(tmp_path / "dataset", LABELS)
    logits = logits_of(LABELS, 40).astype(ml_dtypes.bfloat16)
    run = write_training(tmp_path / "run", logits, [0.5, 1.0])
    program = (
        "import sys; from pathlib import Path; from sixteen.analysis.evaluate import Evaluation, evaluate;"
        "d, r, i = map(Path, sys.argv[2:]);"
        "evaluate(Evaluation(task=sys.argv[1]), {'dataset': d, 'run': r}, i, i)"
    )
    subprocess.run([sys.executable, "-c", program, TASK, dataset, run, tmp_path], check=True)
    assert json.loads((tmp_path / "metrics.json").read_text())["accuracy"] == 1.0
