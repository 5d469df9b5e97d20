"""How a page begins: scope, scale, hardware, time, energy and outcome."""

import json
from pathlib import Path

import pytest
from made_up_project import Project, study

from sixteen.reporting.glance import glance, heading
from sixteen.reporting.numbers import duration
from sixteen.reporting.study import Study


@pytest.fixture
def made(tmp_path: Path) -> Study:
    return study(tmp_path, Project(tmp_path).summarize("demo", ("resnet8",), 2))


def _changed(of: Study, step: str, **facts: object) -> None:
    """Change a fact of every record of a step."""
    path = of.output / "provenance.json"
    provenance = json.loads(path.read_text())
    for record in provenance["records"].values():
        if record["step"] == step:
            record["facts"] |= facts
    path.write_text(json.dumps(provenance))


def test_scope_and_scale_stand_beside_what_the_paper_ran(made: Study) -> None:
    text = glance(made).text
    assert (
        "4 runs: networks resnet8; dataset digits (200 test images); arms: float32, float16; 2 seeds."
        in text
    )
    assert "<b>toy</b>" in text
    assert (
        "arXiv:2311.18587 ran</th><td>dataset: CIFAR-10; networks: ResNets; not stated: seeds.</td>"
        in text
    )
    assert "cpu: Example Processor 3000" in text


def test_what_is_reached_without_learning_and_at_best_is_told(made: Study) -> None:
    assert "Nothing is known of the test set." in glance(made).text
    _changed(made, "prepare", majority_accuracy=0.1041, best_perplexity=4.6, best_accuracy=None)
    text = glance(Study(made.summary, made.output)).text
    assert "<td>On the test set: majority accuracy 10.4 %, best perplexity 4.6.</td>" in text


def test_test_items_that_were_trained_on_are_counted(made: Study) -> None:
    _changed(made, "prepare", seen_items=3, test_items=1200)
    text = glance(Study(made.summary, made.output)).text
    assert "<td>Test images that are in the training set too: 3 of 1,200.</td>" in text


def test_a_paper_that_ran_nothing_has_no_line(made: Study) -> None:
    (made.output / "papers.json").write_text(json.dumps({"our question": {}}))
    assert "ran</th>" not in glance(made).text


def test_time_is_that_of_training_and_of_all_runs(made: Study) -> None:
    """Two runs of the first phase, which the arms share, and four of the second; 30 s of clock for every run."""
    _changed(made, "train", train_seconds=10.0)
    _changed(made, "continue_training", train_seconds=40.5)
    text = glance(Study(made.summary, made.output)).text
    assert "Training 3 min 2 s (6 phases, without compilation and tests)" in text
    runs = len(made.provenance["records"])
    assert f"all {runs} runs behind this page {duration(30 * runs)} of wall-clock" in text


def test_energy_is_summed_where_it_was_measured(made: Study) -> None:
    assert "<td>Not measured.</td>" in glance(made).text
    _changed(made, "continue_training", energy_joules=500.0)
    text = glance(Study(made.summary, made.output)).text
    assert "2 kJ for training, of 4 of 6 phases; counted by the whole device; runs that" in text


def test_the_first_line_counts_verdicts_and_carries_the_scale(made: Study) -> None:
    claims = json.loads((made.summary / "claims.json").read_text())["claims"]
    for claim, verdict in zip(
        claims, ("supported", "refuted", "refuted", "inconclusive", "refuted"), strict=True
    ):
        claim["verdict"] = verdict
    (made.summary / "claims.json").write_text(json.dumps({"claims": claims}))
    text = heading(Study(made.summary, made.output)).text
    for said in ("1 supported</span>", "3 refuted</span>", "1 inconclusive</span> at toy scale."):
        assert said in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (8.24, "8.24 s"),
        (59.96, "1 min 0 s"),
        (182, "3 min 2 s"),
        (3599.7, "1 h 0 min"),
        (7650, "2 h 7 min"),
    ],
)
def test_durations_are_told_as_people_do(seconds: float, text: str) -> None:
    assert duration(seconds) == text
