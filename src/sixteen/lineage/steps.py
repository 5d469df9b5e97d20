"""The steps that there are, and one run of a step as it is planned and frozen."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.lineage import fingerprint
from sixteen.lineage.places import PRIVATE

# For each step the module that computes it and the files that it leaves, record.json apart. Networks, kinds of datasets,
# tasks and observations are imported by name, so that a new one makes no other run stale.
STEPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "prepare": ("sixteen.datasets.prepared.prepare", ("dataset.safetensors",)),
    "train": (
        "sixteen.training.train",
        (
            "weights.safetensors",
            "predictions.safetensors",
            "history.csv",
            "timing.csv",
            "outcome.json",
        ),
    ),
    "observe": (
        "sixteen.training.observe",
        ("observations.csv", "descent.csv", "exponents.csv", "kinks.csv"),
    ),
    "quantize": (
        "sixteen.precision.quantize",
        ("weights.safetensors", "tensors.csv", "outcome.json"),
    ),
    "evaluate": ("sixteen.analysis.evaluate", ("metrics.json", "per_class.csv")),
    "time": ("sixteen.timing.measure", ("times.csv",)),
    "summarize": (
        "sixteen.analysis.summarize",
        (
            "claims.json",
            "runs.csv",
            "summary.csv",
            "differences.csv",
            "curves.csv",
            "quantization.csv",
            "per_class.csv",
            "harm.csv",
            "tolerance.csv",
            "images.csv",
            "observations.csv",
            "descent.csv",
            "exponents.csv",
            "kinks.csv",
            "effects.csv",
            "times.csv",
            "reach.csv",
            "settings.json",
        ),
    ),
    "report": (
        "sixteen.reporting.report",
        (
            "index.html",
            "notebook.ipynb",
            "metrics.json",
            "curves.csv",
            "papers.json",
            "provenance.json",
        ),
    ),
}
STEPS["continue_training"] = STEPS["train"]
TRAINING = ("train", "continue_training")

PLANS = PRIVATE / "plan"


@dataclass(frozen=True)
class Run:
    """One run: what it will read, and where it will stand.

    ``path`` is relative to the project, with slashes. ``parents`` maps a role to the path of the run that
    plays it, ``sources`` a role to a file or folder that no run made. ``settings`` are parameters that
    cannot change the result, and so are no part of the fingerprint.
    """

    step: str
    path: str
    parameters: dict[str, Any]
    code: dict[str, str]
    parents: dict[str, str]
    sources: dict[str, str]
    settings: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """The last folder of the path."""
        return self.path.rpartition("/")[2]

    @property
    def outputs(self) -> tuple[str, ...]:
        """The files that the run leaves beside record.json."""
        return STEPS[self.step][1]

    @property
    def contents(self) -> str:
        """The fingerprint that what is planned amounts to, to hold against that of its path."""
        return fingerprint.amounts_to(self.path, self.parameters, self.code, self.parents)

    @property
    def record(self) -> str:
        """Path of the run's record: there when, and only when, the run is finished."""
        return f"{self.path}/record.json"

    @property
    def backends(self) -> set[str]:
        """The backends that it starts."""
        return {machine["backend"] for machine in self._machines}

    @property
    def threads(self) -> int:
        """The CPU threads that it takes; a timing those of the arm that has more."""
        return max((machine["threads"] for machine in self._machines), default=1)

    @property
    def devices(self) -> int:
        """The GPUs that it takes where there are any; a timing those of the arm that has more."""
        return max((machine["devices"] for machine in self._machines), default=1)

    @property
    def _machines(self) -> list[dict[str, Any]]:
        """What was planned of each training that it makes, watches or times: a `sixteen.study.machine` is part of it."""
        if self.step in TRAINING:
            return [self.parameters]
        if self.step == "observe":
            return [self.parameters["training"]]
        return self.parameters["arms"] if self.step == "time" else []


def place_of(source: str) -> str:
    """Where a source stands that begins with ``~`` or names variables; one that isn't set stays as it is."""
    return os.path.expanduser(os.path.expandvars(source))


def manifest_of(fingerprint: str) -> str:
    """The name of the file that says that the report of this fingerprint is published."""
    return f"manifest-{fingerprint}.json"


def load_run(path: Path) -> Run:
    """Read a frozen run. Raises UserError if the plan is gone, or isn't what its fingerprint says."""
    try:
        run = Run(**json.loads(path.read_text(encoding="utf-8")))
        if run.fingerprint == run.contents:
            return run
    except FileNotFoundError:
        raise UserError(
            f"expected the frozen plan {path}, found none: start snakemake anew, it writes the plans first"
        ) from None
    except (ValueError, TypeError, AttributeError):
        pass
    raise UserError(
        f"expected the frozen plan {path} as it was written, came another: start snakemake anew, it writes the plans first"
    )
