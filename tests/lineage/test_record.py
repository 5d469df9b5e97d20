"""Records: sealed, found, and refused when they aren't as written."""

import json

import pytest
from made_record import EXECUTION, made_record

from sixteen.errors import UserError
from sixteen.lineage import record

PATH = "results/ä/" + "0" * 12
KEPT = made_record(PATH, facts={"loss": 0.1, "seconds": None})


def test_a_record_comes_back_as_it_was_written(tmp_path):
    record.write(tmp_path, KEPT)
    kept = record.read(tmp_path)
    assert kept.pop("seal") and kept == KEPT


def test_a_changed_record_is_refused(tmp_path):
    record.write(tmp_path, KEPT)
    text = (tmp_path / record.NAME).read_text()
    (tmp_path / record.NAME).write_text(text.replace("0.1", "0.2"))
    with pytest.raises(UserError, match="isn't as it was written"):
        record.read(tmp_path)


def test_a_record_in_another_spelling_is_refused(tmp_path):
    record.write(tmp_path, KEPT)
    (tmp_path / record.NAME).write_text(json.dumps(record.read(tmp_path)))
    with pytest.raises(UserError, match="isn't as it was written"):
        record.read(tmp_path)


@pytest.mark.parametrize("key", KEPT)
def test_a_record_without_one_of_its_parts_is_refused_though_its_seal_holds(tmp_path, key):
    record.write(tmp_path, {name: value for name, value in KEPT.items() if name != key})
    with pytest.raises(UserError, match="isn't as it was written"):
        record.read(tmp_path)


@pytest.mark.parametrize("key", EXECUTION)
def test_so_is_one_without_a_part_of_its_execution(tmp_path, key):
    execution = {name: value for name, value in EXECUTION.items() if name != key}
    record.write(tmp_path, KEPT | {"execution": execution})
    with pytest.raises(UserError, match="isn't as it was written"):
        record.read(tmp_path)


MALFORMED = {
    "outputs": [[], {"a": "b"}, {"../a": {"sha256": "0" * 64, "bytes": 1}}, {"a": {"bytes": 1}}],
    "path": [3, "/etc/passwd", "results/../../etc", None],
    "parents": [[], {"run": 3}, {"run": "../x"}],
    "inputs": [{"a": None}, {"a": "0"}],
    "code": [{}, {"digest": "0" * 64, "modules": []}],
    "step": ["fly", None],
    "facts": [None, {"device": 3}],
    "execution": [EXECUTION | {"started": "yesterday"}, EXECUTION | {"packages": {"a": 1}}],
    "fingerprint": ["0", None],
    "more": [1],
}


@pytest.mark.parametrize("key, value", [(k, v) for k, values in MALFORMED.items() for v in values])
def test_so_is_one_of_another_shape(tmp_path, key, value):
    record.write(tmp_path, KEPT | {key: value})
    with pytest.raises(UserError, match="isn't as it was written"):
        record.read(tmp_path)


def test_facts_that_come_later_are_no_mistake(tmp_path):
    record.write(tmp_path, KEPT | {"execution": EXECUTION | {"gpu": {"name": "one"}}})
    assert record.read(tmp_path)["execution"]["gpu"] == {"name": "one"}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", "\xff", "[" * 10**5])
def test_what_is_no_record_is_refused_in_one_sentence(tmp_path, text):
    (tmp_path / record.NAME).write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match="isn't as it was written"):
        record.read(tmp_path)


def test_a_missing_record_is_no_finished_run(tmp_path):
    with pytest.raises(UserError, match="finished run"):
        record.read(tmp_path)


def test_every_file_of_a_run_but_its_record_is_described(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/a.png").write_bytes(b"abc")
    (tmp_path / record.NAME).write_text("{}")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert record.describe(tmp_path) == {"figures/a.png": {"sha256": digest, "bytes": 3}}


def test_the_fingerprint_of_a_runs_record_is_that_of_its_folder(project):
    for folder in record.find(project):
        kept = record.read(folder)
        assert record.fingerprint_in(kept) == kept["fingerprint"] == folder.name
