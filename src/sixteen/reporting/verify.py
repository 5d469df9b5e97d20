"""Whether everything is as it was written: every run, and published reports against the runs that they are copies of."""

from pathlib import Path

from sixteen.errors import UserError
from sixteen.lineage import record
from sixteen.lineage.archive import Record
from sixteen.lineage.places import KEPT, expect_folders
from sixteen.lineage.questions import FOLDER
from sixteen.lineage.steps import manifest_of
from sixteen.lineage.verify import Report, Verification
from sixteen.reporting import joined, publish

# What differs in the record of a run that is made anew.
CHANGING = ("execution", "facts", "seal")


def verify(root: Path) -> Report:
    """Hash every file of every run and published report, and compare all that is recorded about it.

    Shows progress on a terminal. Raises UserError if there is nothing to verify, or a file where a folder belongs.
    """
    expect_folders(root / name for name in KEPT)
    if not any((root / name).is_dir() for name in KEPT):
        raise UserError(
            "expected results/ or reports/ in the current folder, found none: run this from the top of the project"
        )
    found = Verification(root)
    for folder in sorted((root / "reports").glob("[!.]*/")):
        if folder.name != FOLDER:
            _published(found, folder)
    _questions(found)
    _index(found)
    _strays(found)
    if not found.report.files:
        raise UserError(
            "expected runs or reports to verify, found none here: make them with snakemake, or fetch them with "
            "`dvc pull --allow-missing`"
        )
    return found.report


def _published(found: Verification, folder: Path) -> None:
    """A published report against its record and its manifest, and these against the reported run."""
    place = folder.relative_to(found.root).as_posix()
    if not any(name.startswith(f"{place}/") for name in found.digests):
        return  # Snakemake makes folders beforehand
    try:
        kept = record.read(folder)
    except UserError as error:
        found.find(str(error))
        found.account(place)
        return
    found.unaccounted.discard(f"{place}/{record.NAME}")
    for path, output in kept["outputs"].items():
        found.file(place, path, output["sha256"], f"the record in {place}")
    manifest = folder / manifest_of(kept["fingerprint"])
    found.unaccounted.discard(f"{place}/{manifest.name}")
    stated = publish.stated(folder.name, kept).encode()
    if not manifest.is_file() or manifest.read_bytes() != stated:
        found.find(
            f"{place}/{manifest.name} doesn't state what the record beside it does: {_again(place)}"
        )
    _copied(found, place, kept)


def _copied(found: Verification, place: str, kept: Record) -> None:
    """The reported run that a published report is a copy of."""
    study, run = place.rpartition("/")[2], kept["path"]
    if not run.startswith(f"results/{study}/") or kept["step"] != "report":
        found.find(f"{place} is a copy of {run}, which is no report of it: {_again(place)}")
    if not kept["fingerprint"] == run.rpartition("/")[2] == record.fingerprint_in(kept):
        found.find(
            f"{place}/{record.NAME} states a fingerprint that its contents don't amount to: {_again(place)}"
        )
    if run in found.records and found.records[run] != kept:
        found.find(
            f"{place} and {run} have different records, so that one isn't a copy of the other: {_again(place)}"
        )
    _began_with(found, place)


def _began_with(found: Verification, place: str) -> None:
    """The records that a published report holds of all that it started from, and those that are here now."""
    closure = record.closure_in(found.root / place / "provenance.json")
    if closure is None:
        found.find(
            f"{place}/provenance.json holds a record that isn't as it was written: {_again(place)}"
        )
    for path, then in (closure or {}).items():
        now = found.records.get(path, then)
        if now == then:
            continue
        if {**now, **dict.fromkeys(CHANGING)} == {**then, **dict.fromkeys(CHANGING)}:
            found.report.notes.append(
                f"{path} was made anew since {place} was made, or its record edited: times or devices differ"
            )
        else:
            found.find(
                f"{path} has another record than when {place} was made: restore it with `dvc checkout`, or "
                f"{_again(place)}"
            )


def _questions(found: Verification) -> None:
    """The page that joins the studies of open questions, made again from its manifest and the reports that are here."""
    reports, place = found.root / "reports", f"reports/{FOLDER}"
    if not any(name.startswith(f"{place}/") for name in found.digests):
        return
    stated = joined.manifest(reports)
    found.unaccounted -= {f"reports/{joined.INDEX}", f"{place}/{stated.name if stated else ''}"}
    try:
        absent = joined.check(reports)
    except UserError as error:
        found.find(f"{error}: {_again(place)}")
        return
    found.report.notes.extend(
        f"{place} joins {study}, which isn't in this clone" for study in absent
    )


def _index(found: Verification) -> None:
    """The list of reports, made again from those that are here."""
    name = "reports/index.html"
    found.unaccounted.discard(name)
    reports = found.root / "reports"
    try:
        expected = publish.index(reports)
    except UserError as error:
        found.find(str(error))
        return
    if name not in found.digests:
        if any(reports.glob("[!.]*/manifest-*.json")):
            found.find(f"{name} is missing: run snakemake, which makes it again")
        return
    listed, absent = publish.those_here(reports)
    found.report.notes.extend(
        f"{name} lists {study}, which isn't in this clone" for study in absent
    )
    if listed != expected:
        found.find(
            f"{name} isn't the list of the reports that are here: remove it and run snakemake, which makes it again"
        )


def _strays(found: Verification) -> None:
    """Files that nothing speaks of."""
    for name in sorted(found.unaccounted):
        found.find(f"{name} is recorded by no run: remove it, or keep it elsewhere")


def _again(place: str) -> str:
    return f"remove {place} and run snakemake, which publishes it again"
