"""Publication of a report under the stable name that people open: ``reports/<study>/``."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

from sixteen.errors import UserError
from sixteen.files import read_json
from sixteen.reporting.page import page, table, tally


def publish(reported: Path, reports: Path, study: str, fingerprint: str) -> Path:
    """Copy a reported run to ``reports/<study>/``, whole or not at all, and list it in the index.

    The copy is made beside its place and renamed, so that a reader sees the old report or the new one.
    ``manifest-<fingerprint>.json``, which holds the SHA-256 of every file, is written last of all: it is
    there only when everything else is. Returns its path. Raises UserError if there is no report to publish.
    """
    if not (reported / "index.html").is_file():
        raise UserError(
            f"expected a report with index.html in {reported}, found none: make it first"
        )
    reports.mkdir(parents=True, exist_ok=True)
    target, fresh, stale = reports / study, reports / f".{study}.new", reports / f".{study}.old"
    with _lock(reports):
        for leftover in (fresh, stale):
            shutil.rmtree(leftover, ignore_errors=True)
        shutil.copytree(reported, fresh)
        if target.exists():
            target.rename(stale)
        fresh.rename(target)
        shutil.rmtree(stale, ignore_errors=True)
        _replace(reports / "index.html", _index(reports))
        manifest = target / f"manifest-{fingerprint}.json"
        _replace(manifest, json.dumps(_manifest(target, study, fingerprint), indent=1) + "\n")
    return manifest


@contextmanager
def _lock(reports: Path) -> Iterator[None]:
    """One publication at a time; the kernel gives the lock back when a process is killed."""
    path = reports.parent / ".sixteen" / "locks" / "reports"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _manifest(folder: Path, study: str, fingerprint: str) -> dict[str, object]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }
    return {"study": study, "fingerprint": fingerprint, "files": digests}


def _index(reports: Path) -> str:
    """The list of the studies that are published, by name."""
    rows = []
    for path in sorted(reports.glob("*/provenance.json")):
        folder = path.parent
        provenance = read_json(path)
        told = provenance["records"][provenance["summary"]]["parameters"]
        claims = read_json(folder / "tables" / "claims.json")["claims"]
        rows.append(
            (
                f'<a href="{escape(folder.name)}/index.html">{escape(told["title"])}</a><br>'
                f"{tally(claim['verdict'] for claim in claims)}<br>"
                f'<span class="quiet">{escape(folder.name)}, dataset {escape(told["dataset"])}, '
                f"{escape(told['scale'])} scale</span>",
                "<br>".join(map(escape, told["papers"])),
            )
        )
    body = (
        "<h1>Reports</h1>\n<p>What each study says about the claims of its papers. Every page holds its "
        "numbers, their intervals, and the way back to the data.</p>\n"
    )
    return page(
        "Reports",
        body + table("Studies, and how many claims each decides", ("Study", "Papers"), rows),
    )
