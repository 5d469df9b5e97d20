"""Verification: a flipped bit anywhere is found and named."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from sixteen.errors import UserError
from sixteen.lineage import record
from sixteen.reporting.publish import list_reports
from sixteen.reporting.verify import verify


def findings():
    return verify(Path()).findings


def files():
    found = [
        p
        for top in ("data", "results", "reports")
        for p in sorted(Path(top).rglob("*"))
        if p.is_file()
    ]
    return found


def only(pattern):
    return next(iter(sorted(Path().glob(pattern))))


def test_what_was_made_is_as_recorded(project):
    report = verify(Path())
    assert (report.findings, report.notes) == ([], [])
    assert report.runs == len(list(record.find(Path())))
    assert f"{report.runs} runs" in str(report) and "all as recorded" in str(report)


def test_a_check_of_nothing_is_no_success(tmp_path):
    (tmp_path / "results").mkdir()
    with pytest.raises(UserError, match="expected runs or reports to verify, found none"):
        verify(tmp_path)


def test_a_flipped_bit_in_any_file_is_found_and_named(project):
    for file in files():
        whole = file.read_bytes()
        file.write_bytes(bytes([*whole[:-1], whole[-1] ^ 4]))
        assert any(str(file) in finding for finding in findings()), file
        file.write_bytes(whole)
    assert findings() == []


@pytest.mark.parametrize("name", ["small/record.json", "small/manifest-*.json", "index.html"])
def test_a_flip_of_any_bit_of_a_record_or_manifest_is_found(project, name):
    for folder in ("data", "results"):  # to be quick, what is left is one report
        shutil.rmtree(folder)
    file = only(f"reports/{name}")
    whole = file.read_bytes()
    missed = []
    for place in range(0, len(whole) * 8, 37):
        data = bytearray(whole)
        data[place // 8] ^= 1 << place % 8
        file.write_bytes(data)
        if not any("reports/" in finding for finding in findings()):
            missed.append(place)
    assert missed == []


def test_a_record_in_another_spelling_is_found(project):
    file = only("results/digits/**/evaluated/seed-0/*/record.json")
    file.write_text(json.dumps(json.loads(file.read_text())))
    assert len(findings()) == 1 and str(file) in findings()[0]


def test_a_missing_file_is_found(project):
    file = only("results/digits/*/trained*/seed-0/*/history.csv")
    file.unlink()
    assert len(findings()) == 1 and f"{file} is missing" in findings()[0]


@pytest.mark.parametrize(
    "folder", ["results/digits/*/trained*/seed-0/*", "reports/small", "results"]
)
def test_a_file_that_nothing_records_is_found(project, folder):
    extra = only(folder) / "extra.txt"
    extra.write_text("mine")
    assert len(findings()) == 1 and str(extra) in findings()[0]


def test_a_forged_record_is_found_by_its_fingerprint(project):
    folder = only("results/digits/*/trained*/seed-0/*")
    kept = record.read(folder)
    kept["parameters"]["recipe"]["momentum"] = 0.1
    record.write(folder, kept)
    assert any("fingerprint" in finding and str(folder) in finding for finding in findings())


def test_a_moved_run_is_found(project):
    folder = only("results/digits/*/trained*/seed-0/*")
    shutil.copytree(folder, folder.with_name("0" * 12))
    assert any("0" * 12 in finding for finding in findings())


def test_a_parent_made_anew_with_other_bytes_is_found_at_its_children(project):
    folder = only("results/digits/*/trained*/seed-0/*")
    (folder / "weights.safetensors").write_text("other")
    record.write(folder, {**record.read(folder), "outputs": record.describe(folder)})
    found = findings()
    children = [
        finding for finding in found if "with other bytes than its maker recorded" in finding
    ]
    assert children and all(f"{folder}/weights.safetensors" in finding for finding in children)


def test_a_clone_without_some_parents_is_fine_and_says_so(project):
    shutil.rmtree("data")
    report = verify(Path())
    assert report.findings == []
    assert any("data/prepared/digits" in note for note in report.notes)


def test_a_clone_with_reports_alone_is_fine(project):
    shutil.rmtree("data")
    shutil.rmtree("results")
    assert findings() == []


def test_an_edited_notebook_is_a_note(project):
    Path("notebooks/empty.ipynb").write_text('{"cells": [], "metadata": {}}')
    report = verify(Path())
    assert report.findings == []
    assert "notebooks/empty.ipynb" in report.notes[0]


def test_an_archive_below_the_home_folder_is_held_against_what_was_read(
    project, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "images.tar").write_text("others")
    folder = only("data/prepared/*/*")
    kept = json.loads((folder / "record.json").read_text())
    kept["inputs"]["~/images.tar"] = "0" * 64
    record.write(folder, {key: value for key, value in kept.items() if key != "seal"})
    report = verify(Path())
    assert any("~/images.tar isn't any more as" in note for note in report.notes)


def reported_run():
    return only("results/small/summarized/reported/*")


def reseal(folder):
    """A record made to fit what lies beside it."""
    kept = json.loads((folder / record.NAME).read_text())
    outputs = {
        name: told
        for name, told in record.describe(folder).items()
        if not name.startswith("manifest")
    }
    record.write(folder, kept | {"outputs": outputs})


def restate(folder):
    """A manifest made to fit what lies beside it, whatever that is."""
    [manifest] = folder.glob("manifest-*.json")
    told = json.loads(manifest.read_text())
    told["files"] = {name: record.sha256_of(folder / name) for name in told["files"]}
    manifest.write_text(json.dumps(told, indent=1) + "\n")


def test_a_published_record_that_is_garbage_is_found_though_the_manifest_fits(project):
    place = Path("reports/small")
    (place / "index.html").write_text("supported")
    (place / record.NAME).write_bytes(b"garbage")
    restate(place)
    assert any("reports/small/record.json isn't as it was written" in said for said in findings())


@pytest.mark.parametrize("where", ["run", "copy"])
@pytest.mark.parametrize("name", ["index.html", record.NAME])
def test_a_published_copy_is_held_against_the_run(project, where, name):
    """A page, or a fact of the record, edited with all that speaks of it in one of the two places."""
    place = reported_run() if where == "run" else Path("reports/small")
    if name == record.NAME:
        kept = record.read(place)
        record.write(place, kept | {"execution": kept["execution"] | {"host": "elsewhere"}})
    else:
        (place / name).write_text("supported")
        reseal(place)
    if where == "copy":
        restate(place)
    assert any(
        "reports/small and results/small/summarized/reported/" in said
        and "have different records" in said
        for said in findings()
    )


def test_a_broken_record_inside_a_report_is_found(project):
    """The report as a whole may fit its record: it is what it was made from that doesn't hold."""
    for place in (reported_run(), Path("reports/small")):
        told = json.loads((place / "provenance.json").read_text())
        next(iter(told["records"].values()))["facts"] = {"edited": 1}
        (place / "provenance.json").write_text(json.dumps(told))
        reseal(place)
    restate(Path("reports/small"))
    assert [said for said in findings() if "provenance.json holds a record that isn't" in said]


def test_the_report_of_another_study_is_found(project):
    shutil.copytree("reports/small", "reports/other")
    assert any("reports/other is a copy of results/small" in said for said in findings())


def test_a_report_without_its_manifest_is_found(project):
    only("reports/small/manifest-*.json").unlink()
    assert [said for said in findings() if "reports/small/manifest-" in said]
    # Without it the report isn't published, but listed.
    assert all("reports/small" in said or "reports/index.html" in said for said in findings())


def test_a_list_of_reports_that_is_gone_is_found(project):
    Path("reports/index.html").unlink()
    assert findings() == ["reports/index.html is missing: run snakemake, which makes it again"]


def test_a_list_that_names_reports_of_other_clones_is_a_note(project):
    shutil.copytree("reports/small", "reports/elsewhere")
    list_reports(Path("reports"))
    shutil.rmtree("reports/elsewhere")
    report = verify(Path())
    assert report.findings == []
    assert report.notes == ["reports/index.html lists elsewhere, which isn't in this clone"]


@pytest.mark.parametrize("folder", ["results/digits", "reports/small"])
def test_what_is_no_file_is_found_and_not_waited_for(project, folder):
    os.mkfifo(Path(folder) / "pipe")
    (Path(folder) / "nowhere").symlink_to("absent")
    found = findings()
    assert len(found) == 2
    assert all("is no file that can be read" in finding for finding in found)


@pytest.mark.parametrize("name", ["provenance.json", "tables/claims.json"])
def test_a_pipe_in_the_place_of_a_file_is_found_and_not_waited_for(project, name):
    file = Path("reports/small") / name
    file.unlink()
    os.mkfifo(file)
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits for the pipe"))
    signal.alarm(20)
    found = findings()
    signal.alarm(0)
    assert any(finding.startswith(f"{file} is no file") for finding in found)


def test_a_record_that_is_sealed_and_malformed_is_found(project):
    folder = only("results/digits/*/trained*/seed-0/*")
    kept = record.read(folder)
    del kept["execution"]
    record.write(folder, kept)
    assert any(f"{folder}/record.json isn't as it was written" in said for said in findings())


def test_what_a_killed_run_left_is_no_finding(project):
    folder = only("results/digits/*/trained*/seed-0/*")
    shutil.copytree(folder, folder.with_name(f".{folder.name}.partial"))
    assert findings() == []


def test_outside_of_a_project_it_says_where_to_run(tmp_path):
    with pytest.raises(UserError, match="top of the project"):
        verify(tmp_path)


@pytest.mark.parametrize("part, found", [("facts", "notes"), ("parameters", "findings")])
def test_a_record_that_differs_from_the_one_that_a_report_was_made_from_is_told(
    project, part, found
):
    folder = only("results/*/*/trained-*/seed-0/*")
    kept = record.read(folder)
    kept[part] = kept[part] | {"device": "another"}
    kept["seal"] = record.seal_of(kept)
    (folder / record.NAME).write_text(record.text_of(kept))
    told = getattr(verify(Path()), found)
    assert any(f"{folder} " in line and "reports/" in line for line in told), told
