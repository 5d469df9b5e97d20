"""A sweep in which everything diverges stops, and says so; any other goes on."""

import json
from pathlib import Path

import pytest
from small_plan import cheap, planned

from sixteen.errors import UserError
from sixteen.lineage import job


@pytest.fixture
def plan(project, parameters):
    """A study of 90 trainings, of which 6 are made."""
    parameters["studies"]["small"]["seeds"] = list(range(30))
    return frozen(parameters)


DIVERGED = {"outcome": "diverged", "epoch": 1, "step": 2, "hint": "the loss overflowed"}


def frozen(parameters):
    plan = planned(parameters)
    plan.freeze()
    for run in plan.runs.values():
        if "train" in run.step and Path(run.record).exists():
            Path(run.path, "outcome.json").write_text(json.dumps(DIVERGED))
    return plan


def finish(plan, count, outcome=DIVERGED):
    trainings = [run for run in plan.runs.values() if "train" in run.step]
    for run in trainings[:count]:
        Path(run.path).mkdir(parents=True, exist_ok=True)
        Path(run.record).write_text("{}")
        Path(run.path, "outcome.json").write_text(json.dumps(outcome))
    return trainings


def next_of(trainings):
    return next(r for r in trainings if r.step == "train" and not Path(r.record).exists())


def test_where_all_diverge_no_other_is_begun(plan):
    run = next_of(finish(plan, 23))
    with pytest.raises(UserError, match="25 of the 90 trainings of small are finished and every"):
        job.execute(run, cheap(run))
    assert not Path(run.record).exists()


def test_a_few_say_nothing(plan):
    run = next_of(finish(plan, 18))
    job.execute(run, cheap(run))
    assert Path(run.record).exists()


def test_one_that_trains_keeps_the_others_going(plan):
    trainings = finish(plan, 40)
    Path(trainings[33].path, "outcome.json").write_text('{"outcome": "finished"}')
    run = next_of(trainings)
    job.execute(run, cheap(run))
    assert Path(run.record).exists()


def test_a_run_of_another_study_too_goes_on_where_that_has_hope(project, parameters):
    parameters["studies"]["small"]["seeds"] = list(range(30))
    parameters["studies"]["large"] = parameters["studies"]["small"] | {"seeds": list(range(200))}
    plan = frozen(parameters)
    run = next_of(finish(plan, 23))
    job.execute(run, cheap(run))
    assert Path(run.record).exists()


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"outcome": "diverged"}', "[" * 100_000 + "]" * 100_000]
)
def test_a_damaged_outcome_says_nothing_of_the_others(plan, content):
    trainings = finish(plan, 40)
    Path(trainings[33].path, "outcome.json").write_text(content)
    run = next_of(trainings)
    job.execute(run, cheap(run))
    assert Path(run.record).exists()
