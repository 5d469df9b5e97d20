"""Records in the shape of real ones, of runs that are made up."""

from pathlib import Path
from typing import Any

from sixteen.lineage import fingerprint, record

CODE = {"sixteen": "0" * 64}
EXECUTION = {
    "started": "2026-01-01T00:00:00+00:00",
    "ended": "2026-01-01T00:00:30+00:00",
    "seconds": 30.0,
    "command": "snakemake --cores all",
    "host": "somewhere",
    "cpu": "a model",
    "cores": 2,
    "memory_bytes": 2**30,
    "python": "3.11.7",
    "packages": {"numpy": "2.0.0"},
    "git_commit": None,
    "git_dirty": None,
}


def made_record(path: str, **told: Any) -> dict[str, Any]:
    """A record without a seal, of the step `prepare` unless told otherwise."""
    return {
        "fingerprint": path.rpartition("/")[2],
        "step": "prepare",
        "path": path,
        "parameters": {},
        "code": {"digest": fingerprint.digest(CODE), "modules": CODE},
        "parents": {},
        "inputs": {},
        "outputs": {},
        "facts": {},
        "execution": EXECUTION,
    } | told


def settled(root: Path, folder: str, **told: Any) -> Path:
    """Give the run whose files lie in `root/folder/new` its record and its fingerprint; returns where it stands then."""
    kept = made_record(f"{folder}/new", **told)
    name = record.fingerprint_in(kept)
    place = (root / folder / "new").rename(root / folder / name)
    about = {"path": f"{folder}/{name}", "fingerprint": name, "outputs": record.describe(place)}
    record.write(place, kept | about)
    return place
