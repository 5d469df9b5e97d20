"""Speeds of trainings that never ran on this machine: which probes tell them, made once for all that need them.

A probe trains the smallest network of the same family (so that it compiles within seconds) for a few steps on random
items, and its seconds an item are scaled by multiply-adds.
"""

import contextlib
import os
from typing import Any

from pydantic import TypeAdapter

from sixteen.errors import UserError
from sixteen.lineage import probe
from sixteen.lineage.fingerprint import digest
from sixteen.lineage.items import Items
from sixteen.lineage.plan import Plan
from sixteen.lineage.speeds import (
    Speed,
    Speeds,
    format_of,
    kind_of_training,
    of_finished,
    shape_of,
    workers_for,
)
from sixteen.lineage.steps import TRAINING, Run
from sixteen.networks import AnyNetwork, cost
from sixteen.networks.parts.family import Network

NETWORK = TypeAdapter(AnyNetwork)
PROBE = "a probe"
COUNT = "count"

# A training to do, with the size of its dataset.
Asked = tuple[Run, Items]


def speeds_of(asked: list[Asked], records: list[dict[str, Any]], host: str, plan: Plan) -> Speeds:
    """Speeds of trainings: those of finished runs on ``host``, which this is, else those of probes made now."""
    here = [r for r in records if r["execution"]["host"] == host]
    kinds = {kind_of_training(run): (run, items) for run, items in asked}
    known = {kind: speed for kind in kinds if (speed := of_finished(kind, here))}
    wanted = {kind: one for kind, one in kinds.items() if kind not in known}
    weights = _recorded(records, asked)
    uncounted = {
        key: one
        for one in asked
        if (key := shape_of(one[0].parameters["network"], one[1])) not in weights
    }
    if not wanted and not uncounted:
        return Speeds(known, {}, weights, None)
    probes = _Probes(plan)
    specs = probes.specs(list(wanted.values())) | probes.counting(uncounted)
    before = os.getloadavg()[0]
    trainings = [run for run, _ in asked]
    workers, _ = workers_for(trainings)
    results = probe.measure(specs, plan.root, workers)
    own = workers * max((run.threads for run in trainings), default=1)
    load = max(before, os.getloadavg()[0] - own)
    counted = results.get(COUNT, {})
    speeds = Speeds(known, {}, weights, load if wanted else None)
    speeds.weights.update({} if isinstance(counted, str) else counted)
    for kind, one in wanted.items():
        result = results[_probed(one)]
        if isinstance(result, str):
            speeds.failed[kind] = result
        else:
            speeds.known[kind] = probes.scaled(result, one)
    return speeds


def _recorded(records: list[dict[str, Any]], asked: list[Asked]) -> dict[str, int]:
    """Numbers of weights that finished runs on the same datasets tell."""
    sizes = {run.path.split("/")[1]: items for run, items in asked}
    return {
        shape_of(r["parameters"]["network"], sizes[dataset]): r["facts"]["parameters"]
        for r in records
        if r["step"] in TRAINING and "parameters" in r["facts"]
        if (dataset := r["path"].split("/")[1]) in sizes
    }


class _Probes:
    """Short trainings of the smallest network of each family, one for each `_probed`."""

    def __init__(self, plan: Plan) -> None:
        self.networks = plan.parameters.networks
        self.costs: dict[str, int] = {}

    def specs(self, wanted: list[Asked]) -> dict[str, dict[str, Any]]:
        """What each probe is to train, by `_probed`."""
        return {_probed(one): self._spec(*one) for one in wanted}

    def counting(self, uncounted: dict[str, Asked]) -> dict[str, dict[str, Any]]:
        """The probe that counts weights, by `shape_of`, where there are any to count."""
        told = {
            key: {
                "network": run.parameters["network"],
                "precision": run.parameters["precision"],
                "items": [*items.shape, items.classes],
            }
            for key, (run, items) in uncounted.items()
        }
        says = f"weights of {len(told)} network{'' if len(told) == 1 else 's'}"
        return {COUNT: {"says": says, "count": told}} if told else {}

    def scaled(self, result: dict[str, Any], one: Asked) -> Speed:
        """Speed of a run from what its probe measured."""
        run, items = one
        network = NETWORK.validate_python(run.parameters["network"])
        smallest = self.networks[self._smallest(network.family, items)]
        scale = self._adds(network, items) / self._adds(smallest, items)
        # An epoch ends with a pass over the test items.
        tests = items.test / items.train
        low, high = (scale * (result[end][0] + tests * result[end][1]) for end in ("low", "high"))
        # Compiling takes longer for a deeper network, and no time if an earlier run has done it.
        fixed = (result["start"], result["start"] + scale * result["compile"])
        return Speed(fixed, (low, high), PROBE)

    def _spec(self, run: Run, items: Items) -> dict[str, Any]:
        """A training like that of the run, of the smallest network."""
        read = run.parameters
        name = self._smallest(read["network"]["family"], items)
        told: dict[str, Any] = {"network": self.networks[name].plain(), "watched": []}
        told |= {"checkpoint_epochs": 1, "checkpoint_steps": 1}
        dataset, batch = run.path.split("/")[1], read["recipe"]["batch"]
        return {
            "says": f"{name} in {format_of(read['precision'])} on {dataset}, batch {batch}",
            "training": read | told,
            "items": [*items.shape, items.classes],
        }

    def _smallest(self, family: str, items: Items) -> str:
        adds: dict[str, int] = {}
        for name, network in self.networks.items():
            if network.family == family:
                with contextlib.suppress(UserError):  # of one that can't take such items
                    adds[name] = self._adds(network, items)
        return min(adds, key=adds.__getitem__)

    def _adds(self, network: Network, items: Items) -> int:
        key = shape_of(network.plain(), items)
        if key not in self.costs:
            self.costs[key] = cost(network, items.shape, items.classes)
        return self.costs[key]


def _probed(one: Asked) -> str:
    """What a probe must be made anew for."""
    run, items = one
    read, recipe = run.parameters, run.parameters["recipe"]
    how = [read["backend"], read["threads"], read["devices"], format_of(read["precision"])]
    how += [recipe["batch"], recipe["augmentation"]]
    return digest([read["task"], read["network"]["family"], items.shape, items.classes, *how])
