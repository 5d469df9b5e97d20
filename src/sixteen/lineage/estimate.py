"""What a study will take before it runs: runs, items, time and disk.

Time comes from how fast its trainings go here, see `sixteen.lineage.speeds`; disk from the sizes of finished
runs of the same kind. Everything here is an estimate, and says how it was made.
"""

import math
import platform
from collections import Counter
from typing import Any

from sixteen.lineage import record
from sixteen.lineage.fingerprint import digest
from sixteen.lineage.items import items_of
from sixteen.lineage.plan import Plan
from sixteen.lineage.speeds import TRAINING, kind_of_training, speeds_of, workers_for
from sixteen.lineage.steps import Run
from sixteen.precision.entry import precision_of
from sixteen.precision.formats import BITS


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
        self.items = items_of(
            plan, next(run for run in self.runs if run.step == "prepare"), records
        )
        self.todo = [run for run in self.runs if run.path not in self.done]
        training = [run for run in self.todo if run.step in TRAINING]
        self.speeds = speeds_of(training, self.here, plan, self.items)

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
            groups.setdefault(kind_of_training(run), []).append(run)
        for key, runs in groups.items():
            name = f"  {_name(runs[0])}: {len(runs)} runs"
            if key in self.speeds.failed:
                lines.append(f"{name}, no estimate: {self.speeds.failed[key]}")
                continue
            ends = [self.speeds.known[key].seconds(self._length(run)) for run in runs]
            each = _range(min(low for low, _ in ends), max(high for _, high in ends))
            lines.append(f"{name} of {each} each, from {self.speeds.known[key].source}")
        timings = self._untold()
        if not training:
            return [
                "",
                f"estimated time: nothing to train, seconds to minutes for the rest{timings}",
            ]
        if not self.speeds.known:
            return [
                *lines,
                "estimated time: none, since nothing was measured; try again when the machine is idle"
                + timings,
            ]
        workers, what = workers_for(training[0].parameters["threads"])
        low, high = (self._makespan(side, workers) for side in (0, 1))
        without = "without those that have no estimate, " if self.speeds.failed else ""
        lines.append(
            f"estimated time: {_range(low, high)}, {without}{what}; the range is that of what was measured, "
            f"other load on the machine isn't in it, nor what is observed{timings}"
        )
        return lines

    def _untold(self) -> str:
        """The timings to do, if none was ever made here by which to estimate them."""
        count = sum(run.step == "time" for run in self.todo)
        if not count or any(r["step"] == "time" for r in self.here):
            return ""
        return (
            f"; without {count} timing{'' if count == 1 else 's'}, of which none was made here yet"
        )

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
                self.speeds.known[kind_of_training(run)].seconds(self._length(run))[side]
                if kind_of_training(run) in self.speeds.known
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
        if run.step not in (*TRAINING, "quantize") or shape not in self.speeds.weights:
            return 0
        if run.step == "quantize":
            return self.speeds.weights[shape] * BITS[run.parameters["to"]] // 8
        precision = precision_of(run.parameters["precision"])
        predictions = 2 * items.test * items.classes * BITS[precision.compute] // 8  # start and end
        return self.speeds.weights[shape] * BITS[precision.storage] // 8 + predictions


def _kind(run: Run | dict[str, Any]) -> str:
    """What decides how large a run is, nearly: its path without seed and fingerprint."""
    path = run.path if isinstance(run, Run) else run["path"]
    return "/".join(part for part in path.split("/")[:-1] if not part.startswith("seed-"))


def _name(run: Run) -> str:
    """``resnet8 in float16``, as the path says."""
    words = run.path.split("/")
    precision = words[-3].partition("-in-")[2].partition("-by-")[0]
    return f"{words[2]} in {precision}"


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
