"""A study in which no two numbers agree by chance: means aren't medians, starts aren't ends, shares differ."""

import json
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import CLASSES, HISTORY, LEVELS, TASK, logits_of, make_study, write_csv, write_times
from pydantic import TypeAdapter
from safetensors.numpy import load_file, save_file
from scipy import stats

from sixteen.analysis import summarize as summarizing
from sixteen.analysis import tolerance
from sixteen.analysis.claims import judge
from sixteen.analysis.evidence import Evidence
from sixteen.analysis.parameters import RunOf, Summary
from sixteen.analysis.times import step_seconds
from sixteen.study.claim import Claim
from sixteen.tasks.measured.parts.metrics import metrics_of

SEEDS = [0, 1, 2, 3]
LABELS = np.arange(200) % CLASSES
CORRECT = {"float32": [160, 150, 171, 155], "float16": [158, 153, 150, 141]}
SECONDS = {"float32": [4.0, 5.0, 8.0, 4.5], "float16": [2.0, 3.5, 3.0, 7.0]}
EPOCHS = [
    2.0,
    2.1,
    2.2,
    9.0,
]  # seconds of each: the first ones of a phase compile, say, or a neighbour works
LOSSES = [1.4, 1.1, 0.4, 0.7, 0.2]
LOST = ("float16", 3)
TIMED = [{"network": "resnet8", "arms": ["float32", "float16"], "timed": "timing"}]


def outcome(network: str, arm: str, seed: int) -> dict:
    told = {"correct": CORRECT[arm][seed], "seconds": SECONDS[arm][seed]}
    return told | ({"outcome": "diverged"} if (arm, seed) == LOST else {})


def _known(run: Path, accuracies: list[float]) -> None:
    """Times, losses and starts of a run that differ from each other in every way."""
    rows = [[2 + i, seconds, 100 / seconds, 0.5] for i, seconds in enumerate(EPOCHS, 1)]
    write_csv(run / "timing.csv", "epoch,train_seconds,items_per_second,test_seconds", rows)
    history = [
        [2 + i, *(["", ""] if i == 0 else [3 / i, 0.5]), loss, accuracy, *(["", "", "", ""] if i == 0 else [0, 0, 1, 0])]
        for i, (loss, accuracy) in enumerate(zip(LOSSES, accuracies, strict=True))
    ]  # fmt: skip
    write_csv(run / "history.csv", HISTORY, history)


def _predictions(run: Path, **tensors: np.ndarray) -> None:
    kept = load_file(run / "predictions.safetensors")
    save_file(kept | tensors, run / "predictions.safetensors")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("known")
    parameters, inputs = make_study(folder, outcome, ["resnet8"], SEEDS, [])
    for run in parameters["runs"]:
        place, before = (inputs[role] for role in reversed(run["training"]))
        _known(place, [0.5, 0.6, 0.9, 0.7, CORRECT[run["arm"]][run["seed"]] / 200])
        # The first phase begins far from where it ends.
        _predictions(before, start=logits_of(LABELS, 10))
        # Unsure of some of its classes, and unlike the other arm: agreement isn't certified everywhere.
        share = 0.05 if run["arm"] == "float16" else 3
        end = logits_of(LABELS, CORRECT[run["arm"]][run["seed"]])
        end[: 40 + run["seed"]] *= share
        _predictions(place, logits=end)
    seconds = {"first": [1.0, 1.2, 1.1], "second": [0.5, 0.55, 0.9]}
    inputs["timing"] = write_times(folder / "timing", seconds, "NVIDIA A100")
    into = folder / "into"
    into.mkdir()
    told = Summary.model_validate(parameters | {"timed": TIMED, "reach": 0.9})
    summarizing.summarize(told, inputs, into, folder)
    return {path.stem: pd.read_csv(path) for path in into.glob("*.csv")}


def test_a_diverged_run_is_in_no_mean_of_whatever_it_measured(made) -> None:
    rows = made["summary"].set_index(["arm", "metric"])
    for metric in (
        "train_seconds",
        "start_accuracy",
        "first_epoch_accuracy",
        "epoch_sd",
        "peak_bytes",
    ):
        row = rows.loc[("float16", metric)]
        runs = made["runs"].query("arm == 'float16' and seed != 3")[metric]
        assert (row["n"], row["diverged"], row["missing"]) == (3, 1, 0)
        assert row["mean"] == pytest.approx(runs.mean())
    wanted = stats.ttest_1samp([4 * s for s in SECONDS["float16"][:3]], 0).confidence_interval(0.95)
    row = rows.loc[("float16", "train_seconds")]
    assert (row["low"], row["high"]) == pytest.approx((wanted.low, wanted.high))


def test_a_diverged_run_is_in_no_difference_whatever_it_measured(made) -> None:
    rows = made["differences"].set_index("metric")
    ratio = np.array(SECONDS["float16"][:3]) / np.array(SECONDS["float32"][:3])
    assert rows.loc["train_seconds", "n"] == 3
    assert rows.loc["train_seconds", "mean"] == pytest.approx(stats.gmean(ratio))


def test_pairs_are_of_one_seed_and_not_of_one_rank(made) -> None:
    gaps = (np.array(CORRECT["float16"]) - np.array(CORRECT["float32"]))[:3] / 200
    row = made["differences"].set_index("metric").loc["accuracy"]
    wanted = stats.ttest_1samp(gaps, 0).confidence_interval(0.95)
    assert (row["mean"], row["low"], row["high"]) == pytest.approx(
        (gaps.mean(), wanted.low, wanted.high)
    )


def test_an_epoch_takes_the_median_of_its_epochs(made) -> None:
    assert statistics.median(EPOCHS) != pytest.approx(statistics.mean(EPOCHS))
    assert made["runs"]["seconds_per_epoch"].tolist() == pytest.approx([2.15] * 8)


def test_deviations_of_losses_are_those_of_losses(made) -> None:
    changes = np.diff(LOSSES[1:])[-2:]
    run = made["runs"].iloc[0]
    assert run["loss_sd"] == pytest.approx(np.std(changes, ddof=1))
    assert run["loss_sd"] != pytest.approx(run["epoch_sd"])


def test_what_is_certified_is_told_from_what_agrees(made) -> None:
    rows = made["tolerance"].query("kind == 'trained'").set_index("seed")
    runs = made["runs"].query("arm == 'float16'").set_index("seed")
    for seed in (0, 1, 2):
        same = 200 - abs(CORRECT["float16"][seed] - CORRECT["float32"][seed])
        assert rows.loc[seed, "agree"] == same
        assert runs.loc[seed, "agreement"] == same / 200
        # Where one network is all but undecided, delta is large; elsewhere the two say the same or another class.
        certified = same - 40 - seed
        assert rows.loc[seed, "certified"] == rows.loc[seed, "certified_agree"] == certified
        assert runs.loc[seed, "certified_share"] == certified / 200


def test_a_cast_is_compared_at_the_end_of_what_was_cast_and_the_start_of_what_goes_on(made) -> None:
    rows = made["tolerance"].query("kind == 'cast'")
    assert list(rows["agree"]) == [199] * len(SEEDS)  # 100 correct before, 99 after


@pytest.mark.parametrize("kind", ["cast", "trained"])
def test_the_largest_error_of_a_prediction_is_told_from_the_mean_one(made, kind: str) -> None:
    chosen = [made[name][made[name]["kind"] == kind] for name in ("tolerance", "images")]
    rows, images = (table[table["seed"] == 0] for table in chosen)
    (row,) = rows.to_dict("records")
    assert len(images) == row["n"] == 200
    assert row["delta_max"] == pytest.approx(images["delta"].max())
    assert row["delta_mean"] == pytest.approx(images["delta"].mean())
    assert row["gamma_mean"] == pytest.approx(images["gamma"].mean())
    assert row["delta_mean"] < 0.9 * row["delta_max"]


def test_of_several_casts_the_last_is_compared(tmp_path: Path) -> None:
    right = iter((10, 40, 90, 130, 170, 190))
    inputs = {}
    for phase in ("first", "second", "third"):
        inputs[phase] = tmp_path / phase
        inputs[phase].mkdir()
        start, end = logits_of(LABELS, next(right)), logits_of(LABELS, next(right))
        save_file({"start": start, "logits": end}, inputs[phase] / "predictions.safetensors")
        (inputs[phase] / "outcome.json").write_text('{"outcome": "finished"}')
    run = RunOf(network="a", arm="b", seed=0, evaluated="e", training=list(inputs), quantized="q", observed=[None])  # fmt: skip
    text = (
        "trained-in-float32-by-sgd-until-1/quantized-to-float16/continued-in-float16-by-sgd-until-2"
    )
    text += "/quantized-to-bfloat16/continued-in-bfloat16-by-sgd-until-3"
    (row,), _ = tolerance.compare_runs([run], inputs, {"b": text}, set())
    assert (
        row["agree"] == 160
    )  # 130 right at the end of the second phase, 170 at the start of the third


def test_an_accuracy_is_reached_by_what_equals_it_in_steps_as_timed(made) -> None:
    rows = made["reach"].set_index(["arm", "seed"])
    finished = rows.loc[[key for key in rows.index if key != LOST]]
    assert (finished["epoch"] == 4).all()  # 0.9 exactly
    steps = {"float32": 1.1, "float16": 0.55}  # medians, not means
    for (arm, _), row in finished.iterrows():
        assert row["seconds"] == pytest.approx(2 * 3 * steps[arm])


def test_the_time_of_a_step_is_the_median_of_all_turns() -> None:
    rows = [{"network": "a", "arm": "b", "step_seconds": value} for value in (1.0, 2.0, None, 9.0)]
    assert step_seconds(rows) == {("a", "b"): 2.0}


def test_a_run_without_timing_tells_its_time_by_its_median_epoch(tmp_path: Path) -> None:
    parameters, inputs = make_study(tmp_path, outcome, ["resnet8"], [0], [])
    for run in parameters["runs"]:
        _known(inputs[run["training"][-1]], [0.5, 0.6, 0.9, 0.7, CORRECT[run["arm"]][0] / 200])
    (tmp_path / "into").mkdir()
    summarizing.summarize(
        Summary.model_validate(parameters | {"reach": 0.85}), inputs, tmp_path / "into", tmp_path
    )
    rows = pd.read_csv(tmp_path / "into/reach.csv")
    assert rows["seconds"].tolist() == pytest.approx([2 * 2.15] * 2)


def test_underflow_is_a_share_of_the_values_and_loss_one_of_the_updates(tmp_path: Path) -> None:
    def observed(network: str, arm: str, seed: int) -> dict:
        return outcome(network, arm, seed) | {"observed": True}

    parameters, inputs = make_study(tmp_path, observed, ["resnet8"], [0], [])
    for run in parameters["runs"]:
        place = inputs[run["observed"][-1]] / "observations.csv"
        rows = pd.read_csv(place)
        rows = rows.assign(elements=20, updates=16, underflowed_gradients=3, lost_updates=4)
        rows.to_csv(place, index=False)
    (tmp_path / "into").mkdir()
    summarizing.summarize(Summary.model_validate(parameters), inputs, tmp_path / "into", tmp_path)
    runs = pd.read_csv(tmp_path / "into/runs.csv")
    assert list(runs["underflowed_gradients"]) == [3 / 20] * 2
    assert list(runs["lost_updates"]) == [4 / 16] * 2


def test_a_violation_of_the_lemma_would_be_counted_and_refute_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No predictions can violate a theorem; arithmetic of ours that goes wrong could."""
    wrong = tolerance.Tolerance(
        delta=np.array([0.1, 0.2, 0.01]), gamma=np.array([0.9, 0.3, 0.5]), agree=np.array([False, False, True])
    )  # fmt: skip
    monkeypatch.setattr(tolerance, "tolerance", lambda *_: wrong)
    lemma = {"id": "lemma", "says": "It holds.", "source": "lemma", "metric": None, "test": "lemma"}
    lemma |= {"arms": ["float16", "float32"], "only": None, "hardware": None}
    parameters, inputs = make_study(tmp_path, outcome, ["resnet8"], [0], [lemma])
    (tmp_path / "into").mkdir()
    told = Summary.model_validate(parameters)
    facts = summarizing.summarize(told, inputs, tmp_path / "into", tmp_path)
    assert facts["verdicts"] == {"lemma": "refuted"}
    rows = pd.read_csv(tmp_path / "into/tolerance.csv")
    assert list(rows["violations"]) == [1] * len(rows)
    assert list(rows["certified"]) == [2] * len(rows)
    (judged,) = json.loads((tmp_path / "into/claims.json").read_text())["claims"]
    assert judged["estimate"] == pytest.approx(200 / 3)


def _claim(test: str, **fields) -> Claim:
    head = {"id": "a-claim", "says": "It is so.", "source": "section 5", "only": None}
    head |= {"arms": ["float16", "float32"], "hardware": None, "metric": None}
    return TypeAdapter(Claim).validate_python({**head, "test": test, **fields})


def _evidence(networks: list[str], effects: list[float]) -> Evidence:
    """Seeds in which the accuracy of float16 is above that of float32 by these numbers."""
    metrics = metrics_of(TASK)
    rows = [
        {"network": network, "arm": arm, "seed": seed, "outcome": "finished", "test_items": 10_000}
        | {"device": "cpu: a", "accuracy": 0.8 + seed / 50 + (effect if arm == "float16" else 0)}
        for network in networks
        for seed, effect in enumerate(effects)
        for arm in ("float32", "float16")
    ]
    return Evidence(rows, [], [], [], dict.fromkeys(networks, 8), LEVELS, metrics, "image")


def test_the_bound_is_told_by_its_worst_tensor() -> None:
    casts = [
        {
            "network": "resnet8",
            "arm": "float16",
            "seed": "0",
            "tensor": name,
            "within_bound": "True",
        }
        | {"error_norm": str(error), "bound_norm": str(bound)}
        for name, error, bound in (("a", 0.2, 1.0), ("b", 0.9, 1.5), ("c", 0.3, 2.0))
    ]
    given = replace(_evidence(["resnet8"], [0.0, 0.1]), quantization=casts)
    assert judge(_claim("bounded"), given)["estimate"] == pytest.approx(0.6)


def test_a_lemma_is_decided_network_by_network() -> None:
    head = {"arm": "float16", "kind": "trained", "seed": 0, "n": 200, "agree": 195}
    compared = [
        {**head, "network": "resnet8", "certified": 190, "violations": 0},
        {**head, "network": "resnet14", "certified": 50, "violations": 2},
    ]
    given = replace(_evidence(["resnet8", "resnet14"], [0.0, 0.1]), tolerance=compared)
    judged = judge(_claim("lemma"), given)
    told = [(part["verdict"], part["estimate"], part["n"]) for part in judged["per_network"]]
    assert told == [("supported", 95, 200), ("refuted", 25, 200)]
    assert (judged["verdict"], judged["n"]) == ("refuted", 400)


def test_divergence_at_one_of_two_networks_refutes_at_half_the_level() -> None:
    """In five seeds of five the sign test says 1/32: enough for one network, not for one of two."""
    given = _evidence(["resnet8", "resnet14"], [0.01, 0.02, 0.015, 0.012, 0.018])
    for run in given.runs:
        if (run["network"], run["arm"]) == ("resnet8", "float16"):
            run.update(outcome="diverged", accuracy=None)
    both = judge(_claim("greater", metric="accuracy"), given)
    assert [part["verdict"] for part in both["per_network"]] == ["refuted", "supported"]
    assert both["verdict"] == "inconclusive"


@pytest.mark.parametrize(
    ("effects", "sign"), [([0.03, 0.01, 0.014], ""), ([-0.03, -0.01, -0.014], "-")]
)
def test_a_verdict_says_which_arm_is_subtracted_from_which(effects: list[float], sign: str) -> None:
    judged = judge(_claim("greater", metric="accuracy"), _evidence(["resnet8"], effects))
    assert f"of float16 minus that of float32 is {sign}1.8 percentage points" in judged["why"]
    assert judged["estimate"] == pytest.approx(float(f"{sign}1.8"))
