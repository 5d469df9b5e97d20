"""What a job says goes to its log and to people, what libraries say to its log alone."""

import logging
import os
import sys

import pytest

from sixteen.lineage import console, job


def speak():
    """A job with its own words, those of Python and those that a library writes past Python."""
    console.log.info("epoch 1/2")
    print("a warning of Python", file=sys.stderr)
    os.write(2, b"I0000 no GPU was found\n")


def test_libraries_are_heard_in_the_log_alone(tmp_path, capfd):
    before = list(console.log.handlers)
    with console.told(tmp_path / "logs/x.log"):
        speak()
    os.write(2, b"afterwards\n")

    seen, kept = capfd.readouterr().err, (tmp_path / "logs/x.log").read_text()
    assert "epoch 1/2" in seen and "a warning of Python" in seen and "afterwards" in seen
    assert "I0000" not in seen
    assert "epoch 1/2" in kept and "I0000 no GPU was found" in kept and "afterwards" not in kept
    assert console.log.handlers == before


def test_below_a_table_a_job_is_silent(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv(console.TABLE, "shown")
    with console.told(tmp_path / "x.log"):
        speak()
    assert capfd.readouterr().err == ""
    kept = (tmp_path / "x.log").read_text()
    assert all(words in kept for words in ("epoch 1/2", "a warning of Python", "I0000"))
    assert kept.count("epoch 1/2") == 1


def test_a_defect_leaves_its_traceback_in_the_log(tmp_path, capfd):
    with pytest.raises(SystemExit) as stopped, job.explained(tmp_path / "x.log"):
        raise ValueError("no such thing")
    assert stopped.value.code == 1
    for told in (capfd.readouterr().err, (tmp_path / "x.log").read_text()):
        assert "defect of sixteen" in told and "ValueError: no such thing" in told


def test_lines_begin_with_the_run(tmp_path):
    path = "results/digits/resnet8/trained-in-float32-by-sgd-until-2/seed-0/0123456789ab"
    assert console.label(path) == "resnet8 seed-0 trained-in-float32-by-sgd-until-2"
    evaluated = path.replace("/seed", "/evaluated/seed")
    assert console.label(evaluated) == "resnet8 seed-0 trained-in-float32-by-sgd-until-2 evaluated"
    assert console.label("logs/demo/summarized/0123456789ab.log") == "demo summarized"
    with console.told(tmp_path / "x.log"):
        console.begin_lines_with("resnet8")
        logging.getLogger("sixteen").info("epoch 1/2")
    assert (tmp_path / "x.log").read_text().endswith(" resnet8: epoch 1/2\n")
