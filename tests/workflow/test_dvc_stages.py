"""dvc.yaml says by hand what is kept; the plan says what there is. They must agree."""

from pathlib import Path

import yaml

from sixteen.lineage.plan import Plan
from sixteen.lineage.questions import manifests, page_of
from sixteen.lineage.steps import STEPS
from sixteen.study.load import load
from sixteen.study.parameters import Parameters

ROOT = Path(__file__).parents[2]
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())
STAGES = DVC["stages"]
PARAMETERS = load(ROOT)
INDEX = "reports/index.html"
PLAN = Plan(PARAMETERS, ROOT)
JOINED = manifests(page_of(PLAN), PARAMETERS.targets["demos"], Path("reports"))


def kept(stage):
    return {path for out in STAGES[stage]["outs"] for path in out}


def test_every_run_of_the_targets_is_kept_by_one_stage():
    for study in PARAMETERS.targets["all"]:
        for path in [*(run.path for run in PLAN.study(study)), PLAN.manifest(study)]:
            keepers = [s for s in STAGES for out in kept(s) if path.startswith(f"{out}/")]
            assert len(keepers) == 1, path


def test_stages_keep_nothing_that_no_target_makes():
    made = [*JOINED, *(run.path for s in PARAMETERS.targets["all"] for run in PLAN.study(s))]
    made += [PLAN.manifest(study) for study in PARAMETERS.targets["all"]]
    made += [source for run in PLAN.runs.values() for source in run.sources.values()]
    for stage in STAGES:
        for out in kept(stage):
            assert out == INDEX or any(path.startswith(f"{out}/") for path in made), out


def test_the_list_of_reports_is_kept_by_one_stage():
    """Studies of both are listed there: `paper` changes what `demos` keeps, and the next `dvc repro` keeps that."""
    assert [stage for stage in STAGES if INDEX in kept(stage)] == ["demos"]


def test_the_page_of_open_questions_is_kept_by_the_stage_whose_studies_it_joins():
    (manifest,) = JOINED
    keepers = [s for s in STAGES for out in kept(s) if manifest.startswith(f"{out}/")]
    assert keepers == ["demos"]


def test_outs_are_never_deleted_by_dvc():
    for stage in STAGES.values():
        assert all(flags["persist"] for out in stage["outs"] for flags in out.values())


def test_papers_decide_runs_too():
    assert all("papers" in stage["deps"] for stage in STAGES.values())


def test_every_section_that_decides_a_run_is_a_parameter_of_each_stage():
    for stage in STAGES.values():
        assert set(stage["params"]) == set(Parameters.model_fields) - {
            "checkpoint_epochs",
            "checkpoint_steps",
            "papers",
        }


def test_metrics_and_curves_of_every_study_are_compared():
    published = [Path(PLAN.manifest(study)).parent for study in PARAMETERS.targets["all"]]
    assert DVC["metrics"] == [f"{folder}/metrics.json" for folder in published]
    assert [path for plot in DVC["plots"] for path in plot] == [
        f"{folder}/curves.csv" for folder in published
    ]
    assert {"metrics.json", "curves.csv"} <= set(STEPS["report"][1])
