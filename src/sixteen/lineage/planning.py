"""The runs of one study: from its entry in the parameters to paths, parents and what each run reads."""

from pathlib import Path
from typing import Any

from sixteen import networks
from sixteen.datasets.prepared.entry import Archive
from sixteen.lineage import fingerprint, summary
from sixteen.lineage.steps import STEPS, Run
from sixteen.study.checks import task_of
from sixteen.study.parameters import Parameters
from sixteen.study.sentence import Phrase
from sixteen.tasks.measured.parts.metrics import TIMED

OBSERVER = "sixteen.training.observer"
WHERE = ("url", "bytes", "path")  # keys of a dataset that say where its bytes come from


class StudyRuns:
    """The runs of one study, planned from its entry in the parameters."""

    def __init__(self, name: str, parameters: Parameters, root: Path) -> None:
        self.name = name
        self.all = parameters
        self.entry = parameters.studies[name]
        self.task = task_of(parameters.datasets[self.entry.dataset])
        self.runs: dict[str, Run] = {}
        self.dataset = self._prepare()
        rows = [
            self._train(network, arm, seed)
            for network in self.entry.every_network
            for arm in self.entry.sentences
            for seed in self.entry.seeds
        ]
        self.report = self._report(self._summarize(rows, self._time()), root)

    def _prepare(self) -> str:
        name = self.entry.dataset
        entry = self.all.datasets[name]
        sources = {role: fetched(name, archive) for role, archive in entry.archives.items()}
        if path := getattr(entry, "path", None):
            sources["archive"] = path
        what, where = _apart(entry.plain())
        return self._add(
            "prepare",
            f"data/prepared/{name}",
            {"dataset": what},
            {},
            modules=[f"sixteen.datasets.{entry.kind.replace('-', '_')}"],
            sources=sources,
            settings={"dataset": where},
        )

    def _train(self, network: str, arm: str, seed: int) -> dict[str, Any]:
        """Plan the sentence of one arm; returns which runs tell what about it."""
        folder = self._folder(network)
        parents: dict[str, str] = {}
        trained: list[str] = []
        observed: list[str | None] = []
        quantized = None
        phrases = self.all.phrases(self.entry, network, arm)
        for phrase in phrases:
            folder = f"{folder}/{phrase.text}"
            if phrase.recipe is None:
                to = {"to": self.all.precision(phrase.precision).storage}
                quantized = self._add("quantize", f"{folder}/seed-{seed}", to, parents)
                parents = {"start": quantized}
                continue
            trained.append(self._phase(folder, network, phrase, seed, parents))
            last = phrase is phrases[-1]
            observed.append(self._observe(folder, trained[-1]) if self._observes(last) else None)
            parents = {"start": trained[-1]}
        evaluated = self._add(
            "evaluate",
            f"{folder}/evaluated/seed-{seed}",
            {"task": self.task},
            {"dataset": self.dataset, "run": trained[-1]},
            modules=[f"sixteen.tasks.measured.{self.task}"],
        )
        row = {"network": network, "arm": arm, "seed": seed, "evaluated": evaluated}
        return row | {"training": trained, "quantized": quantized, "observed": observed}

    def _phase(
        self, folder: str, network: str, phrase: Phrase, seed: int, parents: dict[str, str]
    ) -> str:
        shape = self.all.network(network)
        weights = None if parents else networks.published(shape)
        return self._add(
            phrase.step,
            f"{folder}/seed-{seed}",
            {
                **self.all.machine(phrase).plain(),
                **self._on(network),
                "seed": seed,
                "precision": self.all.precision(phrase.precision).plain(),
                "recipe": self.all.recipe(phrase.recipe or "").plain(),
                "until": phrase.until,
            },
            {"dataset": self.dataset, **parents},
            modules=[f"sixteen.networks.{shape.family}", f"sixteen.tasks.{self.task}"],
            sources={"weights": weights.place} if weights else {},
            settings={
                "checkpoint_epochs": self.all.checkpoint_epochs,
                "checkpoint_steps": self.all.checkpoint_steps,
                "watched": [],
            },
        )

    def _observes(self, last: bool) -> bool:
        return self.entry.observe is not None and (last or self.entry.observe.phases == "all")

    def _observe(self, folder: str, training: str) -> str:
        """Plan the observation of a phase of training."""
        run, watch = self.runs[training], self.entry.observe
        assert watch is not None  # `_observes` asked
        seed = run.parameters["seed"]
        return self._add(
            "observe",
            f"{folder}/observed-every-{watch.every}-for-{watch.cast_to}/seed-{seed}",
            {"training": run.parameters, "watch": {"every": watch.every, "cast_to": watch.cast_to}},
            {**run.parents, "run": training},
            modules=[OBSERVER, *(name for name in run.code)],
            sources=run.sources,
            settings={"training": run.settings},
        )

    def _time(self) -> list[dict[str, Any]]:
        """Plan a timing for each pair of arms that a claim on time compares; returns which run tells of which.

        In which order a claim names its arms doesn't matter to what is measured.
        """
        pairs = {
            (network, self._in_order(network, claim.among(list(self.entry.sentences)))): None
            for claim in self.all.claims(self.entry)
            if self.entry.time and claim.metric in TIMED
            for network in self.entry.every_network
            if claim.only in (None, network)
        }
        return [
            {"network": network, "arms": list(arms), "timed": self._pair(network, arms)}
            for network, arms in pairs
        ]

    def _in_order(self, network: str, arms: tuple[str, ...]) -> tuple[str, ...]:
        """The arms by what is timed of them, so that it is one run for all pairs that train alike; then as in the study."""
        order = list(self.entry.sentences)
        return tuple(sorted(arms, key=lambda arm: (self._timed(network, arm), order.index(arm))))

    def _timed(self, network: str, arm: str) -> str:
        """What is timed of an arm: how it trains in its last phase, and on what."""
        phrase = self.all.phrases(self.entry, network, arm)[-1]
        on = f"-on-{phrase.machine}" if phrase.machine else ""
        return f"{phrase.precision}-by-{phrase.recipe}{on}"

    def _pair(self, network: str, arms: tuple[str, ...]) -> str:
        clock = self.entry.time
        assert clock is not None  # `_time` asked
        folders = [self._timed(network, arm) for arm in arms]
        last = [self.all.phrases(self.entry, network, arm)[-1] for arm in arms]
        told = [
            {
                **self.all.machine(phrase).plain(),
                "precision": self.all.precision(phrase.precision).plain(),
                "recipe": self.all.recipe(phrase.recipe or "").plain(),
            }
            for phrase in last
        ]
        family = self.all.network(network).family
        return self._add(
            "time",
            f"{self._folder(network)}/timed-in-{folders[0]}/against-{folders[1]}",
            {**self._on(network), "arms": told, **clock.plain()},
            {"dataset": self.dataset},
            modules=[f"sixteen.networks.{family}", f"sixteen.tasks.{self.task}"],
        )

    def _on(self, network: str) -> dict[str, Any]:
        """What every run of a network reads."""
        return {"task": self.task, "network": self.all.network(network).plain()}

    def _folder(self, network: str) -> str:
        return f"results/{self.entry.dataset}/{self.all.spelling('networks', network)}"

    def _summarize(self, rows: list[dict[str, Any]], timed: list[dict[str, Any]]) -> str:
        return self._add(
            "summarize",
            f"results/{self.name}/summarized",
            summary.told(self.name, self.task, self.all, rows, timed),
            summary.parents([*rows, *timed]),
            modules=[f"sixteen.tasks.measured.{self.task}"],
        )

    def _report(self, summarized: str, root: Path) -> str:
        notebook = f"notebooks/{self.entry.notebook}.ipynb"
        parameters = {
            "study": self.name,
            "title": self.entry.title,
            "papers": {
                p.cited: p.settings for p in map(self.all.papers.get, self.entry.papers) if p
            },
            "notebook": self.entry.notebook,
            "cells": fingerprint.notebook_digest(root / notebook),
        }
        return self._add(
            "report",
            f"results/{self.name}/summarized/reported",
            parameters,
            {"summary": summarized},
            modules=[
                *fingerprint.notebook_imports(root / notebook),
                f"sixteen.tasks.measured.{self.task}",
            ],
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
        made_by = [STEPS[step][0], *(modules or [])]
        code, digest = fingerprint.code_of(made_by), fingerprint.code_digest(made_by)
        keys = {role: path.rpartition("/")[2] for role, path in parents.items()}
        key = fingerprint.fingerprint_of(folder, parameters, digest, keys)
        path = f"{folder}/{key}"
        self.runs[path] = Run(step, path, parameters, code, parents, sources or {}, settings or {})
        return path


def fetched(name: str, archive: Archive) -> str:
    """Where a downloaded archive of the dataset of that name stands, or is to be put by hand."""
    return f"data/fetched/{name}/{archive.url.rpartition('/')[2]}"


def _apart(told: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an entry says, and apart from it where the bytes come from, of which the digest says what they are."""
    what, where = {}, {}
    for key, value in told.items():
        if isinstance(value, dict):
            what[key], where[key] = _apart(value)
        else:
            (where if key in WHERE else what)[key] = value
    return what, {key: value for key, value in where.items() if value != {}}
