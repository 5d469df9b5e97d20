"""What a study will take before it runs: runs, items, time and disk.

Time comes from finished runs of the same network and precision on this machine. For what was never run here
a probe trains the smallest network of the same family (so that it compiles within seconds) for a few
steps on random items, and its seconds an item are scaled by multiply-adds. Everything here is an estimate,
and says how it was made.
"""

import importlib
import math
import os
import platform
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from sixteen.errors import UserError
from sixteen.lineage import probe, record
from sixteen.lineage.fingerprint import digest
from sixteen.lineage.plan import Plan
from sixteen.lineage.steps import Run
from sixteen.networks import AnyNetwork, cost
from sixteen.networks.parts.family import Network
from sixteen.precision.entry import Precision

TRAINING = ("train", "continue_training")
BITS = {"float16": 16, "bfloat16": 16, "float32": 32}

NETWORK = TypeAdapter(AnyNetwork)


@dataclass(frozen=True)
class Items:
    """How many items (images, sequences) a dataset has, and the shape of one."""

    train: int
    test: int
    classes: int
    shape: tuple[int, ...]


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


def estimate(plan: Plan, study: str) -> str:
    """The estimate of a study as text to read. Raises UserError if the size of its dataset is unknown."""
    return _Estimate(plan, study).text()


class _Estimate:
    def __init__(self, plan: Plan, study: str) -> None:
        self.study = study
        self.runs = plan.study(study)
        self.by_path = {run.path: run for run in self.runs}
        records = [record.read(folder) for folder in record.find(plan.root)]
        self.here = [r for r in records if r["execution"]["host"] == platform.node()]
        self.done = {r["path"] for r in records}
        self.sizes = {_kind(r): sum(o["bytes"] for o in r["outputs"].values()) for r in records}
        self.items = _items(plan, next(run for run in self.runs if run.step == "prepare"), records)
        self.todo = [run for run in self.runs if run.path not in self.done]
        training = [run for run in self.todo if run.step in TRAINING]
        self.speeds = {key: s for key in map(_key, training) if (s := self._measured(key))}
        unmeasured = {_key(run): run for run in training if _key(run) not in self.speeds}
        self.parameters: dict[str, int] = {}
        self.costs: dict[str, int] = {}
        self.failed: dict[str, str] = {}
        if unmeasured:
            self._probe(unmeasured, plan)

    def _measured(self, key: str) -> Speed | None:
        """Speed of finished runs on this machine."""
        rows = []
        for r in self.here:
            facts = r["facts"]
            if r["step"] in TRAINING and facts.get("items") and _key(r) == key:
                busy = facts["train_seconds"] + facts["test_seconds"]
                rows.append((max(0, r["execution"]["seconds"] - busy), busy / facts["items"]))
        if not rows:
            return None
        fixed, item = zip(*rows, strict=True)
        source = f"{len(rows)} finished runs on this machine"
        return Speed((min(fixed), max(fixed)), (min(item), max(item)), source)

    def _probe(self, wanted: dict[str, Run], plan: Plan) -> None:
        """Measure the smallest network of each family in each precision, as many at a time as a study."""
        networks = {digest(n): n for n in (run.parameters["network"] for run in wanted.values())}
        every = plan.parameters.networks
        smallest = {
            family: min(
                (name for name, network in every.items() if network.family == family),
                key=lambda name: self._adds(every[name]),
            )
            for family in {network["family"] for network in networks.values()}
        }
        probes = {_probed(run): run for run in wanted.values()}
        results = probe.measure(
            {
                key: {
                    "parameters": run.parameters
                    | {
                        "network": every[smallest[run.parameters["network"]["family"]]].plain(),
                        "checkpoint_epochs": 1,
                        "watched": [],
                    },
                    "items": [*self.items.shape, self.items.classes],
                    "count": list(networks.values()) if i == 0 else [],
                }
                for i, (key, run) in enumerate(probes.items())
            },
            plan.root,
            _workers(next(iter(wanted.values())).parameters["threads"])[0],
        )
        for result in results.values():
            if not isinstance(result, str):
                self.parameters |= result["counts"]
        for key, run in wanted.items():
            result = results[_probed(run)]
            if isinstance(result, str):
                self.failed[key] = result
                continue
            name = smallest[run.parameters["network"]["family"]]
            network = NETWORK.validate_python(run.parameters["network"])
            scale = self._adds(network) / self._adds(every[name])
            tests = (
                self.items.test / self.items.train
            )  # an epoch ends with a pass over the test items
            low, high = (
                scale * (result[end][0] + tests * result[end][1]) for end in ("low", "high")
            )
            # Compiling takes longer for a deeper network, and no time if an earlier run has done it.
            fixed = (result["start"], result["start"] + scale * result["compile"])
            source = f"a probe ({name}) just now, scaled by multiply-adds"
            self.speeds[key] = Speed(fixed, (low, high), source)

    def _adds(self, network: Network) -> int:
        key = digest(network.plain())
        if key not in self.costs:
            self.costs[key] = cost(network, self.items.shape, self.items.classes)
        return self.costs[key]

    def text(self) -> str:
        """The estimate, step by step, then time and disk."""
        todo, planned = (Counter(run.step for run in runs) for runs in (self.todo, self.runs))
        lines = [
            f"{self.study}: {len(self.runs)} runs, {len(self.runs) - len(self.todo)} done, {len(self.todo)} to do",
            "",
        ]
        lines += [
            f"  {step:<18}{planned[step] - todo[step]:>4} done {todo[step]:>4} to do"
            for step in planned
        ]
        training = [run for run in self.todo if run.step in TRAINING]
        items = sum(self._length(run) for run in training)
        lines += ["", f"items to train: {items:,} in {len(training)} runs (those of all epochs)"]
        lines += self._time(training)
        return "\n".join([*lines, *self._disk()])

    def _time(self, training: list[Run]) -> list[str]:
        lines = [""]
        groups: dict[str, list[Run]] = {}
        for run in training:
            groups.setdefault(_key(run), []).append(run)
        for key, runs in groups.items():
            name = f"  {_name(runs[0])}: {len(runs)} runs"
            if key in self.failed:
                lines.append(f"{name}, no estimate: {self.failed[key]}")
                continue
            ends = [self.speeds[key].seconds(self._length(run)) for run in runs]
            each = _range(min(low for low, _ in ends), max(high for _, high in ends))
            lines.append(f"{name} of {each} each, from {self.speeds[key].source}")
        if not training:
            return ["", "estimated time: nothing to train, seconds to minutes for the rest"]
        if not self.speeds:
            return [
                *lines,
                "estimated time: none, since nothing was measured; try again when the machine is idle",
            ]
        workers, what = _workers(training[0].parameters["threads"])
        low, high = (self._makespan(side, workers) for side in (0, 1))
        without = "without those that have no estimate, " if self.failed else ""
        lines.append(
            f"estimated time: {_range(low, high)}, {without}{what}; the range is that of what was measured, "
            "other load on the machine isn't in it, nor what is observed"
        )
        return lines

    def _makespan(self, side: int, workers: int) -> float:
        """When the last run ends if each begins as soon as its parents and a worker are ready."""
        free = [0.0] * workers
        ends: dict[str, float] = {}
        for run in self.todo:
            ready = max((ends.get(path, 0.0) for path in run.parents.values()), default=0.0)
            worker = free.index(min(free))
            ends[run.path] = max(ready, free[worker]) + self._seconds(run, side)
            free[worker] = ends[run.path]
        return max(ends.values(), default=0.0)

    def _seconds(self, run: Run, side: int) -> float:
        if run.step in TRAINING:
            return (
                self.speeds[_key(run)].seconds(self._length(run))[side]
                if _key(run) in self.speeds
                else 0.0
            )
        took = [r["execution"]["seconds"] for r in self.here if r["step"] == run.step]
        return (min, max)[side](took, default=0.0)

    def _length(self, run: Run) -> int:
        return self.items.train * (run.parameters["until"] - self._first(run))

    def _first(self, run: Run) -> int:
        """The epoch that a run starts from."""
        if "start" not in run.parents:
            return 0
        start = self.by_path[run.parents["start"]]
        return start.parameters.get("until") or self._first(start)

    def _disk(self) -> list[str]:
        """Bytes of the runs to do: as large as finished ones of their kind, else from what they hold."""
        same = [self.sizes[_kind(run)] for run in self.todo if _kind(run) in self.sizes]
        others = [run for run in self.todo if _kind(run) not in self.sizes]
        guessed = [size for run in others if (size := self._bytes(run))]
        small = sum(run.step not in (*TRAINING, "prepare", "quantize") for run in others)
        lines = [f"estimated disk: {_size(sum(same) + sum(guessed))} for the runs to do"]
        if same:
            lines.append(f"  {len(same)} as large as finished runs of their kind")
        if guessed:
            lines.append(f"  {len(guessed)} from their numbers of weights, logits and pixels")
        if small:
            lines.append(f"  {small} not counted: tables and pages, a few megabytes each at most")
        if unknown := len(others) - len(guessed) - small:
            lines.append(f"  {unknown} not counted: how many weights they hold wasn't measured")
        return lines

    def _bytes(self, run: Run) -> int:
        items = self.items
        if run.step == "prepare":
            return (items.train + items.test) * (math.prod(items.shape) + 4)
        trained = self.by_path.get(run.parents.get("start", ""), run)
        shape = digest(run.parameters.get("network") or trained.parameters.get("network"))
        if run.step not in (*TRAINING, "quantize") or shape not in self.parameters:
            return 0
        if run.step == "quantize":
            return self.parameters[shape] * BITS[run.parameters["to"]] // 8
        precision = Precision.model_validate(run.parameters["precision"])
        predictions = 2 * items.test * items.classes * BITS[precision.compute] // 8  # start and end
        return self.parameters[shape] * BITS[precision.storage] // 8 + predictions


def _items(plan: Plan, prepare: Run, records: list[dict[str, Any]]) -> Items:
    """Size of the study's dataset: as prepared, as its kind always is, or counted in its archive."""
    for r in records:
        if r["path"] == prepare.path:
            facts = r["facts"]
            return Items(
                facts["train_items"], facts["test_items"], facts["outputs"], tuple(facts["shape"])
            )
    entry = plan.parameters.datasets[prepare.path.split("/")[2]]
    kind = importlib.import_module(f"sixteen.datasets.{entry.kind.replace('-', '_')}")
    if hasattr(kind, "items"):
        train, test, classes = kind.items(entry)
        return Items(train, test, classes, kind.shape(entry))
    from sixteen.datasets.archives.members import opened

    place = plan.root / os.path.expanduser(os.path.expandvars(prepare.sources["archive"]))
    if not place.exists():
        raise UserError(
            f"expected the dataset at {place}, to count its items, found nothing there: put it there, or set "
            "the variable in its `path` in params.yaml"
        )
    with opened(place) as members:
        train, test = (
            sum(n.startswith(f"{part}/") for n in members.files) for part in ("train", "test")
        )
        classes = len({name.split("/")[1] for name in members.files})
    return Items(train, test, classes, kind.shape(entry))


def _key(run: Run | dict[str, Any]) -> str:
    """What decides the speed of a training, and nothing else."""
    path, read = (
        (run.path, run.parameters) if isinstance(run, Run) else (run["path"], run["parameters"])
    )
    parts = [read[name] for name in ("backend", "threads", "network", "precision")]
    return digest(
        [path.split("/")[1], *parts, read["recipe"]["batch"], read["recipe"]["augmentation"]]
    )


def _kind(run: Run | dict[str, Any]) -> str:
    """What decides how large a run is, nearly: its path without seed and fingerprint."""
    path = run.path if isinstance(run, Run) else run["path"]
    return "/".join(part for part in path.split("/")[:-1] if not part.startswith("seed-"))


def _probed(run: Run) -> str:
    """What a probe must be made anew for."""
    return digest([run.parameters["network"]["family"], run.parameters["precision"]])


def _name(run: Run) -> str:
    """``resnet8 in float16``, as the path says."""
    words = run.path.split("/")
    precision = words[-3].partition("-in-")[2].partition("-by-")[0]
    return f"{words[2]} in {precision}"


def _workers(threads: int) -> tuple[int, str]:
    """Trainings at a time with `--cores all`: one a GPU, else one for so many threads."""
    gpus = len(list(Path("/dev").glob("nvidia[0-9]*")))
    n = gpus or max(1, len(os.sched_getaffinity(0)) // threads)
    return n, f"{n} at a time on this machine's {'GPUs' if gpus else 'cores'}"


def _range(low: float, high: float) -> str:
    one, other = _duration(low), _duration(high)
    return f"about {one}" if one == other else f"{one} to {other}"


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
