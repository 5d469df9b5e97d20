"""The record beside every artefact: what it was made from, with which parameters and code, byte by byte."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.lineage import fingerprint

NAME = "record.json"
ROOTS = ("data/prepared", "results")


def sha256_of(path: Path) -> str:
    """SHA-256 (64 hex digits) of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(folder: Path) -> dict[str, dict[str, Any]]:
    """``{name: {"sha256", "bytes"}}`` of every file below a run's folder but its record."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / NAME)
    return {
        path.relative_to(folder).as_posix(): {
            "sha256": sha256_of(path),
            "bytes": path.stat().st_size,
        }
        for path in files
    }


def seal_of(record: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON of a record without its own seal."""
    return fingerprint.digest({key: value for key, value in record.items() if key != "seal"})


def fingerprint_in(record: dict[str, Any]) -> str:
    """The fingerprint that the contents of a record amount to, to hold against the one that it states."""
    parents = {role: path.rpartition("/")[2] for role, path in record["parents"].items()}
    code = fingerprint.digest(record["code"]["modules"])
    folder = record["path"].rpartition("/")[0]
    return fingerprint.fingerprint_of(folder, record["parameters"], code, parents)


def write(folder: Path, record: dict[str, Any]) -> None:
    """Seal a record and write it into the run's folder."""
    (folder / NAME).write_text(text_of(record | {"seal": seal_of(record)}), encoding="utf-8")


def text_of(record: dict[str, Any]) -> str:
    """The one spelling of a record in its file."""
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n"


def read(folder: Path) -> dict[str, Any]:
    """Read the record of a run. Raises UserError if there is none, or if it isn't as it was written."""
    path = folder / NAME
    record: dict[str, Any] = {}
    try:
        record = json.loads(path.read_bytes())
        sealed = record["seal"] == seal_of(record)
    except FileNotFoundError:
        raise UserError(f"expected a finished run in {folder}, found no {NAME} there") from None
    except (ValueError, KeyError, TypeError):
        sealed = False
    if not sealed:
        raise UserError(
            f"{path} isn't as it was written: restore it with `dvc checkout`, or remove {folder} and run "
            "snakemake again"
        )
    return record


def find(root: Path) -> Iterator[Path]:
    """Folders of all runs below a project's data/ and results/, in order of their paths.

    A hidden folder is one that a killed job has not renamed yet, and no run.
    """
    for name in ROOTS:
        for folder, folders, files in os.walk(root / name, followlinks=True):
            folders[:] = sorted(other for other in folders if not other.startswith("."))
            if NAME in files:
                yield Path(folder)
