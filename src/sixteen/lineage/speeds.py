"""How fast trainings go on this machine.

Measured on finished runs of the same network and precision. For what was never run here a probe trains the
smallest network of the same family (so that it compiles within seconds) for a few steps on random items, and
its seconds an item are scaled by multiply-adds.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from sixteen.lineage import probe
from sixteen.lineage.fingerprint import digest
from sixteen.lineage.items import Items
from sixteen.lineage.plan import Plan
from sixteen.lineage.steps import Run
from sixteen.networks import AnyNetwork, cost
from sixteen.networks.parts.family import Network

TRAINING = ("train", "continue_training")

NETWORK = TypeAdapter(AnyNetwork)


@dataclass(frozen=True)
class Speed:
    """Seconds that a run takes whatever its length, and seconds an item; each from low to high."""

    fixed: tuple[float, float]
    item: tuple[float, float]
    source: str

    def seconds(self, items: int) -> tuple[float, float]:
        """Seconds of a run over so many training items, low and high."""
        low, high = (f + items * i for f, i in zip(self.fixed, self.item, strict=True))
        return low, high


@dataclass(frozen=True)
class Speeds:
    """What is known of the kinds of training of a study, see `kind_of_training`.

    ``failed`` says why a kind has no speed. ``weights`` are numbers of weights, by digest of the network: a
    probe counts them.
    """

    known: dict[str, Speed]
    failed: dict[str, str]
    weights: dict[str, int]


def speeds_of(training: list[Run], here: list[dict[str, Any]], plan: Plan, items: Items) -> Speeds:
    """Speeds of trainings: those of finished runs (``here``: their records), else those of probes made now."""
    kinds = {kind_of_training(run): run for run in training}
    known = {kind: speed for kind in kinds if (speed := _of_finished(kind, here))}
    wanted = {kind: run for kind, run in kinds.items() if kind not in known}
    speeds = Speeds(known, {}, {})
    if not wanted:
        return speeds
    probes = _Probes(plan, items, list(wanted.values()))
    results = probes.measure()
    for result in results.values():
        if not isinstance(result, str):
            speeds.weights.update(result["counts"])
    for kind, run in wanted.items():
        result = results[_probed(run)]
        if isinstance(result, str):
            speeds.failed[kind] = result
        else:
            speeds.known[kind] = probes.scaled(result, run)
    return speeds


def kind_of_training(run: Run | dict[str, Any]) -> str:
    """What decides the speed of a training, and nothing else."""
    path, read = (
        (run.path, run.parameters) if isinstance(run, Run) else (run["path"], run["parameters"])
    )
    parts = [read[name] for name in ("backend", "threads", "network", "precision")]
    return digest(
        [path.split("/")[1], *parts, read["recipe"]["batch"], read["recipe"]["augmentation"]]
    )


def workers_for(threads: int) -> tuple[int, str]:
    """Trainings at a time with `--cores all`: one a GPU, else one for so many threads."""
    gpus = len(list(Path("/dev").glob("nvidia[0-9]*")))
    n = gpus or max(1, len(os.sched_getaffinity(0)) // threads)
    return n, f"{n} at a time on this machine's {'GPUs' if gpus else 'cores'}"


def _of_finished(kind: str, here: list[dict[str, Any]]) -> Speed | None:
    """Speed of finished runs on this machine."""
    rows = []
    for r in here:
        facts = r["facts"]
        if r["step"] in TRAINING and facts.get("items") and kind_of_training(r) == kind:
            busy = facts["train_seconds"] + facts["test_seconds"]
            rows.append((max(0, r["execution"]["seconds"] - busy), busy / facts["items"]))
    if not rows:
        return None
    fixed, item = zip(*rows, strict=True)
    source = f"{len(rows)} finished runs on this machine"
    return Speed((min(fixed), max(fixed)), (min(item), max(item)), source)


class _Probes:
    """Short trainings of the smallest network of each family that the runs use, one for each `_probed`."""

    def __init__(self, plan: Plan, items: Items, runs: list[Run]) -> None:
        self.plan, self.items, self.runs = plan, items, runs
        self.networks = plan.parameters.networks
        self.costs: dict[str, int] = {}
        self.smallest = {
            family: min(
                (name for name, network in self.networks.items() if network.family == family),
                key=lambda name: self._adds(self.networks[name]),
            )
            for family in {run.parameters["network"]["family"] for run in runs}
        }

    def measure(self) -> dict[str, Any]:
        """What each probe measured, or why it didn't, by `_probed`; as many at a time as a study."""
        probes = {_probed(run): run for run in self.runs}
        networks = {digest(n): n for n in (run.parameters["network"] for run in self.runs)}
        specs = {
            key: self._spec(run, count=list(networks.values()) if i == 0 else [])
            for i, (key, run) in enumerate(probes.items())
        }
        workers, _ = workers_for(self.runs[0].parameters["threads"])
        return probe.measure(specs, self.plan.root, workers)

    def _spec(self, run: Run, count: list[dict[str, Any]]) -> dict[str, Any]:
        """A training like that of the run, of the smallest network; weights of ``count`` are counted."""
        smallest = self.networks[self.smallest[run.parameters["network"]["family"]]]
        told = {"network": smallest.plain(), "checkpoint_epochs": 1, "watched": []}
        return {
            "parameters": run.parameters | told,
            "items": [*self.items.shape, self.items.classes],
            "count": count,
        }

    def scaled(self, result: dict[str, Any], run: Run) -> Speed:
        """Speed of a run from what its probe measured."""
        name = self.smallest[run.parameters["network"]["family"]]
        network = NETWORK.validate_python(run.parameters["network"])
        scale = self._adds(network) / self._adds(self.networks[name])
        # An epoch ends with a pass over the test items.
        tests = self.items.test / self.items.train
        low, high = (scale * (result[end][0] + tests * result[end][1]) for end in ("low", "high"))
        # Compiling takes longer for a deeper network, and no time if an earlier run has done it.
        fixed = (result["start"], result["start"] + scale * result["compile"])
        source = f"a probe ({name}) just now, scaled by multiply-adds"
        return Speed(fixed, (low, high), source)

    def _adds(self, network: Network) -> int:
        key = digest(network.plain())
        if key not in self.costs:
            self.costs[key] = cost(network, self.items.shape, self.items.classes)
        return self.costs[key]


def _probed(run: Run) -> str:
    """What a probe must be made anew for."""
    read, recipe = run.parameters, run.parameters["recipe"]
    parts = [read["network"]["family"], read["precision"], recipe["batch"], recipe["augmentation"]]
    return digest(parts)
