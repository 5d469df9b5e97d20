"""Whether everything is as it was written: runs against their records, records against their parents,
published reports against the runs that they are copies of.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from sixteen.errors import UserError
from sixteen.lineage import record
from sixteen.lineage.archive import Record, sources
from sixteen.reporting import publish

# What differs in the record of a run that is made anew.
CHANGING = ("execution", "facts", "seal")


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
    report = _Verification(root).report
    if not report.files:
        raise UserError(
            "expected runs or reports to verify, found none here: make them with snakemake, or fetch them with "
            "`dvc pull --allow-missing`"
        )
    return report


class _Verification:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.report = Report()
        self.records: dict[str, Record] = {}
        found = [
            path for name in (*record.ROOTS, "reports") for path in record.files_in(root / name)
        ]
        present = [path for path in found if path.is_file()]
        for path in sorted(set(found) - set(present)):
            self._find(
                f"{path.relative_to(root).as_posix()} is no file that can be read, but a pipe, a device or a link "
                "that leads nowhere: remove it, or restore it with `dvc checkout`"
            )
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
        for folder in sorted((root / "reports").glob("[!.]*/")):
            self._published(folder)
        self._index()
        self._strays()

    def _find(self, finding: str) -> None:
        self.report.findings.append(finding)

    def _digest(self, file: Path) -> str:
        size = file.stat().st_size
        self.report.files += 1
        self.report.bytes += size
        digest = record.sha256_of(file)
        self.progress.update(size)
        return digest

    def _read(self, folder: Path) -> None:
        """A record counts only if every byte of it is as `record.write` leaves it."""
        place = folder.relative_to(self.root).as_posix()
        self.report.runs += 1
        self.unaccounted.discard(f"{place}/{record.NAME}")
        try:
            self.records[place] = record.read(folder)
        except UserError as error:
            self._find(str(error))
            self._account(place)

    def _account(self, place: str) -> None:
        """Say nothing of the files in a folder that something is wrong with as a whole."""
        self.unaccounted -= {name for name in self.unaccounted if name.startswith(f"{place}/")}

    def _run(self, place: str, kept: Record) -> None:
        if kept["path"] != place:
            self._find(f"{place} holds the record of {kept['path']}: move it back there")
        elif not kept["fingerprint"] == place.rpartition("/")[2] == record.fingerprint_in(kept):
            self._find(
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
            self._find(f"{name} is missing, {says} names it: restore it with `dvc pull`")
        elif self.digests[name] != digest:
            self._find(
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
                self._find(
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

    def _published(self, folder: Path) -> None:
        """A published report against its record and its manifest, and these against the reported run."""
        place = folder.relative_to(self.root).as_posix()
        if not any(name.startswith(f"{place}/") for name in self.digests):
            return  # Snakemake makes folders beforehand
        try:
            kept = record.read(folder)
        except UserError as error:
            self._find(str(error))
            self._account(place)
            return
        self.unaccounted.discard(f"{place}/{record.NAME}")
        for path, output in kept["outputs"].items():
            self._file(f"{place}/{path}", output["sha256"], f"the record in {place}")
        manifest = folder / publish.name_of(kept)
        self.unaccounted.discard(f"{place}/{manifest.name}")
        stated = publish.stated(folder.name, kept).encode()
        if not manifest.is_file() or manifest.read_bytes() != stated:
            self._find(
                f"{place}/{manifest.name} doesn't state what the record beside it does: {_again(place)}"
            )
        self._copied(place, kept)

    def _copied(self, place: str, kept: Record) -> None:
        """What a published report is a copy of, and the records of all that it started from."""
        study, run = place.rpartition("/")[2], kept["path"]
        if not run.startswith(f"results/{study}/") or kept["step"] != "report":
            self._find(f"{place} is a copy of {run}, which is no report of it: {_again(place)}")
        if not kept["fingerprint"] == run.rpartition("/")[2] == record.fingerprint_in(kept):
            self._find(
                f"{place}/{record.NAME} states a fingerprint that its contents don't amount to: {_again(place)}"
            )
        if run in self.records and self.records[run] != kept:
            self._find(
                f"{place} and {run} have different records, so that one isn't a copy of the other: {_again(place)}"
            )
        closure = record.closure_in(self.root / place / "provenance.json")
        if closure is None:
            self._find(
                f"{place}/provenance.json holds a record that isn't as it was written: {_again(place)}"
            )
        for path, then in (closure or {}).items():
            now = self.records.get(path, then)
            if now == then:
                continue
            if {**now, **dict.fromkeys(CHANGING)} == {**then, **dict.fromkeys(CHANGING)}:
                self.report.notes.append(
                    f"{path} was made anew since {place} was made, or its record edited: times or devices differ"
                )
            else:
                self._find(
                    f"{path} has another record than when {place} was made: restore it with `dvc checkout`, or "
                    f"{_again(place)}"
                )

    def _index(self) -> None:
        """The list of reports, made again from those that are here."""
        name = "reports/index.html"
        self.unaccounted.discard(name)
        reports = self.root / "reports"
        try:
            expected = publish.index(reports)
        except UserError as error:
            self._find(str(error))
            return
        if name not in self.digests:
            if any(reports.glob("[!.]*/manifest-*.json")):
                self._find(f"{name} is missing: run snakemake, which makes it again")
            return
        listed, absent = publish.those_here(reports)
        self.report.notes.extend(
            f"{name} lists {study}, which isn't in this clone" for study in absent
        )
        if listed != expected:
            self._find(
                f"{name} isn't the list of the reports that are here: remove it and run snakemake, which makes it again"
            )

    def _strays(self) -> None:
        """Files that nothing speaks of."""
        for name in sorted(self.unaccounted):
            self._find(f"{name} is recorded by no run: remove it, or keep it elsewhere")


def _again(place: str) -> str:
    return f"remove {place} and run snakemake, which publishes it again"
