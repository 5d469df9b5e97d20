"""Publication: whole or not at all, listed, and safe beside another one."""

import json
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from sixteen.errors import UserError
from sixteen.reporting.publish import publish


def _reported(root: Path, study: str, text: str = "page") -> Path:
    """The least that a report holds."""
    folder = root / "made" / f"{study}-{text}"
    (folder / "tables").mkdir(parents=True)
    (folder / "index.html").write_text(text)
    told = {
        "title": f"Title of {study} & more",
        "papers": ["a paper"],
        "scale": "toy",
        "dataset": "digits",
    }
    provenance = {"summary": "s", "records": {"s": {"parameters": told}}}
    (folder / "provenance.json").write_text(json.dumps(provenance))
    claims = [{"verdict": "supported"}, {"verdict": "supported"}, {"verdict": "refuted"}]
    (folder / "tables" / "claims.json").write_text(json.dumps({"claims": claims}))
    return folder


def test_the_manifest_holds_the_digest_of_every_file(tmp_path: Path) -> None:
    manifest = publish(_reported(tmp_path, "one"), tmp_path / "reports", "one", "aaa")
    files = json.loads(manifest.read_text())["files"]
    folder = tmp_path / "reports" / "one"
    assert set(files) == {"index.html", "provenance.json", "tables/claims.json"}
    assert files["index.html"] == sha256((folder / "index.html").read_bytes()).hexdigest()


def test_a_new_report_replaces_the_old_one_and_its_manifest(tmp_path: Path) -> None:
    old = publish(_reported(tmp_path, "one", "old"), tmp_path / "reports", "one", "aaa")
    (old.parent / "left-over.txt").write_text("of the old report")
    publish(_reported(tmp_path, "one", "new"), tmp_path / "reports", "one", "bbb")
    assert sorted(path.name for path in old.parent.iterdir()) == [
        "index.html", "manifest-bbb.json", "provenance.json", "tables"]  # fmt: skip
    assert (old.parent / "index.html").read_text() == "new"
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == ["index.html", "one"]


def test_a_killed_publication_leaves_the_old_report_and_the_next_one_clears_up(
    tmp_path: Path,
) -> None:
    reports = tmp_path / "reports"
    publish(_reported(tmp_path, "one", "old"), reports, "one", "aaa")
    broken = _reported(tmp_path, "one", "broken")
    (broken / "tables" / "unreadable").symlink_to(tmp_path / "absent")  # the copy stops here
    with pytest.raises(Exception, match="unreadable"):
        publish(broken, reports, "one", "bbb")
    assert (reports / "one" / "index.html").read_text() == "old"
    assert (reports / "one" / "manifest-aaa.json").exists()
    publish(_reported(tmp_path, "one", "new"), reports, "one", "ccc")
    assert sorted(path.name for path in reports.iterdir()) == ["index.html", "one"]


def test_publications_at_the_same_time_are_all_listed(tmp_path: Path) -> None:
    studies = [f"study-{i}" for i in range(8)]
    made = [_reported(tmp_path, study) for study in studies]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda args: publish(args[0], tmp_path / "reports", args[1], "aaa"),
                      zip(made, studies, strict=True)))  # fmt: skip
    index = (tmp_path / "reports" / "index.html").read_text()
    for study in studies:
        assert f'<a href="{study}/index.html">Title of {study} &amp; more</a>' in index
    assert index.count("2 supported") == index.count("1 refuted") == 8


def test_a_folder_without_a_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected a report with index.html"):
        publish(tmp_path, tmp_path / "reports", "one", "aaa")
