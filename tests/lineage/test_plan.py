"""The plan: exactly the runs that read a changed value get another path."""

import json
from pathlib import Path

import pytest
from small_plan import PAPER, PARAMETERS, planned

from sixteen.errors import UserError
from sixteen.lineage import steps


def steps_changed(project, parameters, change):
    before = planned(parameters, project).runs
    change(parameters)
    return {
        run.step for path, run in planned(parameters, project).runs.items() if path not in before
    }


def test_the_same_parameters_give_the_same_plan(project, parameters):
    assert list(planned(parameters, project).runs) == list(planned(parameters, project).runs)


def test_parents_come_before_children_and_are_planned(project, parameters):
    seen = set()
    for path, run in planned(parameters, project).runs.items():
        assert set(run.parents.values()) <= seen
        seen.add(path)


def test_arms_share_what_they_have_in_common(project, parameters):
    steps = [run.step for run in planned(parameters, project).runs.values()]
    assert steps.count("train") == 2 and steps.count("continue_training") == 4


BFLOAT16 = PARAMETERS["precisions"]["float16"] | {"compute": "bfloat16", "loss": "bfloat16"}
ALL = {"train", "continue_training", "quantize", "evaluate", "summarize", "report"}


@pytest.mark.parametrize(
    ("keys", "value", "steps"),
    [
        (["datasets", "digits", "normalisation"], "unit", {"prepare", *ALL}),
        (["recipes", "sgd", "momentum"], 0.8, ALL),
        (["networks", "resnet8", "width"], 8, ALL),
        (["precisions", "float16", "loss"], "float32", ALL - {"train", "quantize"}),
        (["precisions", "float16"], BFLOAT16, ALL - {"train"}),
        (["statistics", "alpha"], 0.01, {"summarize", "report"}),
        (["studies", "small", "title"], "Another", {"summarize", "report"}),
        (["checkpoint_epochs"], 1, set()),
        (["studies", "small", "scale"], "paper", {"summarize", "report"}),
        (["schedules", "constant", "warmup"], 1, ALL),
        (["threads"], 2, ALL),
        (["checkpoint_steps"], 1, set()),
    ],
)
def test_a_changed_value_moves_exactly_the_steps_that_read_it(
    project, parameters, keys, value, steps
):
    def change(all_of_them):
        entry = all_of_them
        for key in keys[:-1]:
            entry = entry[key]
        entry[keys[-1]] = value

    assert steps_changed(project, parameters, change) == steps


def test_a_training_knows_the_code_of_its_network_its_task_and_its_dataset(project, parameters):
    """So that an edit of one of them makes it stale."""
    for run in planned(parameters, project).runs.values():
        if run.step in ("train", "continue_training"):
            assert {"sixteen.networks.resnet", "sixteen.tasks.classify_images"} <= set(run.code)
            assert "sixteen.networks.vit" not in run.code
        if run.step == "prepare":
            assert "sixteen.datasets.digits" in run.code


def test_another_seed_adds_runs_and_leaves_the_old_ones(project, parameters):
    before = set(planned(parameters, project).runs)
    parameters["studies"]["small"]["seeds"].append(2)
    after = planned(parameters, project).runs
    gone = {path.split("/")[2] for path in before - set(after)}
    assert gone == {"summarized"}


def test_another_notebook_changes_the_report_alone(project, parameters):
    def change(_):
        cell = {"cell_type": "markdown", "metadata": {}, "source": "More."}
        (project / "notebooks/empty.ipynb").write_text(json.dumps({"cells": [cell]}))

    assert steps_changed(project, parameters, change) == {"report"}


def test_a_module_that_a_notebook_imports_is_code_of_its_report(project, parameters):
    cell = {
        "cell_type": "code",
        "metadata": {},
        "source": ["from sixteen.reporting.figures import cost\n"],
    }
    (project / "notebooks/empty.ipynb").write_text(json.dumps({"cells": [cell]}))
    report = next(r for r in planned(parameters, project).runs.values() if r.step == "report")
    assert "sixteen.reporting.figures.cost" in report.code
    assert "sixteen.reporting.figures.curves" not in report.code


def test_a_study_may_give_a_network_a_recipe_of_its_own(project, parameters):
    parameters["recipes"]["plain"] = parameters["recipes"]["sgd"] | {"momentum": 0}
    before = set(planned(parameters, project).runs)
    parameters["studies"]["small"]["recipes"] = {"resnet8": {"sgd": "plain"}}
    added = [run for path, run in planned(parameters, project).runs.items() if path not in before]
    momenta = {run.parameters["recipe"]["momentum"] for run in added if "recipe" in run.parameters}
    assert momenta == {0} and all("-by-sgd-" not in run.path for run in added)


def test_where_an_archive_comes_from_is_no_part_of_a_fingerprint(project, parameters):
    entry = {"kind": "cifar10", "url": "https://here/a.tar.gz", "bytes": 1, "sha256": "0" * 64}
    parameters["datasets"]["digits"] = {**entry, "normalisation": "unit"}
    before = set(planned(parameters, project).runs)
    parameters["datasets"]["digits"]["url"] = "https://elsewhere/b.tar.gz"
    assert set(planned(parameters, project).runs) == before


def test_a_frozen_run_is_read_back(project, parameters):
    planned(parameters).freeze()
    run = next(iter(planned(parameters).runs.values()))
    assert steps.load_run(Path(steps.PLANS, f"{run.fingerprint}.json")) == run


def test_a_corrected_path_of_a_dataset_reaches_the_frozen_plan(project, parameters):
    """It is no part of the fingerprint: the run is the same, where its bytes come from isn't."""
    entry = {"kind": "image-folder", "sha256": "0" * 64, "height": 8, "width": 8, "colour": "grey"}
    for path in ("/wrong", "/right"):
        parameters["datasets"]["digits"] = {**entry, "normalisation": "unit", "path": path}
        frozen = planned(parameters)
        frozen.freeze()
    run = next(iter(frozen.runs.values()))
    file = Path(steps.PLANS, f"{run.fingerprint}.json")
    assert steps.load_run(file).sources == {"archive": "/right"}


OBSERVE = {"every": 2, "cast_to": "float16", "phases": "last"}
FETCHED = {"url": "https://here/vocab.txt", "bytes": 1, "sha256": "0" * 64}
ENCODER = {"family": "encoder", "blocks": 1, "dimension": 8, "heads": 2, "mlp": 8, "dropout": 0.1}


def with_pairs(parameters):
    """The small project on XNLI, with an encoder that begins from published weights."""
    archives = {
        "train": FETCHED | {"url": "https://here/train.zip"},
        "evaluation": FETCHED | {"url": "https://here/test.zip"},
        "vocabulary": FETCHED,
    }
    told = {"kind": "xnli", "language": "de", "words": 9, "length": 8}
    parameters["datasets"]["digits"] = told | archives
    weights = {"file": "bert.safetensors", "sha256": "1" * 64}
    parameters["networks"]["resnet8"] = ENCODER | {"weights": weights}
    return parameters


def test_each_archive_of_a_dataset_is_fetched_and_where_from_is_no_part_of_a_fingerprint(
    project, parameters
):
    before = planned(with_pairs(parameters), project).runs
    prepare = next(run for run in before.values() if run.step == "prepare")
    assert prepare.sources == {
        "train": "data/fetched/digits/train.zip",
        "evaluation": "data/fetched/digits/test.zip",
        "vocabulary": "data/fetched/digits/vocab.txt",
    }
    told = prepare.parameters["dataset"]
    assert (
        told["vocabulary"] == {"sha256": "0" * 64} and "url" in prepare.settings["dataset"]["train"]
    )
    parameters["datasets"]["digits"]["train"]["url"] = "https://elsewhere/train.zip"
    assert set(planned(parameters, project).runs) == set(before)
    parameters["datasets"]["digits"]["train"]["sha256"] = "2" * 64
    assert prepare.path not in planned(parameters, project).runs


def test_published_weights_are_read_where_a_sentence_begins_and_their_digest_decides_its_runs(
    project, parameters
):
    with_pairs(parameters)["studies"]["small"]["observe"] = OBSERVE | {"phases": "all"}
    runs = planned(parameters, project).runs
    for run in runs.values():
        begins = run.step == "train" or (run.step == "observe" and "start" not in run.parents)
        read = run.sources.get("weights")
        assert read == ("data/weights/bert.safetensors" if begins else None), run.path
    changed = {
        "train",
        "continue_training",
        "observe",
        "evaluate",
        "quantize",
        "summarize",
        "report",
    }

    def change(all_of_them):
        all_of_them["networks"]["resnet8"]["weights"]["sha256"] = None

    assert steps_changed(project, parameters, change) == changed


@pytest.mark.parametrize("text", [None, "", "[]", "{}"])
def test_a_frozen_run_that_somebody_changed_is_refused(project, parameters, text):
    planned(parameters).freeze()
    file = next(f for f in Path(steps.PLANS).glob("*.json") if '"learning_rate"' in f.read_text())
    told = json.loads(file.read_text())
    if "recipe" in told["parameters"]:
        told["parameters"]["recipe"]["learning_rate"] = 0.5
    else:
        told["parameters"]["more"] = 1
    file.write_text(json.dumps(told) if text is None else text)
    with pytest.raises(UserError, match="as it was written, came another: start snakemake anew"):
        steps.load_run(file)


def test_a_plan_that_is_gone_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="frozen plan"):
        steps.load_run(tmp_path / "gone.json")


def test_observing_a_study_adds_runs_and_makes_no_training_stale(project, parameters):
    """What a run is observed for belongs to the study: its weights are the same."""
    before = set(planned(parameters, project).runs)
    parameters["studies"]["small"]["observe"] = OBSERVE
    after = planned(parameters, project).runs
    assert {run.step for path, run in after.items() if path not in before} == {
        "observe",
        "summarize",
        "report",
    }
    assert {path.split("/")[2] for path in before - set(after)} == {"summarized"}


def test_a_training_knows_of_the_observations_that_any_study_plans_of_it(project, parameters):
    studies = parameters["studies"]
    studies["watching"] = studies["small"] | {"observe": OBSERVE | {"phases": "all"}}
    plan = planned(parameters, project)
    for run in plan.study("small"):
        if run.step in ("train", "continue_training"):
            [watched] = run.settings["watched"]
            [observation] = [
                r for r in plan.runs.values() if r.fingerprint == watched["fingerprint"]
            ]
            assert observation.parents["run"] == run.path and watched["watch"]["every"] == 2
    assert not any(run.step == "observe" for run in plan.study("small"))


def test_only_the_last_phase_is_observed_if_the_study_says_so(project, parameters):
    parameters["studies"]["small"]["observe"] = OBSERVE
    observed = [r for r in planned(parameters, project).runs.values() if r.step == "observe"]
    assert len(observed) == 4 and all("continued" in run.parents["run"] for run in observed)


@pytest.mark.parametrize(
    "add",
    [
        lambda p: p["studies"].update(another=p["studies"]["small"] | {"seeds": [7]}),
        lambda p: p["networks"].update(wide={"family": "resnet", "depth": 8, "width": 99}),
        lambda p: p["recipes"].update(fast=p["recipes"]["sgd"] | {"learning_rate": 0.5}),
        lambda p: p["precisions"].update(other=BFLOAT16),
        lambda p: p["schedules"].update(other={"kind": "constant", "warmup": 3, "restarts": True}),
    ],
)
def test_what_is_added_makes_nothing_stale(project, parameters, add):
    before = set(planned(parameters, project).runs)
    add(parameters)
    assert before <= set(planned(parameters, project).runs)


def test_a_value_added_to_an_axis_leaves_the_runs_of_the_others(project, parameters):
    study = parameters["studies"]["small"]
    study["arms"] = {"{rate}": "trained-in-float32-by-sgd-with-learning_rate-{rate}-until-2"}
    study["axes"] = {"rate": [0.1, 0.2]}
    before = set(planned(parameters, project).runs)
    study["axes"]["rate"].append(0.3)
    after = planned(parameters, project).runs
    assert {after_step(path) for path in before - set(after)} == {"summarized"}
    assert (
        sum("learning_rate-0.3" in path for path in after) == 4
    )  # two seeds, trained and evaluated


def after_step(path):
    return path.split("/")[2]


def test_an_axis_that_passes_the_entrys_own_value_shares_that_run(project, parameters):
    study = parameters["studies"]["small"]
    study["arms"] = {
        "plain": "trained-in-float32-by-sgd-until-2",
        "rate-{rate}": "trained-in-float32-by-sgd-with-learning_rate-{rate}-until-2",
    }
    study["axes"] = {"rate": [0.01, 0.02]}
    runs = [run for run in planned(parameters, project).runs.values() if run.step == "train"]
    assert len(runs) == 4
    assert {run.parameters["recipe"]["learning_rate"] for run in runs} == {0.01, 0.02}


def test_claims_on_time_plan_a_timing_of_their_pair_alone(project, parameters):
    claim = {"id": "faster", "says": "…", "source": "…", "metric": "step_seconds", "only": None}
    claim |= {"arms": ["float16", "float32"], "test": "ratio_less", "hardware": "gpu"}
    same = claim | {"id": "equal", "metric": "accuracy", "test": "greater"}
    paper = PAPER | {"claims": {"few": [claim, same]}}
    assert not [r for r in planned(parameters, project, paper).runs.values() if r.step == "time"]
    parameters["studies"]["small"]["time"] = {"turns": 3, "steps": 5}
    [timing] = [r for r in planned(parameters, project, paper).runs.values() if r.step == "time"]
    assert timing.path.startswith(
        "results/digits/resnet8/timed-in-float16-by-sgd/against-float32-by-sgd/"
    )
    assert [a["precision"]["compute"] for a in timing.parameters["arms"]] == ["float16", "float32"]


def timings(parameters, project, *pairs):
    """Paths of the timings, and which arms the summary is told that they tell of."""
    head = {"says": "…", "source": "…", "metric": "step_seconds", "only": None, "hardware": None}
    claims = [
        head | {"id": f"faster-{n}", "arms": list(pair), "test": "ratio_less"}
        for n, pair in enumerate(pairs)
    ]
    parameters["studies"]["small"]["time"] = {"turns": 3, "steps": 5}
    plan = planned(parameters, project, PAPER | {"claims": {"few": claims}})
    told = next(run for run in plan.runs.values() if run.step == "summarize")
    assert {row["timed"] for row in told.parameters["timed"]} <= set(told.parents)
    timed = [tuple(row["arms"]) for row in told.parameters["timed"]]
    return [path for path, run in plan.runs.items() if run.step == "time"], timed


def test_a_pair_is_timed_once_in_whatever_order_claims_name_it(project, parameters):
    pairs = [("float16", "float32"), ("float32", "float16")]
    paths, timed = timings(parameters, project, *pairs)
    assert (len(paths), len(timed)) == (1, 1)
    assert timings(parameters, project, pairs[1])[0] == paths


def test_pairs_that_train_alike_are_one_timing_by_whatever_names(project, parameters):
    arms = parameters["studies"]["small"]["arms"]
    arms["scratch"] = "trained-in-float16-by-sgd-until-4"
    paths, timed = timings(parameters, project, ("float16", "float32"), ("float32", "scratch"))
    assert timed == [("float16", "float32"), ("scratch", "float32")]
    assert len(paths) == 1
    arms["renamed"] = arms.pop("scratch")
    assert timings(parameters, project, ("renamed", "float32"))[0] == paths


def test_a_phase_trains_until_the_epoch_that_its_phrase_says(project, parameters):
    runs = planned(parameters, project).runs.values()
    told = {(run.step, run.parameters["until"]) for run in runs if "until" in run.parameters}
    assert told == {("train", 2), ("continue_training", 4)}


@pytest.fixture
def elsewhere(parameters):
    """A study whose second phases train by JAX with two threads."""
    parameters["machines"] = {"jax-2": {"backend": "jax", "threads": 2, "devices": 1}}
    arms = parameters["studies"]["small"]["arms"]
    parameters["studies"]["small"]["arms"] = {n: f"{text}-on-jax-2" for n, text in arms.items()}
    return parameters


def test_a_phase_trains_on_the_machine_of_its_phrase(project, elsewhere):
    runs = planned(elsewhere, project).runs.values()
    told = {
        run.step: (run.parameters["backend"], run.parameters["threads"], run.threads, run.backends)
        for run in runs
        if run.step in steps.TRAINING
    }
    assert told["train"] == ("tensorflow", 1, 1, {"tensorflow"})
    assert told["continue_training"] == ("jax", 2, 2, {"jax"})
    assert all("until-4-on-jax-2/" in run.path for run in runs if run.step == "continue_training")
    [summary] = [run for run in runs if run.step == "summarize"]
    assert summary.parameters["machines"] == elsewhere["machines"]
    assert {run.threads for run in runs if run.step not in steps.TRAINING} == {1}


def test_what_trains_on_a_machine_of_its_own_moves_with_it_alone(project, elsewhere):
    def more(all_of_them):
        all_of_them["machines"]["jax-2"]["threads"] = 3

    assert steps_changed(project, elsewhere, more) == ALL - {"train", "quantize"}


def test_devices_are_read_by_what_trains_and_are_those_that_a_job_takes(project, elsewhere):
    def more(all_of_them):
        all_of_them["machines"]["jax-2"]["devices"] = 2

    assert steps_changed(project, elsewhere, more) == ALL - {"train", "quantize"}
    for run in planned(elsewhere, project).runs.values():
        assert run.devices == (2 if run.step == "continue_training" else 1)
