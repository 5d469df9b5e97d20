"""A study in which everything diverges stops: what is trained next would diverge as well."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.files import read_json
from sixteen.lineage.places import PRIVATE
from sixteen.lineage.steps import TRAINING, Run

SWEEPS = PRIVATE / "sweeps"
# So many trainings, and this share of a study's, must have diverged and none have finished.
LEAST, SHARE = 20, 0.25
WHERE = {"epoch", "step", "hint"}  # what is told of a training that diverged


def freeze(root: Path, studies: dict[str, list[Run]]) -> None:
    """Write down which trainings belong to each study, for jobs, which know nothing but their run."""
    folder = root / SWEEPS
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        if old.stem not in studies:
            old.unlink()
    for name, runs in studies.items():
        told = json.dumps([run.path for run in runs if run.step in TRAINING])
        path = folder / f"{name}.json"
        if not path.exists() or path.read_text() != told:
            partial = path.with_suffix(f".{os.getpid()}")
            partial.write_text(told)
            partial.replace(path)


def expect_hope(run: Run, root: Path) -> None:
    """Raises UserError if all that is finished of each study with this training has diverged, and that is much."""
    hopeless: list[str] = []
    for file in sorted((root / SWEEPS).glob("*.json")) if run.step in TRAINING else ():
        paths: list[str] = json.loads(file.read_text())
        if run.path not in paths:
            continue
        if (diverged := _only_diverged(root, paths)) < max(LEAST, SHARE * len(paths)):
            return
        hopeless.append(f"{diverged} of the {len(paths)} trainings of {file.stem}")
    if hopeless:
        raise UserError(
            f"{', '.join(hopeless)} are finished and every one diverged, so that no other is begun: correct the recipe or "
            "the precision in params.yaml, or take out the arms that diverge"
        )


def outcome_of(root: Path, path: str) -> dict[str, Any]:
    """The outcome of a finished training; `unknown` where its file is damaged, which `sixteen verify` tells."""
    file = root / path / "outcome.json"
    with contextlib.suppress(OSError, ValueError, RecursionError):
        told = read_json(file) if file.is_file() else None
        if isinstance(told, dict) and _is_whole(told):
            return told
    return {"outcome": "unknown"}


def _is_whole(told: dict[str, Any]) -> bool:
    return "outcome" in told and (told["outcome"] != "diverged" or told.keys() >= WHERE)


def _only_diverged(root: Path, paths: list[str]) -> int:
    """How many have diverged; none if one has finished otherwise."""
    found = [path for path in paths if (root / path / "record.json").exists()]
    if all(outcome_of(root, path)["outcome"] == "diverged" for path in found):
        return len(found)
    return 0
