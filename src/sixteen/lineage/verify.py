"""Whether every run is as it was written: files against their records, records against their parents."""

from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from sixteen.errors import UserError
from sixteen.lineage import record
from sixteen.lineage.archive import Record, sources
from sixteen.lineage.places import KEPT
from sixteen.lineage.steps import place_of


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


class Verification:
    """What is in a project, by digest, and what its runs' records say of it.

    `unaccounted` are the files that nothing has spoken of yet; those of published reports are left to
    `sixteen.reporting.verify`.
    """

    def __init__(self, root: Path) -> None:
        """Hash every file of runs and published reports, with progress on a terminal, and check the runs."""
        self.root = root
        self.report = Report()
        self.records: dict[str, Record] = {}
        found = [path for name in KEPT for path in record.files_in(root / name)]
        present = [path for path in found if path.is_file()]
        for path in sorted(set(found) - set(present)):
            self.find(
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

    def find(self, finding: str) -> None:
        """Something is wrong."""
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
            self.find(str(error))
            self.account(place)

    def account(self, place: str) -> None:
        """Say nothing of the files in a folder that something is wrong with as a whole."""
        self.unaccounted -= {name for name in self.unaccounted if name.startswith(f"{place}/")}

    def _run(self, place: str, kept: Record) -> None:
        if kept["path"] != place:
            self.find(f"{place} holds the record of {kept['path']}: move it back there")
        elif wrong := record.refuted(kept):
            self.find(f"{place}/{record.NAME} {wrong}: remove {place} and run snakemake again")
        for name, output in kept["outputs"].items():
            self.file(place, name, output["sha256"], f"the record of {place}")
        for parent in sorted(set(kept["parents"].values())):
            self._edge(place, kept, parent)
        for name, digest in sources(kept).items():
            self._source(place, name, digest)

    def file(self, place: str, path: str, digest: str, says: str) -> None:
        """Compare one file of a run, or of a published report, that something in this clone says must be there."""
        name = f"{place}/{path}"
        self.unaccounted.discard(name)
        if name not in self.digests:
            self.find(f"{name} is missing, {says} names it: restore it with `dvc pull`")
        elif self.digests[name] != digest:
            self.find(
                f"{name} differs from {says} (sha256 {digest[:12]}… there, {self.digests[name][:12]}… found): "
                f"restore it with `dvc checkout`, or, if that brings the same, remove {place} and run snakemake"
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
                self.find(
                    f"{place} read {name} with other bytes than its maker recorded: remove {place} and run "
                    "snakemake again"
                )

    def _source(self, place: str, name: str, digest: str) -> None:
        """A file that no run made: an archive is immutable, others may be edited after they were read."""
        file = self.root / place_of(name)
        if file.is_file() and record.sha256_of(file) != digest:
            said = f"{name} isn't any more as {place} read it"
            where = self.report.findings if name.startswith("data/") else self.report.notes
            where.append(said)
