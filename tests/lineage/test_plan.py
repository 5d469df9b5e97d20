"""The plan: exactly the runs that read a changed value get another path."""

import json
from pathlib import Path

import pytest

from sixteen.errors import UserError
from sixteen.lineage import plan
from sixteen.lineage.plan import Plan


def steps_changed(project, parameters, change):
    before = Plan(parameters, project).runs
    change(parameters)
    return {run.step for path, run in Plan(parameters, project).runs.items() if path not in before}


def test_the_same_parameters_give_the_same_plan(project, parameters):
    assert list(Plan(parameters, project).runs) == list(Plan(parameters, project).runs)


def test_parents_come_before_children_and_are_planned(project, parameters):
    seen = set()
    for path, run in Plan(parameters, project).runs.items():
        assert set(run.parents.values()) <= seen
        seen.add(path)


def test_arms_share_what_they_have_in_common(project, parameters):
    steps = [run.step for run in Plan(parameters, project).runs.values()]
    assert steps.count("train") == 2 and steps.count("continue_training") == 4


ALL = {"train", "continue_training", "quantize", "evaluate", "summarize", "report"}


@pytest.mark.parametrize(
    ("keys", "value", "steps"),
    [
        (["datasets", "digits", "normalisation"], "unit", {"prepare", *ALL}),
        (["recipes", "sgd", "momentum"], 0.8, ALL),
        (["networks", "resnet8", "width"], 8, ALL),
        (["precisions", "float16", "loss"], "float32", ALL - {"train", "quantize"}),
        (["precisions", "float16", "compute"], "bfloat16", ALL - {"train"}),
        (["statistics", "alpha"], 0.01, {"summarize", "report"}),
        (["studies", "small", "title"], "Another", {"summarize", "report"}),
        (["checkpoint_epochs"], 1, set()),
        (["threads"], 2, ALL),
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


def test_another_seed_adds_runs_and_leaves_the_old_ones(project, parameters):
    before = set(Plan(parameters, project).runs)
    parameters["studies"]["small"]["seeds"].append(2)
    after = Plan(parameters, project).runs
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
    report = next(r for r in Plan(parameters, project).runs.values() if r.step == "report")
    assert "sixteen.reporting.figures.cost" in report.code
    assert "sixteen.reporting.figures.curves" not in report.code


def test_a_study_may_give_a_network_a_recipe_of_its_own(project, parameters):
    parameters["recipes"]["plain"] = parameters["recipes"]["sgd"] | {"momentum": 0}
    before = set(Plan(parameters, project).runs)
    parameters["studies"]["small"]["recipes"] = {"resnet8": {"sgd": "plain"}}
    added = [run for path, run in Plan(parameters, project).runs.items() if path not in before]
    momenta = {run.parameters["recipe"]["momentum"] for run in added if "recipe" in run.parameters}
    assert momenta == {0} and all("-by-sgd" not in run.path for run in added)


def test_where_an_archive_comes_from_is_no_part_of_a_fingerprint(project, parameters):
    entry = {"kind": "cifar10", "url": "https://here/a.tar.gz", "bytes": 1, "sha256": "0" * 64}
    parameters["datasets"]["digits"] = {**entry, "normalisation": "unit"}
    before = set(Plan(parameters, project).runs)
    parameters["datasets"]["digits"]["url"] = "https://elsewhere/b.tar.gz"
    assert set(Plan(parameters, project).runs) == before


def test_a_frozen_run_is_read_back(project, parameters):
    Plan(parameters).freeze()
    run = next(iter(Plan(parameters).runs.values()))
    assert plan.load_run(Path(plan.PLANS, f"{run.fingerprint}.json")) == run


def test_a_corrected_path_of_a_dataset_reaches_the_frozen_plan(project, parameters):
    """It is no part of the fingerprint: the run is the same, where its bytes come from isn't."""
    entry = {"kind": "image-folder", "sha256": "0" * 64, "height": 8, "width": 8, "colour": "grey"}
    for path in ("/wrong", "/right"):
        parameters["datasets"]["digits"] = {**entry, "normalisation": "unit", "path": path}
        frozen = Plan(parameters)
        frozen.freeze()
    run = next(iter(frozen.runs.values()))
    file = Path(plan.PLANS, f"{run.fingerprint}.json")
    assert plan.load_run(file).sources == {"archive": "/right"}


def test_a_plan_that_is_gone_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="frozen plan"):
        plan.load_run(tmp_path / "gone.json")
