"""The record beside every artefact: what it was made from, with which parameters and code, byte by byte."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from sixteen.entry import Entry, NotNegative, Sha256
from sixteen.errors import UserError
from sixteen.files import walk
from sixteen.lineage import fingerprint
from sixteen.lineage.steps import STEPS

NAME = "record.json"
ROOTS = ("data/prepared", "results")


def _known(step: str) -> str:
    if step not in STEPS:
        raise ValueError(f"expected a step ({', '.join(STEPS)}), came {step!r}")
    return step


def _inside(path: str) -> str:
    if PurePosixPath(path).as_posix() != path or path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"expected a path inside of its folder, came {path!r}")
    return path


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Bytes = Annotated[int, Field(ge=0)]
Inside = Annotated[str, AfterValidator(_inside)]
Moment = Annotated[str, AfterValidator(_moment)]


class _Output(Entry):
    sha256: Sha256
    bytes: Bytes


class _Code(Entry):
    digest: Sha256
    modules: dict[str, Sha256]


class _Facts(Entry):
    """Whatever a step tells of itself; what is read of all steps alike has a type."""

    model_config = ConfigDict(extra="allow")

    device: str = ""


class _Execution(Entry):
    """When, where and by what a run was made: what every record has, beside facts that came later."""

    model_config = ConfigDict(extra="allow")

    started: Moment
    ended: Moment
    seconds: NotNegative
    command: str
    host: str
    cpu: str
    cores: int | None
    memory_bytes: Bytes
    python: str
    packages: dict[str, str]
    git_commit: str | None
    git_dirty: bool | None


class _Record(Entry):
    """The shape of a record: whoever reads one may rely on it."""

    fingerprint: Annotated[str, Field(pattern=r"\A[0-9a-f]{12}\z")]
    step: Annotated[str, AfterValidator(_known)]
    path: Inside
    parameters: dict[str, Any]
    code: _Code
    parents: dict[str, Inside]
    inputs: dict[str, Sha256]
    outputs: dict[Inside, _Output]
    facts: _Facts
    execution: _Execution
    seal: Sha256


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


def refuted(kept: dict[str, Any]) -> str | None:
    """What is wrong with a record whose contents don't amount to the fingerprint of its run; None if they do.

    A seal alone would vouch for parameters that somebody wrote there afterwards.
    """
    found = fingerprint_in(kept)
    if kept["fingerprint"] == kept["path"].rpartition("/")[2] == found:
        return None
    return f"states a fingerprint that its contents don't amount to ({found})"


def fingerprint_in(record: dict[str, Any]) -> str:
    """The fingerprint that the contents of a record amount to, to hold against the one that it states."""
    code = record["code"]["modules"]
    return fingerprint.amounts_to(record["path"], record["parameters"], code, record["parents"])


def write(folder: Path, record: dict[str, Any]) -> None:
    """Seal a record and write it into the run's folder."""
    (folder / NAME).write_text(text_of(record | {"seal": seal_of(record)}), encoding="utf-8")


def text_of(record: dict[str, Any]) -> str:
    """The one spelling of a record in its file."""
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n"


def sound(kept: Any) -> bool:
    """Whether what was read is a record: of its shape, and with a seal that holds."""
    try:
        _Record.model_validate(kept)
        return kept["seal"] == seal_of(kept)
    except (ValueError, RecursionError):
        return False


def read(folder: Path) -> dict[str, Any]:
    """Read the record of a run. Raises UserError if there is none, or if it isn't as `write` leaves one."""
    path = folder / NAME
    if not path.is_file():
        raise UserError(f"expected a finished run in {folder}, found no {NAME} there")
    try:
        content = path.read_bytes()
        record = json.loads(content)
        if sound(record) and content == text_of(record).encode():
            return record
    except (OSError, ValueError, RecursionError):
        pass
    raise UserError(
        f"{path} isn't as it was written: restore it with `dvc checkout`, or remove {folder} and run "
        "snakemake again"
    )


def closure_in(file: Path) -> dict[str, dict[str, Any]] | None:
    """The records that a report's provenance.json holds, by path; None if one of them isn't sound."""
    if not file.is_file():  # to read from a pipe is to wait for ever
        return None
    try:
        closure = json.loads(file.read_bytes())["records"]
        if all(sound(kept) and kept["path"] == path for path, kept in closure.items()):
            return closure
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return None


def of(root: Path, path: str) -> dict[str, Any]:
    """The record of the run at a path of the project.

    Raises UserError as `read` does, for that of another run, and for one of other contents than its fingerprint.
    """
    record = read(root / path)
    if record["path"] != path:
        raise UserError(f"{path} holds the record of {record['path']}: move it back there")
    if wrong := refuted(record):
        raise UserError(f"{path}/{NAME} {wrong}: remove {path} and run snakemake again")
    return record


def intact(root: Path, path: str) -> dict[str, Any]:
    """The record of the run at a path whose files are all there, byte for byte.

    Raises UserError naming what isn't as recorded.
    """
    folder, record = root / path, of(root, path)
    for name, output in record["outputs"].items():
        file = folder / name
        if not file.is_file():
            raise UserError(
                f"{file} is recorded and missing: restore it with `dvc pull`, or remove {folder} and run "
                "snakemake again"
            )
        if sha256_of(file) != output["sha256"]:
            raise UserError(
                f"{file} differs from its record: restore it with `dvc checkout`, or remove {folder} and "
                "run snakemake again"
            )
    return record


def files_in(folder: Path) -> Iterator[Path]:
    """All files below a folder but hidden ones, which a killed run left behind, and DVC's own notes."""
    for path, folders, names in walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (
            Path(path, name)
            for name in names
            if not name.startswith(".") and not name.endswith(".dvc")
        )


def find(root: Path) -> Iterator[Path]:
    """Folders of all runs below a project's data/ and results/, in order of their paths.

    A hidden folder is one that a killed job has not renamed yet, and no run.
    """
    for name in ROOTS:
        for folder, folders, files in walk(root / name):
            folders[:] = sorted(other for other in folders if not other.startswith("."))
            if NAME in files:
                yield Path(folder)
