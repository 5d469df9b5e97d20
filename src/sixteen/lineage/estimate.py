"""What studies will take before they run: time, disk, bit operations, runs and items.

Time comes from how fast their trainings go here, see `sixteen.lineage.probes`; disk from the sizes of finished runs of
the same kind, see `sixteen.lineage.disk`. Everything here is an estimate, and says how it was made.
"""

import os
import platform
from collections import Counter
from typing import Any

from sixteen.lineage import cost, needs, record
from sixteen.lineage.disk import Disk
from sixteen.lineage.items import items_of, length
from sixteen.lineage.layout import span, table, wrapped
from sixteen.lineage.plan import Plan
from sixteen.lineage.probes import PROBE, Asked, speeds_of
from sixteen.lineage.speeds import Speeds, format_of, kind_of_training, workers_for
from sixteen.lineage.steps import TRAINING, Run

COLUMNS = ("network", "format", "runs", "each", "from")
MADE = (
    "Probes are short trainings of the smallest network of the family, made just now; "
    "what they took is scaled by multiply-adds."
)


def estimate(plan: Plan, studies: list[str]) -> str:
    """The estimates of studies as text to read. Raises UserError if the size of a dataset is unknown."""
    records = [record.read(folder) for folder in record.find(plan.root)]
    estimates = [_Estimate(plan, study, records) for study in studies]
    asked = [one for each in estimates for one in each.asked()]
    speeds = speeds_of(asked, records, platform.node(), plan)
    needs.keep(plan, speeds)
    blocks = [each.text(speeds) for each in estimates]
    return "\n\n".join([*blocks, *_about_probes(speeds)])


def _about_probes(speeds: Speeds) -> list[str]:
    """What is to be said of probes, if any was made."""
    if not any(speed.source == PROBE for speed in speeds.known.values()):
        return []
    cores, said = os.cpu_count() or 1, [MADE]
    if speeds.load is not None and speeds.load > cores / 2:
        said.append(
            f"The machine was busy meanwhile (load {speeds.load:.1f} beside them, {cores} cores): when it is idle, "
            "all takes less."
        )
    return ["\n".join(wrapped(" ".join(said)))]


class _Estimate:
    def __init__(self, plan: Plan, study: str, records: list[dict[str, Any]]) -> None:
        self.study, self.records = study, records
        self.runs = plan.study(study)
        self.by_path = {run.path: run for run in self.runs}
        prepare = next(run for run in self.runs if run.step == "prepare")
        self.items = items_of(plan, prepare, records)
        asked = plan.parameters.studies[study]
        self.costs = cost.costs(plan.parameters, asked, self.items)
        done = {r["path"] for r in records}
        self.todo = [run for run in self.runs if run.path not in done]
        self.training = [run for run in self.todo if run.step in TRAINING]
        self.took: dict[str, list[float]] = {}  # seconds of finished runs here, by step
        for r in records:
            if r["execution"]["host"] == platform.node():
                self.took.setdefault(r["step"], []).append(r["execution"]["seconds"])

    def asked(self) -> list[Asked]:
        """The trainings to do, whose speed is to be known."""
        return [(run, self.items) for run in self.training]

    def text(self, speeds: Speeds) -> str:
        """The estimate: time, disk, then step by step."""
        done = len(self.runs) - len(self.todo)
        head = f"{self.study}: {len(self.runs)} runs, {done} done, {len(self.todo)} to do"
        disk = Disk(self.todo, self.by_path, self.items, speeds.weights, self.records).sentences()
        blocks = [[head], self._time(speeds), wrapped(*disk), cost.told(self.costs), self._steps()]
        return "\n\n".join("\n".join(block) for block in blocks if block)

    def _steps(self) -> list[str]:
        todo, planned = (Counter(run.step for run in runs) for runs in (self.todo, self.runs))
        items = sum(self._length(run) for run in self.training)
        return [
            f"{'Runs:':<18}  done  to do",
            *(f"  {step:<18}{planned[step] - todo[step]:>4}{todo[step]:>7}" for step in planned),
            f"  {items:,} items to train in {len(self.training)} runs, those of all epochs",
        ]

    def _time(self, speeds: Speeds) -> list[str]:
        told, rows, notes = self._rows(speeds)
        left = Counter(run.step for run in self.todo if not self._timed(run.step))
        if left:
            what = ", ".join(f"{step} ({count})" for step, count in left.items())
            notes.append(f"Not counted, since none ran here yet: {what}.")
        workers, where = workers_for(self.training)
        low, high = (self._makespan(side, workers, speeds) for side in (0, 1))
        if not self.training:
            head = "nothing to train, seconds to minutes for the rest"
        elif not told:
            head = "no estimate"
        else:
            head = f"{span(low, high)}, {where}"
            head += ", without those that have no estimate" if len(told) < len(rows) else ""
        shown = table([COLUMNS, *rows]) if rows else []
        return [*wrapped(f"Time: {head}"), *shown, *wrapped(None, *notes)]

    def _rows(self, speeds: Speeds) -> tuple[set[str], list[tuple[str, ...]], list[str]]:
        """Which kinds have a speed, a row of the table for each kind, and what is to be said of them."""
        groups: dict[str, list[Run]] = {}
        for run in self.training:
            groups.setdefault(kind_of_training(run), []).append(run)
        told, rows, notes = set[str](), [], []
        for kind, runs in groups.items():
            name = runs[0].path.split("/")[2], format_of(runs[0].parameters["precision"])
            if kind not in speeds.known:
                rows.append((*name, str(len(runs)), "no estimate", ""))
                notes.append(f"{' in '.join(name)} has no estimate: {speeds.failed[kind]}.")
                continue
            speed = speeds.known[kind]
            ends = [speed.seconds(self._length(run)) for run in runs]
            each = span(min(low for low, _ in ends), max(high for _, high in ends))
            rows.append((*name, str(len(runs)), each, speed.source))
            told.add(kind)
        return told, rows, notes

    def _timed(self, step: str) -> bool:
        return step in TRAINING or step in self.took

    def _makespan(self, side: int, workers: int, speeds: Speeds) -> float:
        """When the last run ends if each begins as soon as its parents and a worker are ready."""
        free = [0.0] * workers
        ends: dict[str, float] = {}
        for run in self.todo:
            ready = max((ends.get(path, 0.0) for path in run.parents.values()), default=0.0)
            worker = free.index(min(free))
            ends[run.path] = max(ready, free[worker]) + self._seconds(run, side, speeds)
            free[worker] = ends[run.path]
        return max(ends.values(), default=0.0)

    def _seconds(self, run: Run, side: int, speeds: Speeds) -> float:
        if run.step not in TRAINING:
            return (min, max)[side](self.took.get(run.step, [0.0]))
        speed = speeds.known.get(kind_of_training(run))
        return speed.seconds(self._length(run))[side] if speed else 0.0

    def _length(self, run: Run) -> int:
        return length(run, self.by_path, self.items)
