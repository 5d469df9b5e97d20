"""The folder ``reports/questions/``: the page that joins the studies of every open question, and what it was made of.

``manifest-<fingerprint>.json`` holds what the plan told the page, the summaries of the reports that were published when it
was written, and the SHA-256 of the page. So the page can be made again, and a changed plan asks for another.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.files import read_json, settle
from sixteen.lineage import fingerprint
from sixteen.lineage.questions import FOLDER
from sixteen.lineage.steps import Run, manifest_of
from sixteen.reporting import listed
from sixteen.reporting.listed import Report
from sixteen.reporting.questions import render

INDEX = f"{FOLDER}/index.html"
Asked = dict[str, Any]


def asked_by(page: Run) -> Asked:
    """What a planned page is told."""
    return {"asked": page.parameters, "code": fingerprint.digest(page.code)}


def manifest(reports: Path) -> Path | None:
    """The manifest of the page that stands there; None if there is none, or several."""
    found = list((reports / FOLDER).glob(manifest_of("*")))
    return found[0] if len(found) == 1 else None


def withdraw(reports: Path) -> Asked | None:
    """Take away the manifest of the page, which is to be written anew; returns what it was told, None if nothing tells that.

    Snakemake makes a page whose manifest is missing, so that none is left that is old, whatever comes between.
    """
    file = manifest(reports)
    if file is None:
        return None
    try:
        kept = read_json(file)
        return {key: kept[key] for key in ("asked", "code")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    finally:
        file.unlink()


def write(reports: Path, told: Asked) -> None:
    """Write the page of what the plan told and of the reports that are published, and last its manifest."""
    folder = reports / FOLDER
    folder.mkdir(exist_ok=True)
    for old in folder.glob(manifest_of("*")):
        old.unlink()
    here = those_published(reports)
    text = render(told["asked"], here)
    stated = state(told, {study: report.summary for study, report in here.items()}, text)
    for name, content in (("index.html", text), (manifest_of(_key(told)), stated)):
        partial = reports / f".{FOLDER}.new"
        partial.write_text(content, encoding="utf-8")
        settle(partial, folder / name)


def check(reports: Path) -> list[str]:
    """Hold the page that stands there against its manifest, and both against the reports that are here.

    Returns the studies that it joins and that aren't here: with some the page can't be made again, and isn't. Raises UserError
    if anything is otherwise than as it was written.
    """
    file, page = manifest(reports), reports / INDEX
    try:
        if file is None or not (file.is_file() and page.is_file()):
            raise FileNotFoundError
        stated, text = file.read_text(encoding="utf-8"), page.read_text(encoding="utf-8")
        kept = json.loads(stated)
        told, summaries = {key: kept[key] for key in ("asked", "code")}, kept["joined"]
        if stated != state(told, summaries, text) or file.name != manifest_of(_key(told)):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise UserError(
            f"expected a page and its manifest in {reports / FOLDER}, came files that aren't as they were written"
        ) from None
    here = those_published(reports)
    if absent := sorted(summaries.keys() - here.keys()):
        return absent
    now = {study: report.summary for study, report in here.items()}
    try:
        same = now == summaries and render(told["asked"], here) == text
    except (ValueError, KeyError, TypeError, AttributeError):  # no plan told it that
        same = False
    if not same:
        raise UserError(f"{page} isn't what the reports that are here amount to")
    return []


def state(told: Asked, summaries: dict[str, str], text: str) -> str:
    """What the manifest of a page says."""
    files = {"index.html": hashlib.sha256(text.encode()).hexdigest()}
    content = {"fingerprint": _key(told), **told, "joined": summaries, "files": files}
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def those_published(reports: Path) -> dict[str, Report]:
    """All published reports, by study. Raises UserError naming one that isn't as it was published."""
    found = {}
    for folder in listed.folders(reports):
        with listed.whole(folder):
            found[folder.name] = listed.read(folder)
    return found


def _key(told: Asked) -> str:
    return fingerprint.fingerprint_of(f"reports/{FOLDER}", told["asked"], told["code"], {})
