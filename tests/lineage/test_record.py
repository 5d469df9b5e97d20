"""Records: sealed, found, and refused when they aren't as written."""

import pytest

from sixteen.errors import UserError
from sixteen.lineage import record


def test_a_record_comes_back_as_it_was_written(tmp_path):
    record.write(tmp_path, {"path": "results/ä", "facts": {"loss": 0.1, "seconds": None}})
    assert record.read(tmp_path)["facts"] == {"loss": 0.1, "seconds": None}


def test_a_changed_record_is_refused(tmp_path):
    record.write(tmp_path, {"facts": {"loss": 0.1}})
    text = (tmp_path / record.NAME).read_text()
    (tmp_path / record.NAME).write_text(text.replace("0.1", "0.2"))
    with pytest.raises(UserError, match="isn't as it was written"):
        record.read(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", "\xff"])
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
