"""What may go: what killed jobs left that nothing goes on from, and runs that no study plans any more and no page stands on."""

import contextlib
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sixteen.errors import UserError
from sixteen.files import walk
from sixteen.lineage import record
from sixteen.lineage.fingerprint import LENGTH
from sixteen.lineage.locks import LOCKS, holder
from sixteen.lineage.logs import log_of
from sixteen.lineage.places import PRIVATE
from sixteen.lineage.plan import Plan
from sixteen.lineage.steps import PLANS

# As `job` names the folder of a run that isn't whole.
PARTIAL = re.compile(rf"\.(?P<of>[0-9a-f]{{{LENGTH}}})\.partial")


@dataclass(frozen=True)
class Gone:
    """What may go: a folder of the run `fingerprint`, its bytes, and whether nothing is lost with it.

    Nothing is lost where DVC's cache holds all of its files, and with what isn't `finished`.
    """

    path: str
    fingerprint: str
    size: int
    finished: bool
    kept: bool


def find(plan: Plan) -> list[Gone]:
    """What isn't finished of runs that are finished or aren't planned, and finished runs that aren't; what is held stays.

    Runs that a published report stands on stay as well, planned or not.
    """
    root, planned = plan.root, {run.fingerprint: run for run in plan.runs.values()}
    found: list[Gone] = []
    for folder, fingerprint in _unfinished(root):
        run = planned.get(fingerprint)
        done = run is None or (root / run.record).exists()
        if done and holder(root, fingerprint) is None:
            path = folder.relative_to(root).as_posix()
            found.append(Gone(path, fingerprint, _size(folder), finished=False, kept=True))
    shown = _published(root)
    cache = _cache(root)
    for folder in record.find(root):
        path = folder.relative_to(root).as_posix()
        if path not in plan.runs and path not in shown and holder(root, folder.name) is None:
            kept = _in_cache(folder, cache)
            found.append(Gone(path, folder.name, _size(folder), finished=True, kept=kept))
    return found


def told(found: list[Gone]) -> str:
    """What may go as text to read, the largest first."""
    if not found:
        return "nothing to clean: every run is planned or published, and no scratch is left over"
    lines = [
        f"{gone.size / 1e6:>10,.1f} MB  {gone.path}{'' if gone.kept else '  (not in DVC)'}"
        for gone in sorted(found, key=lambda gone: -gone.size)
    ]
    loose = sum(not gone.kept for gone in found)
    lines.append(f"{sum(gone.size for gone in found) / 1e6:>10,.1f} MB  in {_folders(found)}")
    lines.append("`sixteen clean --delete` deletes them" + _except(loose))
    return "\n".join(lines)


def delete(plan: Plan, found: list[Gone], force: bool) -> str:
    """Delete what was found, but without `force` no run that isn't in DVC; tells what went and what stays.

    What a job has begun to work on since stays, too.
    """
    found = [one for one in found if holder(plan.root, one.fingerprint) is None]
    gone = [one for one in found if one.kept or force]
    for one in gone:
        shutil.rmtree(plan.root / one.path)
        if one.finished:
            (plan.root / PLANS / f"{one.fingerprint}.json").unlink(missing_ok=True)
            (plan.root / LOCKS / one.fingerprint).unlink(missing_ok=True)
            (plan.root / log_of(one.path)).unlink(missing_ok=True)
    size, stay = sum(one.size for one in gone) / 1e6, len(found) - len(gone)
    return f"{_folders(gone)} deleted, {size:,.1f} MB" + _except(stay)


def _folders(found: list[Gone]) -> str:
    return f"{len(found)} folder{'' if len(found) == 1 else 's'}"


def _except(loose: int) -> str:
    if not loose:
        return ""
    return f"; {loose} that aren't in DVC stay unless `--force` is given, or `dvc commit` puts them there"


def _unfinished(root: Path) -> Iterator[tuple[Path, str]]:
    """Scratch, and folders that a killed job hasn't given their names yet; and of which run."""
    for folder in sorted((root / PRIVATE / "scratch").glob("*")):
        yield folder, folder.name
    for top in record.ROOTS:
        for folder, folders, _ in walk(root / top):
            for name in sorted(folders):
                if found := PARTIAL.fullmatch(name):
                    yield Path(folder, name), found["of"]


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _published(root: Path) -> set[str]:
    """The paths of the runs that are published, and of all that they stand on."""
    found: set[str] = set()
    for provenance in (root / "reports").glob("[!.]*/provenance.json"):
        found |= (record.closure_in(provenance) or {}).keys()
        with contextlib.suppress(UserError):  # `sixteen verify` tells
            found.add(record.read(provenance.parent)["path"])
    return found


def _cache(root: Path) -> Path | None:
    """Where DVC keeps what it tracks; None where there is no DVC."""
    dvc = Path(sys.executable).parent / "dvc"
    try:
        asked = subprocess.run(
            [dvc, "cache", "dir"], cwd=root, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return Path(asked.stdout.strip()) / "files/md5"


def _in_cache(folder: Path, cache: Path | None) -> bool:
    """Whether DVC's cache holds every file of a run, byte by byte: DVC believes the name of what stands there."""
    if cache is None:
        return False
    for file in folder.rglob("*"):
        if file.is_file():
            digest = _md5(file)
            try:
                there = _md5(cache / digest[:2] / digest[2:])
            except OSError:
                return False
            if there != digest:
                return False
    return True


def _md5(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "md5").hexdigest()
