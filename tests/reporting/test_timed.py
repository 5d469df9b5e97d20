"""Times measured alone, and time to equal accuracy: ratios, intervals and counts of numbers that are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_project import Project, study

from sixteen.reporting.figures import cost, reach, timed
from sixteen.reporting.study import Study

PAIR = (("float16", "float32"),)


@pytest.fixture
def made(tmp_path: Path) -> Study:
    return study(
        tmp_path, Project(tmp_path).summarize("demo", ("resnet8",), 2, timed=PAIR, reach=0.7)
    )


def test_step_times_are_compared_turn_by_turn(made: Study) -> None:
    times = made.table("times")
    steps = {("float16", 1): 1.0, ("float16", 2): 4.0, ("float32", 1): 2.0, ("float32", 2): 4.0}
    times = times[times["turn"] <= 2].copy()
    times["step_seconds"] = [steps[key] for key in zip(times["arm"], times["turn"], strict=True)]
    times.to_csv(made.summary / "times.csv", index=False)
    timed.step_times(made)
    data = pd.read_csv(made.output / "figures/step-times.csv").set_index("turn")
    assert data["ratio"].to_dict() == {1: 0.5, 2: 1.0}
    assert set(data["n"]) == {2}
    assert data["mean"].iloc[0] == pytest.approx(np.sqrt(0.5))
    assert data["low"].iloc[0] < 0.5 < 1 < data["high"].iloc[0]


def test_the_number_of_the_paper_stands_beside_the_step_times(made: Study) -> None:
    assert cost.published(made, "float16", "float32") == {
        "resnet156, paper": 0.673,
        "every network, paper": 0.9,
    }
    assert "The open diamond is the number of the paper" in timed.step_times(made).text


def test_all_that_was_measured_is_in_a_table_and_what_was_not_is_named(made: Study) -> None:
    times = made.table("times")
    times["energy_joules"] = 12.0
    times.to_csv(made.summary / "times.csv", index=False)
    text = timed.everything(made).text
    assert ">Step (ms)</th>" in text and ">images/s</th>" in text
    assert ">12</td>" in text and ">420</td>" in text
    assert "Not measured here: Largest batch (images)." in text


def test_a_study_without_times_says_so(tmp_path: Path) -> None:
    made = study(tmp_path, Project(tmp_path).summarize("blind", ("resnet8",), 1))
    for shown in (timed.step_times(made), timed.everything(made)):
        assert "this study measures no times apart from training" in shown.text
    assert "names no accuracy to be reached" in reach.equal_accuracy(made).text
    assert not (made.output / "figures").exists()


def test_time_to_equal_accuracy_counts_the_runs_that_never_reached_it(made: Study) -> None:
    rows = pd.DataFrame(
        [
            ("resnet8", "float32", 0, 4, 10.0, "training"),
            ("resnet8", "float32", 1, 5, 14.0, "training"),
            ("resnet8", "float16", 0, 5, 9.0, "timed"),
            ("resnet8", "float16", 1, None, None, "timed"),
        ],
        columns=["network", "arm", "seed", "epoch", "seconds", "clock"],
    )
    rows.to_csv(made.summary / "reach.csv", index=False)
    text = reach.equal_accuracy(made).text
    data = pd.read_csv(made.output / "figures/time-to-accuracy.csv").drop_duplicates("arm")
    data = data.set_index("arm")
    assert data["mean"].to_dict() == {"float32": 12.0, "float16": 9.0}
    assert data["n"].to_dict() == {"float32": 2, "float16": 1}
    assert data.loc["float32", "low"] < 10 < 14 < data.loc["float32", "high"]
    assert "1 of 4 never did." in text and "at least 70 % of the test images" in text
    assert "measured alone or, where there is none, the median epoch" in text
    assert "began at" not in text


def test_runs_that_began_at_the_accuracy_are_counted(made: Study) -> None:
    rows = made.table("reach")
    rows.loc[rows["seed"] == 0, "seconds"] = 0.0
    rows.to_csv(made.summary / "reach.csv", index=False)
    assert "2 began at or above it, which is 0 s." in reach.equal_accuracy(made).text


def test_an_accuracy_that_no_run_reached_is_said(made: Study) -> None:
    rows = made.table("reach").assign(epoch=None, seconds=None)
    rows.to_csv(made.summary / "reach.csv", index=False)
    assert "no run reached 70 %" in reach.equal_accuracy(made).text
