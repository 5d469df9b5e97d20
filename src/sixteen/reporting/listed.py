"""Published reports as those pages read them that list and join them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.files import read_json
from sixteen.lineage.steps import manifest_of


@dataclass(frozen=True)
class Report:
    """A published report: the path of its summary, what that was told, its claims, and the records of all behind it."""

    summary: str
    told: dict[str, Any]
    claims: list[dict[str, Any]]
    records: dict[str, dict[str, Any]]

    def judged(self, claims: list[dict[str, Any]]) -> list[dict[str, Any] | None]:
        """What the report says of each of these claims, in order; None of one that it judged in other words, or not at all."""
        asked = {claim["id"]: claim for claim in self.told["claims"]}
        verdicts = {claim["id"]: claim for claim in self.claims}
        return [
            verdicts.get(claim["id"]) if asked.get(claim["id"]) == claim else None
            for claim in claims
        ]


def folders(reports: Path) -> list[Path]:
    """The folders of the published reports, by name; without a manifest a folder holds what was published and is no more."""
    found = [file.parent for file in sorted(reports.glob("[!.]*/provenance.json"))]
    return [folder for folder in found if any(map(Path.is_file, folder.glob(manifest_of("*"))))]


def read(folder: Path) -> Report:
    """The published report in a folder; to be called within `whole`."""
    files = folder / "provenance.json", folder / "tables" / "claims.json"
    if not all(file.is_file() for file in files):  # to read from a pipe is to wait for ever
        raise FileNotFoundError
    (manifest,) = folder.glob(manifest_of("*"))
    stated = read_json(manifest)["files"]
    for file in files:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if digest != stated[file.relative_to(folder).as_posix()]:
            raise ValueError
    provenance, decided = map(read_json, files)
    summary, records = provenance["summary"], provenance["records"]
    return Report(summary, records[summary]["parameters"], decided["claims"], records)


@contextmanager
def whole(folder: Path) -> Iterator[None]:
    """Raises UserError naming the report if its files turn out not to be as they were published."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(
            f"expected a report in {folder}, came files that aren't as they were published: remove {folder} and run "
            "snakemake, which publishes it again"
        ) from None
