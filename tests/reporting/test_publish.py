"""Publication: what was recorded and nothing else, whole or not at all, listed, and safe beside another one."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from made_record import settled

from sixteen.errors import UserError
from sixteen.lineage import record
from sixteen.reporting import publish as publishing
from sixteen.reporting.publish import index, list_reports, publish, those_here
from sixteen.reporting.verify import verify


def _reported(root: Path, study: str, text: str = "page") -> Path:
    """The least that a report holds."""
    folder = f"results/{study}/summarized/reported"
    new = root / folder / "new"
    (new / "tables").mkdir(parents=True)
    (new / "index.html").write_text(text)
    told = {
        "title": f"Title of {study} & more",
        "papers": ["a paper"],
        "scale": "toy",
        "dataset": "digits",
    }
    summary = root / f"results/{study}/summarized"
    (summary / "new").mkdir()
    made = settled(
        root, f"results/{study}/summarized", step="summarize", parameters=told | {"text": text}
    )
    kept = record.read(made)
    provenance = {"summary": kept["path"], "records": {kept["path"]: kept}}
    (new / "provenance.json").write_text(json.dumps(provenance))
    claims = [{"verdict": "supported"}, {"verdict": "supported"}, {"verdict": "refuted"}]
    (new / "tables" / "claims.json").write_text(json.dumps({"claims": claims}))
    return settled(root, folder, step="report", parameters={"text": text})


def test_the_manifest_holds_the_digest_of_every_file(tmp_path: Path) -> None:
    reported = _reported(tmp_path, "one")
    manifest = publish(reported, tmp_path / "reports", "one")
    assert manifest == tmp_path / "reports/one" / f"manifest-{reported.name}.json"
    files = json.loads(manifest.read_text())["files"]
    assert set(files) == {"index.html", "provenance.json", "record.json", "tables/claims.json"}
    for name, digest in files.items():
        assert digest == record.sha256_of(manifest.parent / name)
    assert verify(tmp_path).findings == []


def test_a_new_report_replaces_the_old_one_and_its_manifest(tmp_path: Path) -> None:
    old = publish(_reported(tmp_path, "one", "old"), tmp_path / "reports", "one")
    (old.parent / "left-over.txt").write_text("of the old report")
    new = publish(_reported(tmp_path, "one", "new"), tmp_path / "reports", "one")
    assert sorted(path.name for path in old.parent.iterdir()) == [
        "index.html", new.name, "provenance.json", "record.json", "tables"]  # fmt: skip
    assert (old.parent / "index.html").read_text() == "new"
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == ["index.html", "one"]


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "flipped": (lambda f: _flip(f / "index.html"), r"index\.html differs from its record"),
    "deleted": (
        lambda f: (f / "tables/claims.json").unlink(),
        r"claims\.json is recorded and miss",
    ),
    "stray": (
        lambda f: (f / "tables/mine.csv").write_text("1"),
        r"came tables/mine\.csv: remove it",
    ),
    "record": (lambda f: _flip(f / "record.json"), r"record\.json isn't as it was written"),
    "no record": (lambda f: (f / "record.json").unlink(), r"found no record\.json there"),
    "moved": (lambda f: f.rename(f.with_name("0" * 12)), r"holds the record of"),
    "pipe": (
        lambda f: ((f / "index.html").unlink(), os.mkfifo(f / "index.html")),
        r"index\.html is recorded and missing",
    ),
}


@pytest.mark.parametrize("spoil, said", SPOILED.values(), ids=SPOILED)
def test_a_report_that_is_not_as_recorded_is_refused(tmp_path, spoil, said) -> None:
    reported = _reported(tmp_path, "one")
    spoil(reported)
    [reported] = reported.parent.iterdir()
    with pytest.raises(UserError, match=said):
        publish(reported, tmp_path / "reports", "one")
    assert not (tmp_path / "reports/one").exists()


# Publishes one report over another again and again, each time in a process that is killed at a later one of its calls into
# the operating system; says what stands there then, and what after the other report was published once more.
KILLED = """
import json, os, signal, sys
from pathlib import Path
from sixteen.reporting.publish import publish
root, old, new = (Path(argument) for argument in sys.argv[1:])
folder = root / "reports/one"
def all_in(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
def publish_until(left):
    def die(event, arguments):
        nonlocal left
        if event in ("open", "os.rename", "os.mkdir", "shutil.rmtree", "os.remove"):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(die)
    publish(new, root / "reports", "one")
    os._exit(0)
for n in range(1, 1000):
    if (child := os.fork()) == 0:
        publish_until(n)
    _, status = os.waitpid(child, 0)
    text = (folder / "index.html").read_text() if (folder / "index.html").exists() else None
    there = all_in(folder)
    if status:
        publish(old, root / "reports", "one")
    left_over = [path.name for path in (root / "reports").iterdir()]
    print(json.dumps({"text": text, "there": there, "left_over": sorted(left_over)}))
    if not status:
        break
"""


def test_killed_at_any_moment_it_leaves_a_whole_report_or_none(tmp_path: Path) -> None:
    old, new = _reported(tmp_path, "one", "old"), _reported(tmp_path, "one", "new")
    publish(old, tmp_path / "reports", "one")
    whole: dict[str | None, list[str]] = {None: []}
    for run, text in ((old, "old"), (new, "new")):
        names = [*record.read(run)["outputs"], record.NAME, f"manifest-{run.name}.json"]
        whole[text] = sorted(names)
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(old), str(new)]
    environment = {**os.environ, "PYTHONPATH": str(Path(publishing.__file__).parents[2])}
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    states = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(states) > 20 and states[-1]["text"] == "new"
    assert {state["text"] for state in states} == {None, "old", "new"}
    for state in states:
        assert state["there"] == whole[state["text"]]
        assert state["left_over"] == ["index.html", "one"]
    assert verify(tmp_path).findings == []


def test_publications_at_the_same_time_are_all_listed(tmp_path: Path) -> None:
    studies = [f"study-{i}" for i in range(8)]
    made = [_reported(tmp_path, study) for study in studies]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda args: publish(args[0], tmp_path / "reports", args[1]),
                      zip(made, studies, strict=True)))  # fmt: skip
    text = (tmp_path / "reports" / "index.html").read_text()
    for study in studies:
        assert f'<a href="{study}/index.html">Title of {study} &amp; more</a>' in text
    assert text.count("2 supported") == text.count("1 refuted") == 8


def test_the_list_of_reports_is_made_again_as_it_was(tmp_path: Path) -> None:
    publish(_reported(tmp_path, "one"), tmp_path / "reports", "one")
    listed = (tmp_path / "reports/index.html").read_bytes()
    (tmp_path / "reports/index.html").unlink()
    list_reports(tmp_path / "reports")
    assert (tmp_path / "reports/index.html").read_bytes() == listed


def test_a_list_without_what_is_not_here_is_that_of_what_is(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    for study in ("one", "three", "two"):
        publish(_reported(tmp_path, study), reports, study)
    for study in ("one", "two"):
        (reports / study).rename(tmp_path / study)
    assert those_here(reports) == (index(reports), ["one", "two"])


def test_what_was_published_and_is_no_more_is_not_listed(tmp_path: Path) -> None:
    """As `snakemake --delete-all-output` leaves it: the list may be made before the report is published again."""
    reports = tmp_path / "reports"
    before = index(reports)
    publish(_reported(tmp_path, "one"), reports, "one").unlink()
    assert index(reports) == before


@pytest.mark.parametrize("name", ["provenance.json", "tables/claims.json"])
@pytest.mark.parametrize("text", ["", "[]", "{}", '{"claims": [{}]}', "\xff"])
def test_a_report_that_cannot_be_listed_is_named(tmp_path: Path, name: str, text: str) -> None:
    manifest = publish(_reported(tmp_path, "one"), tmp_path / "reports", "one")
    (manifest.parent / name).write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=re.escape(f"expected a report in {manifest.parent}")):
        index(tmp_path / "reports")


def test_a_verdict_that_was_edited_is_taken_into_no_list(tmp_path: Path) -> None:
    manifest = publish(_reported(tmp_path, "one"), tmp_path / "reports", "one")
    claims = manifest.parent / "tables/claims.json"
    claims.write_text(claims.read_text().replace("supported", "refuted", 1) + " ")
    with pytest.raises(UserError, match=re.escape(f"expected a report in {manifest.parent}")):
        index(tmp_path / "reports")


def test_killed_before_the_list_is_written_it_leaves_none_that_is_old(tmp_path, monkeypatch):
    publish(_reported(tmp_path, "one", "old"), tmp_path / "reports", "one")
    monkeypatch.setattr("sixteen.reporting.publish._write_index", lambda _: None)
    publish(_reported(tmp_path, "one", "new"), tmp_path / "reports", "one")
    assert not (tmp_path / "reports/index.html").exists()
