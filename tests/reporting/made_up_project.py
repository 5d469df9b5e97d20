"""A project with the runs of a study, made up but in the files and columns of real ones."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import made_up_training as made_up
import numpy as np
import pytest
from made_record import made_record
from made_up_studies import CLAIMS, CONTINUOUS, MACHINES, PRECISIONS, RECIPES, USUAL

from sixteen.analysis.parameters import Summary
from sixteen.analysis.summarize import summarize
from sixteen.lineage import record
from sixteen.lineage.fingerprint import notebook_digest
from sixteen.precision.entry import precision_of
from sixteen.reporting import provenance
from sixteen.reporting.report import Report, report
from sixteen.reporting.study import Study
from sixteen.study.sentence import Phrase, parse

PAPERS = {"arXiv:2311.18587": {"dataset": "CIFAR-10", "networks": "ResNets", "seeds": "not stated"}}
TOLD = Report(study="demo", title="Sixteen bits: demo", papers=PAPERS, notebook="demo", cells="0")
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


class Project:
    """Writes runs below ``root`` as the steps before the report leave them."""

    def __init__(self, root: Path, seed: int = 0) -> None:
        self.root = root
        self.random = np.random.default_rng(seed)
        self.dataset = self.run(
            "prepare", "data/prepared/digits", {"dataset": {"kind": "digits", "normalisation": "scalar"}}, {},
            {"dataset.safetensors": "images"}, {"train_items": 1442, "test_items": 355},
        )  # fmt: skip

    def run(
        self,
        step: str,
        folder: str,
        parameters: dict[str, Any],
        parents: dict[str, str],
        files: dict[str, str | bytes],
        facts: dict[str, Any] | None = None,
    ) -> str:
        """Write one run; returns its path."""
        path = self.place(folder, parameters, parents)
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (self.root / path / name).write_bytes(data)
        self.record(path, step, parameters, parents, facts or {})
        return path

    def place(self, folder: str, parameters: dict[str, Any], parents: dict[str, str]) -> str:
        """Make the folder of a run, which has its fingerprint; returns its path."""
        about = made_record(f"{folder}/new", parameters=parameters, parents=parents)
        path = f"{folder}/{record.fingerprint_in(about)}"
        (self.root / path).mkdir(parents=True)
        return path

    def record(
        self,
        path: str,
        step: str,
        parameters: dict[str, Any],
        parents: dict[str, str],
        facts: dict[str, Any],
    ) -> None:
        """Write the record of a run whose files are there."""
        outputs = record.describe(self.root / path)
        about = {"step": step, "parameters": parameters, "parents": parents, "facts": facts}
        record.write(self.root / path, made_record(path, outputs=outputs, **about))

    def train(
        self, phrase: Phrase, folder: str, network: str, seed: int, parents: dict[str, str],
        reached: "Reached", diverged: bool,
    ) -> tuple[str, "Reached"]:  # fmt: skip
        """A training run whose accuracy rises towards 0.95; returns its path and what it reached."""
        depth = int(network.removeprefix("resnet"))
        precision, recipe = PRECISIONS[phrase.precision], RECIPES[str(phrase.recipe)]
        half = precision["compute"] != "float32"
        first, done = reached.epoch, 2 if diverged else (phrase.until or 0) - reached.epoch
        noise = self.random.normal(0, 0.006 if half else 0.003, done + 1)
        accuracy = 0.95 - 0.85 * np.exp(-(first + np.arange(done + 1)) / 3) + noise
        accuracy[0] = accuracy[0] if first == 0 else reached.accuracy - (0.01 if half else 0)
        bits = precision_of(precision).forward_bits(first, first + max(done, 1), made_up.STEPS)
        if "bits" in precision:  # what is saved costs accuracy
            accuracy[1:] -= 0.004 * (8 - bits.mean())
        start = made_up.logits(self.random, reached.logits, 0.01 if half else 0)
        last = made_up.logits(self.random, start, 0.5)
        pace = depth * (0.8 if half else 1.0) * self.random.normal(1, 0.03) * 0.2
        timing = [[first + i, pace, 1400 / pace, 0.2] for i in range(1, done + 1)]
        facts = made_up.facts(self.random, precision, depth, pace * done, recipe["batch"], bits)
        facts |= {"outcome": "diverged" if diverged else "finished", "device": made_up.DEVICE}
        files = {
            "history.csv": made_up.history(self.random, precision, accuracy, first, bits),
            "timing.csv": made_up.table(
                ("epoch", "train_seconds", "items_per_second", "test_seconds"), timing
            ),
            "predictions.safetensors": made_up.tensors(start, last),
            "outcome.json": made_up.outcome(diverged, first + done),
        }
        parameters = {
            **(MACHINES[phrase.machine] if phrase.machine else USUAL), "seed": seed, "precision": precision,
            "network": {"family": "resnet", "depth": depth, "width": 16}, "recipe": recipe, "until": phrase.until,
            "task": "classify_images",
        }  # fmt: skip
        path = self.run(phrase.step, folder, parameters, parents, files, facts)
        return path, Reached(first + done, float(accuracy[-1]), last)

    def observe(self, folder: str, phrase: Phrase, first: int, run: str) -> str:
        """An observation of every epoch of a training run."""
        epochs = range(first, (phrase.until or 0) + 1)
        files: dict[str, str | bytes] = {
            **made_up.observed(self.random, PRECISIONS[phrase.precision], list(epochs))
        }
        told = {"watch": {"every": 1, "cast_to": "float16"}}
        return self.run("observe", folder, told, {"run": run}, files)

    def quantize(self, folder: str, network: str, start: str) -> str:
        """A cast whose batch-norm scales are exact and whose other errors are within bounds."""
        depth = int(network.removeprefix("resnet"))
        columns = ("tensor", "elements", "max_abs", "max_error", "mean_error", "relative_error",
                   "error_norm", "bound_norm", "within_bound", "underflowed", "subnormal")  # fmt: skip
        rows: list[list[Any]] = []
        for layer in range(depth):
            norm = 3.0 + layer
            for name, relative in (
                (f"block-{layer:03}/conv/kernel", 2.1e-4),
                (f"block-{layer:03}/bn/gamma", 0),
            ):
                error = relative * norm * self.random.uniform(0.9, 1.1)
                rows.append([name, 2304, 0.6, error / 9, error / 20, error / norm, error,
                             4.9e-4 * norm, True, 0, 3])  # fmt: skip
        files: dict[str, str | bytes] = {"tensors.csv": made_up.table(columns, rows)}
        return self.run("quantize", folder, {"to": "float16"}, {"start": start}, files)

    def evaluate(self, folder: str, run: str, accuracy: float, diverged: bool, half: bool) -> str:
        """The metrics of a run; all null if it diverged."""
        metrics: dict[str, Any] = {"accuracy": accuracy, "loss": 0.2, "calibration_error": 0.02, "margin_mean": 0.8,
                   "best_epoch_bias": 0.004}  # fmt: skip
        metrics = {name: None if diverged else value for name, value in metrics.items()}
        metrics |= {"outcome": "diverged" if diverged else "finished", "n": made_up.ITEMS}
        files: dict[str, str | bytes] = {
            "metrics.json": json.dumps(metrics),
            "per_class.csv": made_up.per_class(self.random, half),
        }
        return self.run("evaluate", folder, {}, {"dataset": self.dataset, "run": run}, files)

    def summarize(
        self,
        study: str,
        networks: tuple[str, ...],
        seeds: int,
        arms: dict[str, str] = CONTINUOUS,
        diverged: tuple[str, str, int] | None = None,
        observe: str | None = "all",
        timed: tuple[tuple[str, str], ...] = (),
        **told: Any,
    ) -> Path:
        """All runs of a study and the real summary of them; ``told`` goes to the summary as it is.

        ``observe`` says of which phases there are observations, ``timed`` which arms were timed in turns.
        """
        rows: list[dict[str, Any]] = []
        parents: dict[str, str] = {}
        for network in networks:
            for seed in range(seeds):
                shared: dict[str, tuple[str, str | None, Reached]] = {}
                for arm, text in arms.items():
                    lost = diverged == (network, arm, seed)
                    row = self._arm(study, network, seed, text, lost, observe, shared)
                    rows.append({"network": network, "arm": arm, "seed": seed, **row})
                    made = [row["evaluated"], *row["training"], row["quantized"], *row["observed"]]
                    parents |= {path: path for path in made if path}
        pairs = [(network, pair) for network in networks for pair in timed]
        turns = [{"network": network, "arms": pair, "timed": self.time(study, network, pair)}
                 for network, pair in pairs]  # fmt: skip
        parents |= {row["timed"]: row["timed"] for row in turns}
        named = [phrase for text in arms.values() for phrase in parse(text)]
        parameters = {
            "study": study, "title": f"Sixteen bits: {study}", "papers": ["arXiv:2311.18587"], "scale": "toy",
            "task": "classify_images", "dataset": "digits", **USUAL,
            "machines": {p.machine: MACHINES[p.machine] for p in named if p.machine}, "arms": arms, "runs": rows, "timed": turns,
            "networks": {n: {"family": "resnet", "depth": int(n[6:]), "width": 16} for n in networks},
            "precisions": {p.precision: PRECISIONS[p.precision] for p in named},
            "recipes": {p.recipe: RECIPES[p.recipe] for p in named if p.recipe},
            "statistics": {"confidence": 0.95, "alpha": 0.05, "power": 0.8},
            "claims": CLAIMS if "float16" in arms and len(arms) > 1 else [],
            "published": None, "along": None, "factorial": None, "reach": None, **told,
        }  # fmt: skip
        inputs = {role: self.root / run for role, run in parents.items()}
        read = Summary.model_validate(parameters)
        path = self.place(f"results/{study}/summarized", read.plain(), parents)
        facts = summarize(read, inputs, self.root / path, self.root)
        self.record(path, "summarize", read.plain(), parents, facts)
        return self.root / path

    def time(self, study: str, network: str, arms: tuple[str, str]) -> str:
        """Two arms in turns."""
        folder = f"results/digits-{study}/{network}/timed-in-{arms[0]}/against-{arms[1]}"
        files: dict[str, str | bytes] = {"times.csv": made_up.times(self.random)}
        return self.run("time", folder, {}, {"dataset": self.dataset}, files)

    def _arm(
        self, study: str, network: str, seed: int, text: str, lost: bool, observe: str | None,
        shared: dict[str, tuple[str, str | None, "Reached"]],
    ) -> dict[str, Any]:  # fmt: skip
        """The runs of one sentence; ``shared`` holds those that other arms have made already."""
        folder, training, observed = f"results/digits-{study}/{network}", [], []
        quantized = None
        start, reached = "", Reached(0, 0.1, made_up.first_logits(seed))
        phrases = parse(text)
        for phrase in phrases:
            folder = f"{folder}/{phrase.text}"
            place = f"{folder}/seed-{seed}"
            if phrase.step == "quantize":
                quantized = start = self.quantize(place, network, start)
                continue
            if place not in shared:
                parents = {"dataset": self.dataset} | ({"start": start} if start else {})
                last = phrase is phrases[-1]
                run, end = self.train(phrase, place, network, seed, parents, reached, lost and last)
                watched = f"{folder}/observed-every-1-for-float16/seed-{seed}"
                seen = observe == "all" or (observe == "last" and last)
                told = self.observe(watched, phrase, reached.epoch, run) if seen else None
                shared[place] = (run, told, end)
            start, told, reached = shared[place]
            training.append(start)
            observed.append(told)
        half = PRECISIONS[phrases[-1].precision]["compute"] != "float32"
        evaluated = self.evaluate(
            f"{folder}/evaluated/seed-{seed}", start, reached.accuracy, lost, half
        )
        found = {"evaluated": evaluated, "training": training, "observed": observed}
        return found | {"quantized": quantized}


def render(
    root: Path, summary: Path, notebook: Path, name: str = "into", cells: str | None = None
) -> Path:
    """Run the step ``report`` from the root of the project; returns the folder of the report.

    `cells`: the digest of the notebook's cells when the report was planned; as they are, if none is given.
    """
    into = root / name
    into.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        told = TOLD.model_copy(update={"cells": cells or notebook_digest(notebook)})
        report(told, {"summary": summary, "notebook": notebook}, into, root / "scratch" / name)
    return into


def study(root: Path, summary: Path) -> Study:
    """The summary as a notebook reads it, without a notebook."""
    output = root / "output"
    output.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        lineage = provenance.collect(summary)
    (output / "provenance.json").write_text(json.dumps(lineage))
    (output / "papers.json").write_text(json.dumps(PAPERS))
    return Study(summary, output)


@dataclass(frozen=True)
class Reached:
    """Where a training run stopped."""

    epoch: int
    accuracy: float
    logits: np.ndarray
