"""The plan: every run that the parameters ask for, with its path, before anything runs.

Pure: the same parameters, notebooks and code give the same plan. Snakemake asks it for paths; a job
reads its own run as it was frozen when the plan was made, never params.yaml.
"""

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.lineage import fingerprint, sentence
from sixteen.precision.formats import storage_of

# For each step the module that computes it and the files that it leaves, record.json apart. Networks and
# kinds of datasets are imported by name, so that a new one makes no other run stale.
STEPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "prepare": ("sixteen.datasets.prepared.prepare", ("dataset.safetensors",)),
    "train": (
        "sixteen.training.train",
        (
            "weights.safetensors",
            "logits.safetensors",
            "history.csv",
            "timing.csv",
            "outcome.json",
            "observations.csv",
            "descent.csv",
            "exponents.csv",
        ),
    ),
    "quantize": (
        "sixteen.precision.quantize",
        ("weights.safetensors", "tensors.csv", "outcome.json"),
    ),
    "evaluate": ("sixteen.analysis.evaluate", ("metrics.json", "per_class.csv")),
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
            "effects.csv",
            "settings.json",
        ),
    ),
    "report": ("sixteen.reporting.report", ("index.html", "notebook.ipynb", "provenance.json")),
}
STEPS["continue_training"] = STEPS["train"]

PLANS = Path(".sixteen/plan")


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
    def record(self) -> str:
        """Path of the run's record: there when, and only when, the run is finished."""
        return f"{self.path}/record.json"


def load_run(path: Path) -> Run:
    """Read a frozen run. Raises UserError if the plan is gone."""
    try:
        return Run(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UserError(
            f"expected the frozen plan {path}, found none: start snakemake anew, it writes the plans first"
        ) from None


class Plan:
    """Every run of every study, by path, parents before children."""

    def __init__(self, parameters: dict[str, Any], root: Path = Path()) -> None:
        self.root = root
        self.networks: dict[str, dict[str, Any]] = parameters["networks"]
        self.runs: dict[str, Run] = {}
        self._studies = {name: _Study(name, parameters, root) for name in parameters["studies"]}
        for study in self._studies.values():
            self.runs |= study.runs

    def study(self, name: str) -> list[Run]:
        """The runs of a study, parents before children; those that it shares with others included."""
        return list(self._studies[name].runs.values())

    def manifest(self, name: str) -> str:
        """Path of the manifest that says that exactly this report of a study is published."""
        return f"reports/{name}/manifest-{self._studies[name].report.rpartition('/')[2]}.json"

    def freeze(self) -> None:
        """Write each run to ``<fingerprint>.json``: queued jobs do what was planned.

        The file of a fingerprint can change only in what cannot change the result: sources and settings.
        """
        folder = self.root / PLANS
        folder.mkdir(parents=True, exist_ok=True)
        for run in self.runs.values():
            path = folder / f"{run.fingerprint}.json"
            planned = fingerprint.canonical(dataclasses.asdict(run))
            if not path.exists() or path.read_bytes() != planned:
                partial = path.with_suffix(f".{os.getpid()}")
                partial.write_bytes(planned)
                partial.replace(path)


class _Study:
    """The runs of one study, planned from its entry in the parameters."""

    def __init__(self, name: str, parameters: dict[str, Any], root: Path) -> None:
        self.name = name
        self.all = parameters
        self.entry = parameters["studies"][name]
        self.runs: dict[str, Run] = {}
        dataset = self._prepare()
        rows = [
            self._train(dataset, network, arm, seed)
            for network in self.entry["networks"]
            for arm in self.entry["arms"]
            for seed in self.entry["seeds"]
        ]
        self.report = self._report(self._summarize(rows), root)

    def _prepare(self) -> str:
        name = self.entry["dataset"]
        entry = self.all["datasets"][name]
        where = ("url", "bytes", "path")  # where the bytes come from; the digest says what they are
        sources = {}
        if "url" in entry:
            sources["archive"] = archive(name, entry)
        elif "path" in entry:
            sources["archive"] = entry["path"]
        return self._add(
            "prepare",
            f"data/prepared/{name}",
            {key: value for key, value in entry.items() if key not in where},
            {},
            modules=[f"sixteen.datasets.{entry['kind'].replace('-', '_')}"],
            sources=sources,
        )

    def _train(self, dataset: str, network: str, arm: str, seed: int) -> dict[str, Any]:
        """Plan the sentence of one arm; returns which runs tell what about it."""
        folder = f"results/{self.entry['dataset']}/{network}"
        parents: dict[str, str] = {}
        trained: list[str] = []
        quantized = None
        for phrase in self._phrases(network, arm):
            folder = f"{folder}/{phrase.text}"
            place = f"{folder}/seed-{seed}"
            precision = self.all["precisions"][phrase.precision]
            if phrase.recipe is None:
                quantized = self._add("quantize", place, {"to": storage_of(precision)}, parents)
                parents = {"start": quantized}
                continue
            shape = self.all["networks"][network]
            trained.append(
                self._add(
                    phrase.step,
                    place,
                    {
                        "backend": self.all["backend"],
                        "threads": self.all["threads"],
                        "seed": seed,
                        "network": shape,
                        "precision": precision,
                        "recipe": self.all["recipes"][phrase.recipe],
                    },
                    {"dataset": dataset, **parents},
                    modules=[f"sixteen.networks.{shape['family']}"],
                    settings={"checkpoint_epochs": self.all["checkpoint_epochs"]},
                )
            )
            parents = {"start": trained[-1]}
        evaluated = self._add(
            "evaluate",
            f"{folder}/evaluated/seed-{seed}",
            {},
            {"dataset": dataset, "run": trained[-1]},
        )
        row = {"network": network, "arm": arm, "seed": seed}
        return row | {"evaluated": evaluated, "training": trained, "quantized": quantized}

    def _phrases(self, network: str, arm: str) -> list[sentence.Phrase]:
        """The sentence of an arm, with the recipes that the study has for this network."""
        instead = self.entry.get("recipes", {}).get(network)
        return sentence.parse(self.entry["arms"][arm], instead)

    def _summarize(self, rows: list[dict[str, Any]]) -> str:
        phrases = [
            phrase
            for network in self.entry["networks"]
            for arm in self.entry["arms"]
            for phrase in self._phrases(network, arm)
        ]
        names = {
            "networks": self.entry["networks"],
            "precisions": [phrase.precision for phrase in phrases],
            "recipes": [phrase.recipe for phrase in phrases if phrase.recipe],
        }
        used = {
            section: {name: self.all[section][name] for name in dict.fromkeys(wanted)}
            for section, wanted in names.items()
        }
        parents = {}
        for row in rows:
            for path in (row["evaluated"], row["quantized"], *row["training"]):
                if path is not None:
                    parents[_role(path)] = path
        parameters = {
            "study": self.name,
            **{key: self.entry[key] for key in ("title", "paper", "dataset", "arms")},
            "backend": self.all["backend"],
            "claims": self.all["claims"][self.entry["claims"]],
            "published": self.all["published"].get(self.entry.get("published")),
            "factorial": self.entry.get("factorial"),
            "statistics": self.all["statistics"],
            **used,
            "runs": [
                row
                | {
                    "evaluated": _role(row["evaluated"]),
                    "training": [_role(path) for path in row["training"]],
                    "quantized": row["quantized"] and _role(row["quantized"]),
                }
                for row in rows
            ],
        }
        return self._add("summarize", f"results/{self.name}/summarized", parameters, parents)

    def _report(self, summary: str, root: Path) -> str:
        notebook = f"notebooks/{self.entry['notebook']}.ipynb"
        parameters = {
            "study": self.name,
            **{key: self.entry[key] for key in ("title", "paper", "notebook")},
            "cells": fingerprint.notebook_digest(root / notebook),
        }
        place = f"results/{self.name}/summarized/reported"
        return self._add(
            "report",
            place,
            parameters,
            {"summary": summary},
            modules=fingerprint.notebook_imports(root / notebook),
            sources={"notebook": notebook},
        )

    def _add(
        self,
        step: str,
        folder: str,
        parameters: dict[str, Any],
        parents: dict[str, str],
        modules: list[str] | None = None,
        sources: dict[str, str] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> str:
        """Add a run to the study and return its path."""
        code = fingerprint.code_of([STEPS[step][0], *(modules or [])])
        keys = {role: path.rpartition("/")[2] for role, path in parents.items()}
        key = fingerprint.fingerprint_of(folder, parameters, fingerprint.digest(code), keys)
        path = f"{folder}/{key}"
        self.runs[path] = Run(step, path, parameters, code, parents, sources or {}, settings or {})
        return path


def archive(name: str, dataset: dict[str, Any]) -> str:
    """Where the downloaded archive of a dataset stands, or is to be put by hand."""
    return f"data/fetched/{name}/{dataset['url'].rpartition('/')[2]}"


def _role(path: str) -> str:
    """The role of a run in a summary: its path without the fingerprint, the same whatever its values."""
    return path.rpartition("/")[0]
