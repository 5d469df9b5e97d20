"""`sixteen status`: the state of every planned run, told from what is on disk."""

import platform
import shutil
from pathlib import Path

import pytest
from small_plan import planned

from sixteen.lineage import status
from sixteen.lineage.locks import exclusive
from sixteen.lineage.logs import log_of

EPOCHS = """Library: something
12:00:00 {name}: epoch 1/4: loss 2.1, test loss 2, test accuracy 20.00 %, 90 items/s, 30 s left
12:00:10 {name}: epoch 2/4: loss 1.1, test loss 1, test accuracy 60.00 %, 90 items/s, 20 s left
12:00:11 {name}: going on from the checkpoint of epoch 1
12:00:20 {name}: epoch 2/4: loss 1.2, test loss 1, test accuracy 61.00 %, 90 items/s, 20 s left
12:00:30 {name}: epoch 3/4: loss 0.9, test loss 0.5, test accuracy 80.00 %, 1234 items/s, 10 s left
"""


@pytest.fixture
def plan(project, parameters):
    return planned(parameters)


@pytest.fixture
def training(plan):
    """A training that isn't done."""
    run = next(run for run in plan.runs.values() if run.step == "train")
    shutil.rmtree(run.path)
    return run


def write_log(run, text):
    log_of(run.path).parent.mkdir(parents=True, exist_ok=True)
    name = f"resnet8 seed-{run.parameters['seed']} {run.path.split('/')[3]}"
    log_of(run.path).write_text(text.format(name=name))


def state_of(plan, run):
    return next(one.state for one in status.states(plan, ["small"]) if one.run == run)


def told(plan):
    return status.told(Path(), status.states(plan, ["small"]))


def test_what_has_a_record_is_done(plan):
    assert {one.state for one in status.states(plan, ["small"])} == {"done"}
    assert told(plan).splitlines()[0].split() == ["planned", "done"]
    assert told(plan).splitlines()[-1].split() == ["all", "15", "15"]


def test_what_was_not_begun_waits(plan, training):
    assert state_of(plan, training) == "waiting"


def test_what_is_held_runs_and_tells_where_and_how_it_learns(plan, training):
    write_log(training, EPOCHS)
    with exclusive(Path(), training.fingerprint, "it"):
        # Its holder is this process: another file description stands for another one.
        assert state_of(plan, training) == "running"
        text = told(plan)
    assert f"on {platform.node()}, epoch 3 of 4, 1,234 items/s, ends " in text
    assert "▁▆█ test accuracy 80.0 %" in text
    assert state_of(plan, training) == "stopped"


@pytest.mark.parametrize(
    ("last", "state"),
    [
        ("12:01:00 {name}: sixteen: no space is left: free some", "failed"),
        ("12:01:00 sixteen: no space is left: free some", "failed"),
        ("12:01:00 {name}: stopped by a defect of sixteen\nTraceback\nValueError: odd", "failed"),
        ("12:01:00 {name}: sixteen: cancelled: finished runs stay", "stopped"),
        ("", "stopped"),
    ],
)
def test_what_ended_without_a_record_failed_or_stopped(plan, training, last, state):
    write_log(training, EPOCHS + last)
    assert state_of(plan, training) == state
    if "space" in last:
        assert f"    sixteen: no space is left: free some\n    {log_of(training.path)}" in told(
            plan
        )


def test_what_diverged_is_told_with_where(plan):
    run = next(run for run in plan.runs.values() if run.step == "continue_training")
    Path(run.path, "outcome.json").write_text(
        '{"outcome": "diverged", "epoch": 3, "step": 7, "hint": "the loss overflowed"}'
    )
    assert state_of(plan, run) == "diverged"
    assert "    in epoch 3, step 7: the loss overflowed" in told(plan)


def test_of_many_the_first_are_told_and_the_others_counted(project, parameters):
    parameters["studies"]["small"]["seeds"] = list(range(40))
    plan = planned(parameters)
    trainings = [
        run for run in plan.runs.values() if run.step == "train" and not Path(run.record).exists()
    ]
    for run in trainings:
        write_log(run, "12:00:00 sixteen: odd\n")
    assert f"  and {len(trainings) - status.SHOWN} more" in told(plan)


@pytest.mark.parametrize(
    "numbers",
    [
        ("4", "abc", "50.00", "20"),
        ("4", "1", "5.0.1", "20"),
        ("4", "1", "50.00", "9999999999999"),
        ("4" * 5000, "1", "50.00", "20"),
    ],
)
def test_a_line_whose_numbers_are_none_is_passed_over(plan, training, numbers):
    line = "12:01:00 {{name}}: epoch {}/4: loss 1, test loss {}, test accuracy {} %, 90 items/s, {} s left\n"
    write_log(training, EPOCHS + line.format(*numbers))
    with exclusive(Path(), training.fingerprint, "it"):
        assert "epoch 3 of 4" in told(plan)


def test_after_a_stop_only_what_is_reached_again_is_told(plan, training):
    again = "12:01:00 {name}: epoch 2/4: loss 1, test loss 1, test accuracy 50.00 %, 90 items/s, 20 s left\n"
    write_log(training, EPOCHS + again)
    with exclusive(Path(), training.fingerprint, "it"):
        text = told(plan)
    assert "epoch 2 of 4, 90 items/s" in text
    assert "▁█ test accuracy 50.0 %" in text
