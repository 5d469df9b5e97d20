"""Whether everything is as it was written: runs against their records, records against their parents,
published reports against the runs that they are copies of.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sixteen.errors import UserError
from sixteen.lineage import record
from sixteen.lineage.archive import Record, sources


@dataclass
class Report:
    """What was compared (counts), what is wrong (findings), and what could not be compared (notes)."""

    runs: int = 0
    files: int = 0
    bytes: int = 0
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        found = f"{len(self.findings)} finding{'s' if len(self.findings) > 1 else ''}"
        verdict = found if self.findings else "all as recorded"
        size = f"{self.bytes / 1e6:,.1f} MB"
        return f"{self.runs:,} runs, {self.files:,} files, {size}: {verdict}"


def verify(root: Path) -> Report:
    """Hash every file of every run and published report, and compare all that is recorded about it.

    Shows progress on a terminal. Raises UserError if there is nothing to verify.
    """
    here = [name for name in (*record.ROOTS, "reports") if (root / name).is_dir()]
    if not here:
        raise UserError(
            "expected results/ or reports/ in the current folder, found none: run this from the top of the project"
        )
    return _Verification(root).report


class _Verification:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.report = Report()
        self.records: dict[str, Record] = {}
        present = [file for name in (*record.ROOTS, "reports") for file in _files(root / name)]
        self.progress = tqdm(
            total=sum(file.stat().st_size for file in present),
            desc="verify",
            unit="B",
            unit_scale=True,
            leave=False,
            disable=None,  # on a terminal only
        )
        with self.progress:
            self.digests = {
                file.relative_to(root).as_posix(): self._digest(file) for file in present
            }
        self.unaccounted = set(self.digests)
        for folder in record.find(root):
            self._read(folder)
        for place, kept in self.records.items():
            self._run(place, kept)
        for file in sorted((root / "reports").glob("*/manifest-*.json")):
            self._published(file)
        self._strays()

    def _digest(self, file: Path) -> str:
        size = file.stat().st_size
        self.report.files += 1
        self.report.bytes += size
        digest = record.sha256_of(file)
        self.progress.update(size)
        return digest

    def _read(self, folder: Path) -> None:
        """A record counts only if its seal holds and every byte is as `record.write` spells it."""
        place = folder.relative_to(self.root).as_posix()
        self.report.runs += 1
        try:
            self.records[place] = record.read(folder)
        except UserError as error:
            self.report.findings.append(str(error))
            self.unaccounted -= {name for name in self.unaccounted if name.startswith(f"{place}/")}
            return
        self._spelled(folder / record.NAME, record.text_of(self.records[place]))

    def _spelled(self, file: Path, expected: str) -> None:
        name = file.relative_to(self.root).as_posix()
        self.unaccounted.discard(name)
        if file.read_bytes() != expected.encode():
            self.report.findings.append(
                f"{name} isn't as it was written: restore it with `dvc checkout`"
            )

    def _run(self, place: str, kept: Record) -> None:
        if kept["path"] != place:
            self.report.findings.append(
                f"{place} holds the record of {kept['path']}: move it back there"
            )
        elif not kept["fingerprint"] == place.rpartition("/")[2] == record.fingerprint_in(kept):
            self.report.findings.append(
                f"{place}/{record.NAME} states a fingerprint that its contents don't amount to "
                f"({record.fingerprint_in(kept)}): remove {place} and run snakemake again"
            )
        for name, output in kept["outputs"].items():
            self._file(f"{place}/{name}", output["sha256"], f"the record of {place}")
        for parent in sorted(set(kept["parents"].values())):
            self._edge(place, kept, parent)
        for name, digest in sources(kept).items():
            self._source(place, name, digest)

    def _file(self, name: str, digest: str, says: str) -> None:
        """Compare one file that something in this clone says must be there."""
        self.unaccounted.discard(name)
        if name not in self.digests:
            self.report.findings.append(
                f"{name} is missing, {says} names it: restore it with `dvc pull`"
            )
        elif self.digests[name] != digest:
            self.report.findings.append(
                f"{name} differs from {says} (sha256 {digest[:12]}… there, {self.digests[name][:12]}… found): "
                "restore it with `dvc checkout`"
            )

    def _edge(self, place: str, kept: Record, parent: str) -> None:
        if parent not in self.records:
            if not (self.root / parent / record.NAME).exists():
                self.report.notes.append(
                    f"{parent}, which {place} starts from, isn't in this clone"
                )
            return
        wrote = {
            f"{parent}/{name}": o["sha256"] for name, o in self.records[parent]["outputs"].items()
        }
        read = {name: d for name, d in kept["inputs"].items() if name.startswith(f"{parent}/")}
        for name in sorted(wrote.keys() | read.keys()):
            if wrote.get(name) != read.get(name):
                self.report.findings.append(
                    f"{place} read {name} with other bytes than its maker recorded: remove {place} and run "
                    "snakemake again"
                )

    def _source(self, place: str, name: str, digest: str) -> None:
        """A file that no run made: an archive is immutable, others may be edited after they were read."""
        file = self.root / os.path.expandvars(name)
        if file.is_file() and record.sha256_of(file) != digest:
            said = f"{name} isn't any more as {place} read it"
            where = self.report.findings if name.startswith("data/") else self.report.notes
            where.append(said)

    def _published(self, file: Path) -> None:
        """A published report against its manifest, and that against the record of the reported run."""
        place = file.parent.relative_to(self.root).as_posix()
        name = file.relative_to(self.root).as_posix()
        manifest: dict[str, Any] = {}
        files: dict[str, str] = {}
        try:
            manifest = json.loads(file.read_bytes())
            files = dict(manifest["files"])
            stated = f"{manifest['study']}/manifest-{manifest['fingerprint']}.json"
            sound = stated == name.partition("/")[2]
        except (ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            self.unaccounted -= {
                other for other in self.unaccounted if other.startswith(f"{place}/")
            }
            self.report.findings.append(
                f"{name} isn't as it was written: remove it and run snakemake again"
            )
            return
        self._spelled(file, json.dumps(manifest, indent=1) + "\n")
        for path, digest in files.items():
            self._file(f"{place}/{path}", digest, name)
        try:
            reported = record.read(file.parent)
        except UserError:
            return  # named already, by its manifest
        for path, output in reported["outputs"].items():
            if files.get(path) != output["sha256"]:
                self.report.findings.append(
                    f"{name} and the record beside it don't agree about {path}: remove {name} and run "
                    "snakemake again"
                )

    def _strays(self) -> None:
        """Files that nothing speaks of. The list of reports is made anew at each publication."""
        for name in sorted(self.unaccounted - {"reports/index.html"}):
            self.report.findings.append(
                f"{name} is recorded by no run: remove it, or keep it elsewhere"
            )


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder but hidden ones, which a killed run left behind, and DVC's own notes."""
    for path, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (
            Path(path, name)
            for name in names
            if not name.startswith(".") and not name.endswith(".dvc")
        )
