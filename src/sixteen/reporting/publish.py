"""Publication of a report under the stable name that people open: ``reports/<study>/``."""

import fcntl
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.files import settle
from sixteen.lineage import record
from sixteen.lineage.places import PRIVATE
from sixteen.lineage.questions import FOLDER
from sixteen.lineage.steps import Run, manifest_of
from sixteen.reporting import joined, listed
from sixteen.reporting.page import page, table, tally

Record = dict[str, Any]
QUESTIONS = (
    f'<p><a href="{joined.INDEX}">Open questions</a>: what the studies of them decide so far, and what the rest would '
    "cost.</p>\n"
)


def publish(reported: Path, reports: Path, study: str) -> Path:
    """Copy a reported run to ``reports/<study>/``, whole or not at all, and list it in the index.

    The copy is made beside its place and renamed, so that a reader sees the old report or the new one, and holds what
    the run recorded and nothing else. ``manifest-<fingerprint>.json`` says which run that was, with the SHA-256 of every
    file. Returns its path. Raises UserError if the run isn't as it was recorded.
    """
    reports.mkdir(parents=True, exist_ok=True)
    target, fresh, stale = reports / study, reports / f".{study}.new", reports / f".{study}.old"
    with _lock(reports):
        shutil.rmtree(fresh, ignore_errors=True)
        kept = _copy(reported, fresh, reports.parent)
        manifest, questions = manifest_of(kept["fingerprint"]), joined.withdraw(reports)
        (fresh / manifest).write_text(stated(study, kept), encoding="utf-8")
        if target.exists():
            shutil.rmtree(stale, ignore_errors=True)
            target.rename(stale)
        # Were it killed here, the list would go on telling of the old report: snakemake makes one that is missing.
        (reports / "index.html").unlink(missing_ok=True)
        settle(fresh, target)
        shutil.rmtree(stale, ignore_errors=True)
        if questions:
            joined.write(reports, questions)
        _write_index(reports)
    return target / manifest


def list_reports(reports: Path) -> None:
    """Write ``index.html``, the list of the reports that are published."""
    reports.mkdir(parents=True, exist_ok=True)
    with _lock(reports):
        _write_index(reports)


def join(page: Run, reports: Path) -> None:
    """Write the page that joins the studies of every open question, see `joined`, and list it."""
    reports.mkdir(parents=True, exist_ok=True)
    with _lock(reports):
        (reports / "index.html").unlink(missing_ok=True)
        joined.write(reports, joined.asked_by(page))
        _write_index(reports)


def stated(study: str, kept: Record) -> str:
    """What the manifest of a published report says: study, fingerprint, and the SHA-256 of every file but its own."""
    files = {name: output["sha256"] for name, output in kept["outputs"].items()}
    files[record.NAME] = hashlib.sha256(record.text_of(kept).encode()).hexdigest()
    told = {
        "study": study,
        "fingerprint": kept["fingerprint"],
        "files": dict(sorted(files.items())),
    }
    return json.dumps(told, indent=1) + "\n"


def index(reports: Path) -> str:
    """The list of the studies that are published, by name. Raises UserError naming a report that can't be listed."""
    rows = [_row(folder) for folder in listed.folders(reports)]
    body = (
        "<h1>Reports</h1>\n<p>What each study says about the claims of its papers. Every page holds its "
        "numbers, their intervals, and the way back to the data.</p>\n"
    )
    if (reports / joined.INDEX).is_file():
        body += QUESTIONS
    return page(
        "Reports",
        body + table("Studies, and how many claims each decides", ("Study", "Papers"), rows),
    )


def those_here(reports: Path) -> tuple[str, list[str]]:
    """The index as it stands without what isn't in this clone: rows of reports, the page of questions; and what these are."""
    absent: list[str] = []

    def keep(row: re.Match[str]) -> str:
        if (reports / row[1] / "provenance.json").is_file():
            return row[0]
        absent.append(row[1])
        return ""

    text = (reports / "index.html").read_text(encoding="utf-8", errors="replace")
    if QUESTIONS in text and not (reports / joined.INDEX).is_file():
        text = text.replace(QUESTIONS, "")
        absent.append(FOLDER)
    rows = re.sub(r'<tr><th scope="row"><a href="([^"/]+)/index\.html">.*</tr>\n', keep, text)
    return rows, absent


def _copy(reported: Path, fresh: Path, root: Path) -> Record:
    """Copy what a reported run recorded, with its record and the manifest."""
    kept = record.intact(root, reported.relative_to(root).as_posix())
    known = {*kept["outputs"], record.NAME}
    for path in record.files_in(reported):
        if (name := path.relative_to(reported).as_posix()) not in known:
            raise UserError(
                f"expected only what its record names in {reported}, came {name}: remove it, or keep it elsewhere"
            )
    for name in sorted(known):
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(reported / name, fresh / name)
    return kept


def _row(folder: Path) -> tuple[str, ...]:
    """The line of a published report in the index: cells of HTML."""
    with listed.whole(folder):
        report = listed.read(folder)
        told = report.told
        return (
            f'<a href="{escape(folder.name)}/index.html">{escape(told["title"])}</a><br>'
            f"{tally(claim['verdict'] for claim in report.claims)}<br>"
            f'<span class="quiet">{escape(folder.name)}, dataset {escape(told["dataset"])}, '
            f"{escape(told['scale'])} scale</span>",
            "<br>".join(map(escape, told["papers"])),
        )


def _write_index(reports: Path) -> None:
    partial = reports / ".index.html.new"
    partial.write_text(index(reports), encoding="utf-8")
    settle(partial, reports / "index.html")


@contextmanager
def _lock(reports: Path) -> Iterator[None]:
    """One publication at a time; the kernel gives the lock back when a process is killed."""
    path = reports.parent / PRIVATE / "locks" / "reports"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
