"""The lineage of a file, or of a whole report, as a Workflow Run RO-Crate, which other tools can read.

Profile: Provenance Run Crate 0.5 (https://w3id.org/ro/wfrun/provenance/0.5) on RO-Crate 1.1. The crate holds
its metadata, what was traced, and the workflow with all that it takes to run it, each where it stands in the project.
Every other file is described with its SHA-256 and stays where it is, which is why its identifier begins with `#`.
"""

import json
import os
import shutil
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sixteen.errors import UserError
from sixteen.lineage import crate_about, crate_runs, record
from sixteen.lineage.archive import Archive, Record, sources
from sixteen.lineage.crate_runs import Entity, refs
from sixteen.lineage.steps import manifest_of
from sixteen.lineage.trace import Found

CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
]
UNNEEDED = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")


class Held(NamedTuple):
    """A file that the crate holds: its place in the crate, where it is now, and the output of the run that it is, if any."""

    place: str
    source: Path
    output: str | None


def write(archive: Archive, found: Found, traced: Path, out: Path) -> None:
    """Write the crate of a found file, or of the folder of the run that it lies in, into the folder ``out``.

    Raises UserError if ``out`` is neither new nor empty, if the workflow isn't here, and if a file of the folder isn't as
    it was recorded.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"expected a new or empty folder for the crate, came {out}: choose another")
    workflow = crate_about.WORKFLOW
    if not (archive.root / workflow).is_file():
        raise UserError(
            f"expected the {workflow} in the current folder, for the crate holds it: run this from the top of "
            "the project"
        )
    parts = crate_about.parts(archive.root)
    held = _held(archive, found, traced)
    graph = _graph(archive, found, traced, parts, held)
    out.mkdir(parents=True, exist_ok=True)
    for part in parts.values():
        if part.is_dir():
            shutil.copytree(part, out / part.name, ignore=UNNEEDED)
        else:
            shutil.copyfile(part, out / part.name)
    for file in held:
        (out / file.place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.source, out / file.place)
    text = json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1, ensure_ascii=False)
    (out / "ro-crate-metadata.json").write_text(text + "\n", encoding="utf-8")


def _held(archive: Archive, found: Found, traced: Path) -> list[Held]:
    """The traced file, or all files of the traced folder."""
    if traced.is_file():
        return [Held(_place(archive, traced), traced, found.name)]
    outputs, held = archive.records[found.path]["outputs"], []
    beside = {record.NAME, manifest_of(archive.records[found.path]["fingerprint"])}
    for file in sorted(path for path in traced.rglob("*") if path.is_symlink() or path.is_file()):
        name = file.relative_to(traced).as_posix()
        if name not in {*outputs, *beside} or file.is_symlink():
            raise UserError(
                f"expected only what the record of {found.path} names in {traced}, came {name}: remove it, or keep it "
                "elsewhere"
            )
        if name in outputs and record.sha256_of(file) != outputs[name]["sha256"]:
            raise UserError(
                f"{file} isn't what {found.path} wrote: restore it with `dvc checkout`, or remove {traced} and run "
                "snakemake again"
            )
        held.append(Held(_place(archive, file), file, name if name in outputs else None))
    return held


def _place(archive: Archive, file: Path) -> str:
    """Where a file stands in the project; of one from elsewhere the name alone."""
    inside = Path(os.path.relpath(file, archive.root)).as_posix()
    return file.name if inside.startswith("../") else inside


def _graph(
    archive: Archive, found: Found, traced: Path, parts: dict[str, Path], held: list[Held]
) -> list[Entity]:
    """Every entity of the crate."""
    runs = [archive.records[path] for path in archive.closure(found.path)]
    runs.sort(key=lambda run: (run["execution"]["started"], run["path"]))
    read = {name: digest for run in runs for name, digest in sources(run).items()}
    files = _files(runs, read, found, held)
    ids = {entity.get("alternateName", entity["name"]): entity["@id"] for entity in files}
    span = {
        "startTime": min(run["execution"]["started"] for run in runs),
        "endTime": max(run["execution"]["ended"] for run in runs),
    }
    what = found.name if traced.is_file() else f"the report {traced.as_posix()}"
    whole = {
        "@id": "#workflow",
        "@type": "CreateAction",
        "name": archive.records[found.path]["execution"]["command"],
        "description": f"All {len(runs)} runs as one, from what no run made to {what}.",
        "agent": {"@id": crate_runs.AGENT},
        "instrument": {"@id": crate_about.WORKFLOW},
        "object": refs(ids[name] for name in read),
        "result": refs(quote(file.place) for file in held if file.output is not None),
    }
    return [
        *crate_about.root(what, runs, [*parts, *(quote(file.place) for file in held)]),
        *crate_about.workflow(parts, runs),
        whole | span,
        crate_runs.organizing(runs) | span,
        *(entity for run in runs for entity in crate_runs.action(run, ids)),
        *files,
    ]


def _files(
    runs: list[Record], read: dict[str, str], found: Found, held: list[Held]
) -> list[Entity]:
    """The files that the crate holds, what no run made, and the outputs of all runs."""
    files, here = [], set()
    for one in held:
        size = one.source.stat().st_size
        entity = crate_runs.file(quote(one.place), one.place, record.sha256_of(one.source), size)
        if one.output is not None:
            entity["alternateName"] = f"{found.path}/{one.output}"
            here.add(entity["alternateName"])
        files.append(entity)
    files += [crate_runs.file(f"#{name}", name, digest) for name, digest in read.items()]
    for run in runs:
        for name, output in run["outputs"].items():
            place = f"{run['path']}/{name}"
            if place not in here:
                files.append(crate_runs.file(f"#{place}", place, output["sha256"], output["bytes"]))
    return files
