import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import make_study
from scipy import stats

from sixteen.analysis.metrics import METRICS
from sixteen.analysis.summarize import epoch_sd, summarize
from sixteen.errors import UserError

NETWORKS, SEEDS = ["resnet8", "resnet14"], [0, 1, 2]
CORRECT = {"float32": [160, 150, 170], "float16": [158, 153, 169]}
CLAIMS = [
    {
        "id": "accuracy-maintained",
        "says": "Accuracy stays.",
        "source": "abstract",
        "metric": "accuracy",
        "arms": ["float16", "float32"],
        "test": "equivalence",
        "margin": 0.01,
    },
    {
        "id": "quantization-bounded",
        "says": "The cast is bounded.",
        "source": "section 4",
        "metric": None,
        "arms": ["float16", "float32"],
        "test": "bounded",
    },
]


def usual(network: str, arm: str, seed: int) -> dict:
    end = {"correct": CORRECT[arm][seed], "seconds": 4.0 + seed}
    return end | ({"seconds": 2.0 + seed, "bytes_per_weight": 2} if arm == "float16" else {})


def tables(folder: Path, outcome=usual, networks=NETWORKS, seeds=SEEDS, drop=None):
    parameters, inputs = make_study(folder, outcome, networks, seeds, CLAIMS)
    parameters["runs"] = [run for run in parameters["runs"] if drop is None or not drop(run)]
    into = folder / "into"
    into.mkdir()
    facts = summarize(parameters, inputs, into, folder)
    return into, facts, {path.stem: pd.read_csv(path) for path in into.glob("*.csv")}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return tables(tmp_path_factory.mktemp("study"))


def test_every_table_has_the_columns_that_it_promises(made) -> None:
    _, _, frames = made
    run = ["network", "arm", "seed"]
    estimate = ["n", "mean", "sd", "low", "high"]
    assert {name: list(frame.columns) for name, frame in frames.items()} == {
        "runs": [
            *(*run, "outcome", "accuracy", "loss", "calibration_error", "margin_mean"),
            *("best_epoch_bias", "start_accuracy", "first_epoch_accuracy", "epoch_sd"),
            *("train_seconds", "seconds_per_epoch", "images_per_second", "compile_seconds"),
            *("peak_bytes", "peak_bytes_of", "weight_bytes", "gradient_bytes", "optimizer_bytes"),
            *("state_bytes", "energy_joules", "device", "fingerprint"),
        ],
        "summary": ["network", "arm", "metric", *estimate, "diverged"],
        "differences": ["network", "metric", "kind", "arm", "reference", *estimate],
        "curves": [
            *(*run, "phase", "epoch", "loss", "train_accuracy", "test_accuracy"),
            *("zero_gradients", "nonfinite_gradients", "train_seconds"),
        ],
        "quantization": [
            *(*run, "tensor", "elements", "max_abs", "max_error", "mean_error", "relative_error"),
            *("error_norm", "bound_norm", "within_bound", "underflowed", "subnormal"),
        ],
        "per_class": [*run, "class", "n", "correct", "accuracy"],
    }


def test_a_run_has_the_numbers_of_its_last_phase(made) -> None:
    _, _, frames = made
    run = frames["runs"].set_index(["network", "arm", "seed"]).loc[("resnet8", "float16", 1)]
    assert run["accuracy"] == 153 / 200
    assert run["best_epoch_bias"] == pytest.approx(0.9 - 153 / 200)
    assert (run["start_accuracy"], run["first_epoch_accuracy"]) == (0.5, 0.6)
    changes = np.diff([0.6, 0.9, 0.7, 153 / 200])
    assert run["epoch_sd"] == pytest.approx(np.std(changes, ddof=1))
    assert run["train_seconds"] == 12
    assert run["seconds_per_epoch"] == pytest.approx(3.05)  # 3.1, 3.0, 3.1, 3.0
    assert run["state_bytes"] == 600


def test_means_and_intervals_of_an_arm(made) -> None:
    _, _, frames = made
    rows = frames["summary"].set_index(["network", "arm", "metric"])
    row = rows.loc[("resnet14", "float32", "accuracy")]
    values = np.array(CORRECT["float32"]) / 200
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (row["mean"], row["low"], row["high"]) == pytest.approx(
        (values.mean(), expected.low, expected.high)
    )
    assert (row["n"], row["diverged"]) == (3, 0)
    assert rows.loc[("resnet14", "float32", "energy_joules")]["n"] == 0


def test_differences_are_paired_with_the_arm_of_the_first_run(made) -> None:
    _, _, frames = made
    rows = frames["differences"].set_index(["network", "metric"])
    assert set(rows["reference"]) == {"float32"}
    assert set(rows["arm"]) == {"float16"}
    gain = (np.array(CORRECT["float16"]) - np.array(CORRECT["float32"])) / 200
    row = rows.loc[("resnet8", "accuracy")]
    expected = stats.ttest_1samp(gain, 0).confidence_interval(0.95)
    assert (row["mean"], row["low"]) == pytest.approx((gain.mean(), expected.low))
    logs = np.log(np.array([2.0, 3, 4]) / np.array([4.0, 5, 6]))
    expected = stats.ttest_1samp(logs, 0).confidence_interval(0.95)
    row = rows.loc[("resnet8", "train_seconds")]
    assert row["kind"] == "ratio"
    assert (row["mean"], row["high"]) == pytest.approx((np.exp(logs.mean()), np.exp(expected.high)))
    assert rows.loc[("resnet8", "state_bytes")]["mean"] == 0.5


def test_curves_hold_every_phase_as_it_was_written(made) -> None:
    _, _, frames = made
    rows = frames["curves"].query("network == 'resnet8' and arm == 'float16' and seed == 2")
    assert list(rows["phase"]) == [0] * 3 + [1] * 5
    assert list(rows["epoch"]) == [0, 1, 2, 2, 3, 4, 5, 6]
    assert list(rows["test_accuracy"]) == [0.25, 0.5, 0.5, 0.5, 0.6, 0.9, 0.7, 169 / 200]
    starts = rows[rows["loss"].isna()]
    assert list(starts["epoch"]) == [0, 2]
    assert starts["train_seconds"].isna().all()
    assert list(rows["train_seconds"].dropna()) == [2.1, 2.0, 4.1, 4.0, 4.1, 4.0]


def test_casts_stand_under_the_arm_that_starts_from_them(made) -> None:
    _, _, frames = made
    assert set(frames["quantization"]["arm"]) == {"float16"}
    assert len(frames["quantization"]) == len(NETWORKS) * len(SEEDS) * 2
    assert frames["quantization"]["within_bound"].all()


def test_claims_and_settings_are_written(made) -> None:
    into, facts, _ = made
    claims = json.loads((into / "claims.json").read_text())["claims"]
    assert [c["id"] for c in claims] == ["accuracy-maintained", "quantization-bounded"]
    assert claims[1]["verdict"] == "supported"
    assert facts["verdicts"] == {c["id"]: c["verdict"] for c in claims}
    assert [len(c["per_network"]) for c in claims] == [2, 2]
    settings = json.loads((into / "settings.json").read_text())
    assert list(settings["arms"]) == ["float32", "float16"]
    assert settings["reference"] == "float32"
    assert settings["layers"] == {"resnet8": 8, "resnet14": 14}


def test_a_diverged_run_is_counted_and_in_no_mean(tmp_path: Path) -> None:
    def outcome(network, arm, seed):
        diverged = {"outcome": "diverged"} if (arm, seed) == ("float16", 1) else {}
        return {"correct": CORRECT[arm][seed], **diverged}

    into, facts, frames = tables(tmp_path, outcome, ["resnet8"])
    assert facts["diverged"] == 1
    row = frames["summary"].set_index(["arm", "metric"]).loc[("float16", "accuracy")]
    assert (row["n"], row["diverged"]) == (2, 1)
    assert row["mean"] == pytest.approx((158 + 169) / 400)
    assert frames["differences"].set_index("metric").loc["train_seconds", "n"] == 2
    claims = json.loads((into / "claims.json").read_text())["claims"]
    assert "float16 seed 1 (diverged)" in claims[0]["why"]


def test_a_run_that_diverged_before_its_first_epoch_is_told(tmp_path: Path) -> None:
    def outcome(network, arm, seed):
        stopped = {"outcome": "diverged", "accuracies": [0.5]} if arm == "float16" else {}
        return {"correct": 100, **stopped}

    _, _, frames = tables(tmp_path, outcome, ["resnet8"])
    runs = frames["runs"].set_index("arm").loc["float16"]
    assert (runs["start_accuracy"] == 0.5).all()
    assert runs[["first_epoch_accuracy", "seconds_per_epoch"]].isna().all(axis=None)
    assert (frames["differences"]["n"] == 0).all()


def test_arms_with_different_seeds_pair_on_the_common_ones(tmp_path: Path) -> None:
    _, _, frames = tables(tmp_path, drop=lambda run: (run["arm"], run["seed"]) == ("float16", 0))
    row = frames["differences"].set_index(["network", "metric"]).loc[("resnet8", "accuracy")]
    assert row["n"] == 2
    assert row["mean"] == pytest.approx((153 - 150 + 169 - 170) / 400)


def test_one_seed_and_one_arm_make_tables_without_intervals(tmp_path: Path) -> None:
    parameters, inputs = make_study(tmp_path, usual, ["resnet8"], [0], [])
    parameters["runs"] = [run for run in parameters["runs"] if run["arm"] == "float32"]
    into = tmp_path / "into"
    into.mkdir()
    summarize(parameters, inputs, into, tmp_path)
    summary = pd.read_csv(into / "summary.csv")
    assert len(summary) == len(METRICS)
    assert summary[["sd", "low", "high"]].isna().all(axis=None)
    assert len(pd.read_csv(into / "differences.csv")) == 0
    assert len(pd.read_csv(into / "quantization.csv")) == 0


def test_the_same_runs_give_the_same_bytes(tmp_path: Path, made) -> None:
    into, _, _ = made
    again, _, _ = tables(tmp_path)
    for path in into.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_study_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected at least one run in study 'made-up'"):
        tables(tmp_path, drop=lambda run: True)


def test_variability_is_of_changes_and_needs_three_epochs() -> None:
    assert epoch_sd([0.5, 0.6]) is None
    assert epoch_sd([0.5, 0.6, 0.7, 0.8]) == pytest.approx(0)
    assert epoch_sd([0.5, 0.7, 0.6]) == pytest.approx(np.std([0.2, -0.1], ddof=1))
