"""The plan: every run that the parameters ask for, with its path, before anything runs.

Pure: the same parameters, notebooks and code give the same plan. Snakemake asks it for paths; a job
reads its own run as it was frozen when the plan was made, never params.yaml.
"""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sixteen.lineage import fingerprint, sweeps
from sixteen.lineage.logs import log_of
from sixteen.lineage.places import KEPT, PRIVATE
from sixteen.lineage.planning import OBSERVER, StudyRuns
from sixteen.lineage.steps import PLANS, Run, manifest_of
from sixteen.study.parameters import Parameters


class Plan:
    """Every run of every study, by path, parents before children."""

    def __init__(self, parameters: Parameters, root: Path = Path()) -> None:
        self.root = root
        self.parameters = parameters
        studies = {name: StudyRuns(name, parameters, root) for name in parameters.studies}
        self._reports = {name: study.report for name, study in studies.items()}
        self._paths = {name: list(study.runs) for name, study in studies.items()}
        planned = {path: run for study in studies.values() for path, run in study.runs.items()}
        self.runs = _watched(planned)

    def study(self, name: str) -> list[Run]:
        """The runs of a study, parents before children; those that it shares with others included."""
        return [self.runs[path] for path in self._paths[name]]

    def manifest(self, name: str) -> str:
        """Path of the manifest that says that exactly this report of a study is published."""
        return f"reports/{name}/{manifest_of(self._reports[name].rpartition('/')[2])}"

    def folders(self) -> Iterator[Path]:
        """Where folders stand, or will: those of runs, their logs and scratch, reports, and what is ours alone."""
        for run in self.runs.values():
            yield self.root / run.path
            yield (self.root / log_of(run.path)).parent
            yield self.root / PRIVATE / "scratch" / run.fingerprint
        yield from (self.root / self.manifest(study).rpartition("/")[0] for study in self._reports)
        yield from (self.root / place for place in KEPT)
        yield from (self.root / PRIVATE / name for name in ("plan", "locks", "cache"))

    def freeze(self, *others: Run) -> None:
        """Write each run, and `others` of no study, to ``<fingerprint>.json``: queued jobs do what was planned.

        The file of a fingerprint can change only in what cannot change the result: sources and settings.
        """
        sweeps.freeze(self.root, {name: self.study(name) for name in self._paths})
        folder = self.root / PLANS
        folder.mkdir(parents=True, exist_ok=True)
        for run in (*self.runs.values(), *others):
            path = folder / f"{run.fingerprint}.json"
            planned = fingerprint.canonical(dataclasses.asdict(run))
            if not path.exists() or path.read_bytes() != planned:
                partial = path.with_suffix(f".{os.getpid()}")
                partial.write_bytes(planned)
                partial.replace(path)


def _watched(runs: dict[str, Run]) -> dict[str, Run]:
    """The runs, with each training told of the observations of it that any study plans, to be made as it trains."""
    told: dict[str, list[dict[str, Any]]] = {}
    for run in runs.values():
        if run.step == "observe":
            watched = {"fingerprint": run.fingerprint, "module": OBSERVER}
            told.setdefault(run.parents["run"], []).append(
                watched | {"watch": run.parameters["watch"]}
            )
    return {
        path: dataclasses.replace(run, settings=run.settings | {"watched": told[path]})
        if path in told
        else run
        for path, run in runs.items()
    }
