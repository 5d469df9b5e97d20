"""All records of a project at once, and what of them still holds: bytes on disk, and what each run read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.lineage import record
from sixteen.lineage.places import KEPT, expect_folders

Record = dict[str, Any]


def sources(kept: Record) -> dict[str, str]:
    """The files that a run read and no run made, with their digests: archives of datasets, notebooks."""
    parents = tuple(f"{path}/" for path in kept["parents"].values())
    return {name: digest for name, digest in kept["inputs"].items() if not name.startswith(parents)}


@dataclass(frozen=True)
class Archive:
    """All records of a project that are as they were sealed, by the path of their run.

    They stand beside the runs, and for each published report also in its folder, so that a clone without
    ``results/`` knows them too. ``broken`` names the files that hold records with a broken seal.
    """

    root: Path
    records: dict[str, Record]
    published: dict[str, str]  # path of a reported run -> folder of its published copy
    broken: list[str]

    @classmethod
    def of(cls, root: Path) -> "Archive":
        """Read the records below a project's folder. Raises UserError if there is nothing to read."""
        expect_folders(root / name for name in KEPT)
        records: dict[str, Record] = {}
        published: dict[str, str] = {}
        broken: list[str] = []
        for file in sorted((root / "reports").glob("[!.]*/provenance.json")):
            if (closure := record.closure_in(file)) is None:
                broken.append(file.relative_to(root).as_posix())
            else:
                records |= closure
        reports = [file.parent for file in sorted((root / "reports").glob(f"[!.]*/{record.NAME}"))]
        for folder in [*reports, *record.find(root)]:
            try:
                kept = record.read(folder)
            except UserError:
                broken.append((folder / record.NAME).relative_to(root).as_posix())
                continue
            records[kept["path"]] = kept
            if folder in reports:
                published[kept["path"]] = folder.relative_to(root).as_posix()
        if not records:
            raise UserError(
                "expected runs under results/ or reports/ of the current folder, found none that can be read: "
                "run this from the top of the project"
            )
        return cls(root, records, published, sorted(broken))

    @cached_property
    def makers(self) -> dict[str, list[tuple[str, str]]]:
        """SHA-256 of every recorded output -> the runs that wrote such bytes, the earliest first."""
        index: dict[str, list[tuple[str, str]]] = {}
        for path, kept in sorted(
            self.records.items(), key=lambda item: item[1]["execution"]["started"]
        ):
            for name, output in kept["outputs"].items():
                index.setdefault(output["sha256"], []).append((path, name))
        return index

    def closure(self, path: str) -> list[str]:
        """A run and all that it started from, as far as records are here; children before parents."""
        reached = {path: None}
        pending = [path]
        while pending:
            for parent in self.records[pending.pop()]["parents"].values():
                if parent not in reached and parent in self.records:
                    reached[parent] = None
                    pending.append(parent)
        return list(reached)

    def places(self, path: str, name: str) -> list[Path]:
        """Where the output of a run stands: in its own folder, and in that of the published report."""
        folders = [path, *([self.published[path]] if path in self.published else [])]
        return [file for folder in folders if (file := self.root / folder / name).is_file()]


@dataclass
class Check:
    """What was compared for some runs, and what came out. Files are named by run and name."""

    matching: int = 0
    absent: int = 0
    differing: list[str] = field(default_factory=list)
    agreeing: int = 0
    disagreeing: list[str] = field(default_factory=list)
    unknown: int = 0  # parents that no record in this clone describes

    def __add__(self, other: "Check") -> "Check":
        return Check(*(getattr(self, name) + getattr(other, name) for name in vars(self)))

    @property
    def clean(self) -> bool:
        """Nothing that was compared differs."""
        return not (self.differing or self.disagreeing)

    def __str__(self) -> str:
        files = self.matching + self.absent + len(self.differing)
        parts = [f"bytes match {self.matching}/{files}"] if self.matching or self.differing else []
        if self.absent:
            parts.append(f"{self.absent} of {files} files not in this clone")
        if edges := self.agreeing + len(self.disagreeing):
            parts.append(f"inputs agree with what parents wrote {self.agreeing}/{edges}")
        if self.unknown:
            parts.append(f"records of {self.unknown} parents not in this clone")
        return ", ".join(parts)


def check(archive: Archive, paths: Iterable[str]) -> Check:
    """Hash the files of runs that are here, and hold what each run read against what its parents wrote."""
    total = Check()
    for path in paths:
        kept = archive.records[path]
        if wrong := record.refuted(kept):
            total.differing.append(f"{path}/{record.NAME}, which {wrong}")
        for name, output in kept["outputs"].items():
            digests = {record.sha256_of(file) for file in archive.places(path, name)}
            if not digests:
                total.absent += 1
            elif digests == {output["sha256"]}:
                total.matching += 1
            else:
                total.differing.append(f"{path}/{name}")
        for parent in set(kept["parents"].values()):
            if parent not in archive.records:
                total.unknown += 1
                continue
            for name, output in archive.records[parent]["outputs"].items():
                if kept["inputs"].get(f"{parent}/{name}") == output["sha256"]:
                    total.agreeing += 1
                else:
                    total.disagreeing.append(f"{parent}/{name} as read by {path}")
    return total
