"""What jobs ask for: from finished runs wherever they were made, from what `sixteen plan` measured, else from the profile."""

from pathlib import Path

import pytest
from small_plan import planned

from sixteen.lineage import needs, record
from sixteen.lineage.needs import LARGER, MEGABYTES, MINUTES, SLOWER, Needs
from sixteen.lineage.probes import PROBE
from sixteen.lineage.speeds import Speed, Speeds, kind_of_training


def asked(parameters, step="train"):
    """Minutes and MB of the first run of a step, and what was said of it and of all its like."""
    plan, said = planned(parameters), []
    found = Needs(plan, 60, 4000, said.append)
    runs = [run for run in plan.runs.values() if run.step == step]
    for run in runs:
        found.tell(run)
    return found.minutes(runs[0]), found.megabytes(runs[0]), said


def change(**facts):
    """Other facts in the records of all runs."""
    for folder in record.find(Path()):
        kept = record.read(folder)
        record.write(folder, {**kept, "execution": kept["execution"] | facts})


@pytest.mark.parametrize("step", ["train", "summarize"])
def test_a_job_asks_for_more_than_the_longest_and_largest_run_of_its_kind_wherever_it_was(
    project, parameters, step
):
    change(host="elsewhere", seconds=600.0, peak_memory_bytes=2 * 10**9)
    parameters["studies"]["small"]["seeds"] = [0, 1, 2]
    assert asked(parameters, step) == (MINUTES + SLOWER * 10, MEGABYTES + LARGER * 2000, [])


def test_ten_times_the_epochs_ask_for_ten_times_as_long(project, parameters):
    arms = parameters["studies"]["small"]["arms"]
    for arm, text in arms.items():
        arms[arm] = text.replace("until-2", "until-20").replace("until-4", "until-40")
    change(seconds=10.0)
    assert asked(parameters)[0] == MINUTES + 4  # 100 s, times SLOWER


def test_what_has_no_estimate_asks_for_what_the_profile_says_and_is_named_once(project, parameters):
    parameters["recipes"]["sgd"]["batch"] = 64
    minutes, megabytes, said = asked(parameters)
    assert (minutes, megabytes) == (60, 4000)
    (sentence,) = said  # for two seeds
    assert sentence.startswith(
        "no estimate of time and memory for train (resnet8 seed-0 trained-in-"
    )
    assert "60 minutes and 4000 MB" in sentence


def test_a_run_of_a_version_that_knew_no_devices_tells_nothing(project, parameters):
    change(host="elsewhere", seconds=600.0)
    for folder in record.find(Path()):
        kept = record.read(folder)
        kept["parameters"].pop("devices", None)
        record.write(folder, kept)
    minutes, _, said = asked(parameters)
    assert minutes == 60 and "no estimate of time" in said[0]


def test_what_plan_measured_stands_where_no_run_tells(project, parameters):
    parameters["recipes"]["sgd"]["batch"] = 64
    plan = planned(parameters)
    kind = kind_of_training(next(run for run in plan.runs.values() if run.step == "train"))
    speed = Speed((10.0, 20.0), (0.1, 0.2), PROBE)
    needs.keep(plan, Speeds({kind: speed}, {}, {}, None))
    needs.keep(plan, Speeds({"other": speed}, {}, {}, None))  # measured later, and it adds
    minutes, megabytes, said = asked(parameters)
    assert minutes == MINUTES + 20  # 20 s and 2 epochs of 1,442 items at 0.2 s, times SLOWER
    assert megabytes == 4000 and "no estimate of memory for train" in said[0]
