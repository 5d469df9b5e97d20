import json
import math
from pathlib import Path

import made_up
import numpy as np
import pandas as pd
import pytest
from made_up import (
    BIT_COST,
    DESCENT,
    EXPONENTS,
    KINKS,
    OBSERVATIONS,
    PRECISION,
    TASK,
    make_study,
    write_times,
)
from scipy import special, stats

from sixteen.analysis.parameters import Summary
from sixteen.analysis.runs import epoch_sd
from sixteen.analysis.summarize import summarize
from sixteen.errors import UserError
from sixteen.tasks.measured.parts.metrics import metrics_of

NETWORKS, SEEDS = ["resnet8", "resnet14"], [0, 1, 2]
CORRECT = {"float32": [160, 150, 170], "float16": [158, 153, 169]}
CLAIMS = [
    {
        "id": "accuracy-maintained",
        "says": "Accuracy stays.",
        "source": "abstract",
        "metric": "accuracy",
        "arms": ["float16", "float32"],
        "only": None,
        "hardware": None,
        "test": "equivalence",
        "margin": 0.01,
    },
    {
        "id": "quantization-bounded",
        "says": "The cast is bounded.",
        "source": "section 4",
        "metric": None,
        "arms": ["float16", "float32"],
        "only": None,
        "hardware": None,
        "test": "bounded",
    },
    {
        "id": "lemma-holds",
        "says": "What is certified agrees.",
        "source": "lemma 3.1",
        "metric": None,
        "arms": ["float16", "float32"],
        "only": None,
        "hardware": None,
        "test": "lemma",
    },
]


def usual(network: str, arm: str, seed: int) -> dict:
    end = {"correct": CORRECT[arm][seed], "seconds": 4.0 + seed}
    return end | ({"seconds": 2.0 + seed, "bytes_per_weight": 2} if arm == "float16" else {})


def tables(
    folder: Path, outcome=usual, networks=NETWORKS, seeds=SEEDS, drop=None, claims=CLAIMS, **changes
):
    parameters, inputs = make_study(folder, outcome, networks, seeds, claims)
    parameters |= changes
    parameters["runs"] = [run for run in parameters["runs"] if drop is None or not drop(run)]
    for pair in parameters["timed"]:
        inputs[pair["timed"]] = folder / pair["timed"]
    into = folder / "into"
    into.mkdir()
    facts = summarize(Summary.model_validate(parameters), inputs, into, folder)
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
            *(
                *run,
                "outcome",
                "test_items",
                "accuracy",
                "loss",
                "calibration_error",
                "margin_mean",
            ),
            *("best_epoch_bias", "start_accuracy", "first_epoch_accuracy", "epoch_sd"),
            *("loss_sd", "certified_share", "agreement", "casting_error", "hessian_gap"),
            *("held_gap", "crossed_kinks", "gradient_error", "gradient_cosine"),
            *("underflowed_gradients", "lost_updates", "update_error", "remainder"),
            *(
                "bit_cost",
                "skipped_steps",
                "train_seconds",
                "seconds_per_epoch",
                "items_per_second",
            ),
            *("compile_seconds", "peak_bytes", "peak_bytes_of", "weight_bytes", "master_bytes"),
            *("gradient_bytes", "optimizer_bytes", "state_bytes", "activation_bytes", "batch"),
            *("training_bytes", "energy_joules", "reach_seconds", "device", "fingerprint"),
        ],
        "summary": ["network", "arm", "metric", *estimate, "missing", "diverged"],
        "differences": ["network", "metric", "kind", "arm", "reference", *estimate],
        "curves": [
            *(*run, "phase", "fingerprint", "epoch", "loss", "train_accuracy", "test_loss"),
            *(
                "test_accuracy",
                "zero_gradients",
                "nonfinite_gradients",
                "loss_scale",
                "skipped_steps",
            ),
            *("forward_bits", "test_loss_at_bits", "test_accuracy_at_bits", "train_seconds"),
        ],
        "quantization": [
            *(*run, "tensor", "elements", "max_abs", "max_error", "mean_error", "relative_error"),
            *("error_norm", "bound_norm", "within_bound", "underflowed", "subnormal"),
        ],
        "per_class": [*run, "class", "n", "correct", "accuracy"],
        "tolerance": [
            *("network", "arm", "kind", "seed", "n", "certified", "certified_agree", "agree"),
            *("violations", "delta_mean", "delta_max", "gamma_mean"),
        ],
        "images": ["network", "arm", "kind", "seed", "image", "delta", "gamma", "agrees"],
        "reach": [*run, "epoch", "seconds", "clock"],
        "times": [
            *("network", "arm", "against", "turn", "compile_seconds", "step_seconds"),
            *("items_per_second", "peak_bytes", "peak_bytes_of", "energy_joules"),
            *("largest_batch", "device"),
        ],
        "harm": [
            *("network", "arm", "reference", "class", *estimate, "p", "p_holm"),
            *("floored", "least_significant", "least_seen"),
        ],
        "effects": ["network", "metric", "effect", "kind", "scale", *estimate, "p", "p_holm"],
        "observations": [*run, "phase", "fingerprint", *OBSERVATIONS.split(",")],
        "descent": [*run, "phase", "fingerprint", *DESCENT.split(",")],
        "exponents": [*run, "phase", "fingerprint", *EXPONENTS.split(",")],
        "kinks": [*run, "phase", "fingerprint", *KINKS.split(",")],
    }


def test_a_run_has_the_numbers_of_its_last_phase(made) -> None:
    _, _, frames = made
    run = frames["runs"].set_index(["network", "arm", "seed"]).loc[("resnet8", "float16", 1)]
    assert run["accuracy"] == 153 / 200
    assert run["best_epoch_bias"] == pytest.approx(0.9 - 153 / 200)
    assert (run["start_accuracy"], run["first_epoch_accuracy"]) == (0.5, 0.6)
    changes = np.diff([0.6, 0.9, 0.7, 153 / 200])[-2:]  # into the second half of four epochs
    assert run["epoch_sd"] == pytest.approx(np.std(changes, ddof=1))
    assert run["train_seconds"] == 12
    assert run["seconds_per_epoch"] == pytest.approx(3.05)  # 3.1, 3.0, 3.1, 3.0
    # weights, gradients and optimizer of 200 bytes, masters of 400; activations of 100 for each of 32
    assert (run["state_bytes"], run["training_bytes"]) == (1000, 1000 + 3200)
    assert run["skipped_steps"] == 2
    assert run["bit_cost"] == BIT_COST * (2 + 4)  # epochs of both phases
    assert run["loss_sd"] == pytest.approx(run["epoch_sd"])  # made up as 1 - accuracy
    assert run["agreement"] == 197 / 200  # 153 against 150 correct
    assert run["certified_share"] == 197 / 200
    assert pd.isna(run["lost_updates"])
    assert pd.isna(run["gradient_cosine"])


def test_the_last_observation_of_all_tensors_is_a_run_s_own(tmp_path: Path) -> None:
    def outcome(network, arm, seed):
        return usual(network, arm, seed) | {"observed": arm == "float16"}

    _, _, frames = tables(tmp_path, outcome, ["resnet8"])
    run = frames["runs"].set_index(["arm", "seed"]).loc[("float16", 0)]
    assert run["gradient_cosine"] == pytest.approx(0.96)  # of epochs 2 to 6 the last
    assert run["lost_updates"] == 6 / 20
    shares = {"casting_error": 0.4, "hessian_gap": 0.25, "gradient_error": 0.05, "remainder": 0.5}
    shares |= {"held_gap": 0.2, "crossed_kinks": 3 / 50, "update_error": 0.3}
    assert {name: run[name] for name in shares} == pytest.approx(shares)
    rows = frames["observations"]
    assert set(zip(rows["arm"], rows["phase"], rows["epoch"], strict=True)) == {
        ("float16", 1, 2),
        ("float16", 1, 6),
    }
    assert len(rows) == 2 * 2 * len(SEEDS)
    assert len(frames["descent"]) == 2 * len(SEEDS)
    assert len(frames["exponents"]) == 0  # which are those of the reference


def test_an_observation_that_overflowed_has_no_number(tmp_path: Path, monkeypatch) -> None:
    """A weight that float16 can't hold makes an infinite error; infinite gradients have no direction."""
    observe = made_up.write_observation

    def overflowed(folder: Path, epochs: tuple[int, ...]) -> Path:
        file = observe(folder, epochs) / "observations.csv"
        text = file.read_text().replace(",0.2,0.5,", ",inf,0.5,")
        file.write_text(text.replace(",0.96,", ",nan,"))
        return folder

    monkeypatch.setattr(made_up, "write_observation", overflowed)

    def outcome(network, arm, seed):
        return usual(network, arm, seed) | {"observed": arm == "float16"}

    runs = tables(tmp_path, outcome, ["resnet8"])[2]["runs"]
    assert runs["casting_error"].isna().all() and runs["gradient_cosine"].isna().all()
    assert runs["gradient_error"].notna().any()


def test_exponents_are_those_of_the_reference_at_its_first_seed(tmp_path: Path) -> None:
    def outcome(network, arm, seed):
        return usual(network, arm, seed) | {"observed": True}

    _, _, frames = tables(tmp_path, outcome)
    rows = frames["exponents"]
    assert set(zip(rows["network"], rows["arm"], rows["seed"], strict=True)) == {
        ("resnet8", "float32", 0),
        ("resnet14", "float32", 0),
    }
    assert list(rows["epoch"]) == [2, 6] * 2


def test_what_nobody_observed_is_a_table_without_rows(made) -> None:
    _, _, frames = made
    for name in ("observations", "descent", "exponents", "kinks", "effects", "times", "reach"):
        assert len(frames[name]) == 0


def test_predictions_are_compared_around_the_cast_and_between_arms(made) -> None:
    _, _, frames = made
    rows = frames["tolerance"].set_index(["network", "arm", "kind", "seed"])
    assert set(rows.index.get_level_values("arm")) == {"float16"}
    cast = rows.loc[("resnet14", "float16", "cast", 1)]
    assert (cast["n"], cast["certified"], cast["agree"]) == (200, 199, 199)
    trained = rows.loc[("resnet14", "float16", "trained", 2)]
    assert (trained["certified_agree"], trained["agree"]) == (199, 199)
    assert (rows["violations"] == 0).all()
    images = frames["images"].groupby(["network", "arm", "kind", "seed"]).size()
    assert dict(images) == {
        (network, "float16", kind, 0): 200 for network in NETWORKS for kind in ("cast", "trained")
    }


def test_predictions_that_are_not_finite_are_not_compared(tmp_path: Path) -> None:
    def outcome(network, arm, seed):
        if (arm, seed) == ("float16", 0):
            return {"correct": 100, "outcome": "diverged", "start": np.full((200, 4), np.inf)}
        return usual(network, arm, seed)

    _, _, frames = tables(tmp_path, outcome, ["resnet8"])
    assert set(frames["tolerance"]["seed"]) == {1, 2}
    assert set(frames["images"]["seed"]) == {1}
    assert frames["runs"].set_index(["arm", "seed"]).loc["float16", "agreement"].isna()[0]


def test_classes_are_compared_over_seeds_that_finished_in_both_arms(tmp_path: Path) -> None:
    def outcome(network, arm, seed):
        diverged = {"outcome": "diverged"} if (arm, seed) == ("float16", 1) else {}
        return usual(network, arm, seed) | diverged

    _, _, frames = tables(tmp_path, outcome, ["resnet8"])
    rows = frames["harm"].set_index("class")
    assert list(rows.index) == [f"class {i}" for i in range(4)]
    assert (rows["n"] == 2).all()
    # Images 158 and 159, of classes 2 and 3, and 169, of class 1, are right in float32 only.
    assert list(rows["mean"] * 50) == pytest.approx([0, -0.5, -0.5, -0.5])


def test_a_factorial_of_two_arms_is_their_difference(tmp_path: Path) -> None:
    parameters, inputs = make_study(tmp_path, usual, ["resnet8"], SEEDS, [])
    parameters["factorial"] = ["float32", "float16"]
    into = tmp_path / "into"
    into.mkdir()
    summarize(Summary.model_validate(parameters), inputs, into, tmp_path)
    rows = pd.read_csv(into / "effects.csv").set_index("metric")
    assert set(rows["effect"]) == {"compute: float32 -> float16"}
    differences = pd.read_csv(into / "differences.csv").set_index("metric")
    assert rows.loc["accuracy", "mean"] == pytest.approx(differences.loc["accuracy", "mean"])
    parameters["precisions"]["float16"] = PRECISION
    with pytest.raises(UserError, match="last phrases have the same settings"):
        summarize(Summary.model_validate(parameters), inputs, into, tmp_path)


def test_means_and_intervals_of_an_arm(made) -> None:
    _, _, frames = made
    rows = frames["summary"].set_index(["network", "arm", "metric"])
    row = rows.loc[("resnet14", "float32", "accuracy")]
    values = np.array(CORRECT["float32"]) / 200
    mean, half = values.mean(), 4.302653 * stats.sem(values)
    ends = special.expit(special.logit(mean) + np.array([-half, half]) / (mean * (1 - mean)))
    assert (row["mean"], row["low"], row["high"]) == pytest.approx((mean, *ends))
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
    assert rows.loc[("resnet8", "weight_bytes")]["mean"] == 0.5


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
    assert [c["id"] for c in claims] == [
        "accuracy-maintained",
        "quantization-bounded",
        "lemma-holds",
    ]
    assert [c["verdict"] for c in claims[1:]] == ["supported"] * 2
    assert facts["verdicts"] == {c["id"]: c["verdict"] for c in claims}
    assert [len(c["per_network"]) for c in claims] == [2, 2, 2]
    assert [c["scale"] for c in claims] == ["toy"] * 3
    assert claims[1]["n"] == len(NETWORKS) * len(SEEDS) * 2
    settings = json.loads((into / "settings.json").read_text())
    assert list(settings["arms"]) == ["float32", "float16"]
    assert settings["reference"] == "float32"
    assert (settings["published"], settings["factorial"]) == (None, None)
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
    summarize(Summary.model_validate(parameters), inputs, into, tmp_path)
    summary = pd.read_csv(into / "summary.csv")
    timed_only = {"step_seconds", "largest_batch"}
    assert set(summary["metric"]) == set(metrics_of(TASK)) - timed_only
    assert len(summary) == len(metrics_of(TASK)) - len(timed_only)
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


TIMED = [{"network": "resnet8", "arms": ["float32", "float16"], "timed": "timing"}]
FASTER = {
    **CLAIMS[0],
    "id": "faster",
    "metric": "step_seconds",
    "test": "ratio_less",
}
del FASTER["margin"]


def test_time_to_equal_accuracy_is_by_the_timing_where_there_is_one(tmp_path: Path) -> None:
    """A phase of epochs 2 (the start) to 6 that reaches 0.8 in epoch 4, and float16 at seed 2 never."""

    def outcome(network, arm, seed):
        high = 0.7 if (arm, seed) == ("float16", 2) else 0.9
        return usual(network, arm, seed) | {
            "accuracies": [0.5, 0.6, high, 0.7, 0.75],
            "correct": 150,
        }

    seconds = {"first": [1.0, 1.2, 1.1], "second": [0.5, 0.55, 0.6]}
    write_times(tmp_path / "timing", seconds, "NVIDIA A100")
    _, _, frames = tables(tmp_path, outcome, timed=TIMED, reach=0.8)
    rows = frames["reach"].set_index(["network", "arm", "seed"])
    timed, own = rows.loc[("resnet8", "float16", 0)], rows.loc[("resnet14", "float16", 0)]
    assert (timed["epoch"], timed["clock"]) == (4, "timed")
    assert timed["seconds"] == pytest.approx(2 * 3 * 0.55)  # epochs, steps, median step
    assert (own["epoch"], own["clock"]) == (4, "training")
    assert own["seconds"] == pytest.approx(2 * 2.05)  # epochs of 2.1, 2.0, 2.1, 2.0
    assert rows.loc[("resnet8", "float16", 2), ["epoch", "seconds"]].isna().all()

    summary = frames["summary"].set_index(["network", "arm", "metric"])
    row = summary.loc[("resnet8", "float16", "reach_seconds")]
    assert (row["n"], row["missing"], row["mean"]) == (2, 1, pytest.approx(3.3))
    ratio = frames["differences"].set_index(["network", "metric"]).loc[("resnet8", "reach_seconds")]
    assert (ratio["n"], ratio["mean"]) == (2, pytest.approx(0.5))


def test_a_run_that_reached_the_accuracy_and_diverged_has_no_time(tmp_path: Path) -> None:
    def outcome(network, arm, seed):
        lost = {"outcome": "diverged"} if (arm, seed) == ("float16", 1) else {}
        return usual(network, arm, seed) | lost

    _, _, frames = tables(tmp_path, outcome, ["resnet8"], reach=0.8)
    assert frames["reach"].groupby("arm")["seed"].apply(list).to_dict() == {
        "float32": SEEDS,
        "float16": [0, 2],
    }
    runs = frames["runs"].set_index(["arm", "seed"])["reach_seconds"]
    assert runs.isna().to_dict() == {key: key == ("float16", 1) for key in runs.index}


def test_a_run_that_starts_above_the_accuracy_needs_no_time(tmp_path: Path) -> None:
    _, _, frames = tables(tmp_path, networks=["resnet8"], reach=0.4)
    assert (frames["reach"]["epoch"] == 2).all()
    assert (frames["reach"]["seconds"] == 0).all()


def test_claims_on_time_are_decided_by_the_timing_alone(tmp_path: Path) -> None:
    """The training runs of float16 take half the time, as timed it takes longer."""
    seconds = {"first": [1.0, 1.1, 1.0], "second": [1.5, 1.7, 1.6]}
    write_times(tmp_path / "timing", seconds, "NVIDIA A100")
    of = [FASTER | {"hardware": "gpu"}, FASTER | {"id": "faster-in-all"}]
    of[0] |= {"only": "resnet8"}
    _, facts, frames = tables(tmp_path, timed=TIMED, claims=of)
    assert facts["verdicts"] == {"faster": "refuted", "faster-in-all": "refuted"}
    assert list(zip(frames["times"]["arm"], frames["times"]["against"], strict=True)) == [
        ("float32", "float16"),
        ("float16", "float32"),
    ] * len(SEEDS)
    assert frames["times"]["energy_joules"].isna().all()


def test_a_claim_is_judged_from_a_pair_in_either_order(tmp_path: Path) -> None:
    seconds = {"first": [1.0, 1.1, 1.0], "second": [1.5, 1.7, 1.6]}
    write_times(tmp_path / "timing", seconds, "NVIDIA A100")
    of = [FASTER, FASTER | {"id": "slower", "arms": ["float32", "float16"]}]
    _, facts, _ = tables(tmp_path, timed=TIMED, claims=of, networks=["resnet8"])
    assert facts["verdicts"] == {"faster": "refuted", "slower": "supported"}


def test_one_timing_tells_of_all_pairs_that_train_alike(tmp_path: Path) -> None:
    claims = [FASTER, FASTER | {"id": "other-faster", "arms": ["other", "float32"]}]
    parameters, inputs = make_study(tmp_path, usual, ["resnet8"], SEEDS, claims)
    halves = [run for run in parameters["runs"] if run["arm"] == "float16"]
    parameters["runs"] += [run | {"arm": "other"} for run in halves]
    parameters["arms"] = parameters["arms"] | {"other": parameters["arms"]["float16"]}
    pairs = [["float32", "float16"], ["float32", "other"]]
    parameters["timed"] = [{**TIMED[0], "arms": pair} for pair in pairs]
    seconds = {"first": [1.0, 1.1, 1.0], "second": [0.5, 0.56, 0.5]}
    inputs["timing"] = write_times(tmp_path / "timing", seconds, "NVIDIA A100")
    (tmp_path / "into").mkdir()
    facts = summarize(Summary.model_validate(parameters), inputs, tmp_path / "into", tmp_path)
    assert facts["verdicts"] == {"faster": "supported", "other-faster": "supported"}


def test_a_study_that_times_nothing_decides_no_claim_on_time(tmp_path: Path) -> None:
    into, facts, frames = tables(tmp_path, claims=[FASTER])
    assert facts["verdicts"] == {"faster": "inconclusive"}
    (judged,) = json.loads((into / "claims.json").read_text())["claims"]
    assert "times nothing" in judged["per_network"][0]["why"]
    assert len(frames["times"]) == 0


def test_variability_is_of_changes_and_needs_three_epochs() -> None:
    assert epoch_sd([0.5, 0.6]) is None
    assert epoch_sd([0.5, 0.6, 0.7, 0.8]) == pytest.approx(0)
    assert epoch_sd([0.5, math.inf, 0.6]) is None
    assert epoch_sd([0.5, 0.7, 0.6]) == pytest.approx(np.std([0.2, -0.1], ddof=1))
