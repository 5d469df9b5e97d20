"""What the job of a run asks of a batch system: minutes and memory.

Both come from finished runs of its kind, on whatever machine they were made, the longest and largest of them; the time of
a training that has none from what `sixteen plan` measured last. What neither tells is for the profile to say.
"""

import contextlib
import json
import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

from sixteen.errors import UserError
from sixteen.lineage import record
from sixteen.lineage.console import label
from sixteen.lineage.items import Items, items_of, length
from sixteen.lineage.places import PRIVATE
from sixteen.lineage.plan import Plan
from sixteen.lineage.probes import PROBE
from sixteen.lineage.speeds import Speed, Speeds, kind_of_training, of_finished
from sixteen.lineage.steps import TRAINING, Run

SPEEDS = PRIVATE / "speeds.json"
# Safety: a node may be slower than the machine that was measured, and a peak of memory a matter of luck.
SLOWER, LARGER = 2.0, 1.5
# What stands around a run in its job: two Snakemakes, each of 153 MB, and their starts from a busy file system.
MEGABYTES, MINUTES = 400, 5
SMALL = ("summarize", "report")  # take minutes; that they have no estimate isn't worth a word


def keep(plan: Plan, speeds: Speeds) -> None:
    """Keep what `sixteen plan` has measured just now, beside what it measured before."""
    measured = {
        kind: [speed.fixed, speed.item]
        for kind, speed in speeds.known.items()
        if speed.source == PROBE
    }
    if measured:
        path = plan.root / SPEEDS
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(_kept(plan) | measured, indent=1), encoding="utf-8")


def _kept(plan: Plan) -> dict[str, Any]:
    try:
        return json.loads((plan.root / SPEEDS).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # never measured, or cut off
        return {}


class Needs:
    """What the jobs of a plan ask for. Where nothing tells, it is `minutes` and `megabytes`, and said to be so, once a kind."""

    def __init__(
        self, plan: Plan, minutes: int, megabytes: int, say: Callable[[str], None]
    ) -> None:
        self.plan, self.say = plan, say
        self.default = minutes, megabytes
        self.items: dict[str, Items | None] = {}
        self.kinds: dict[str, str] = {}  # by the path of a run
        self.named: set[str] = set()

    @cached_property
    def _records(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for folder in record.find(self.plan.root):
            with contextlib.suppress(
                UserError
            ):  # a broken one tells nothing; `sixteen verify` names it
                found.append(record.read(folder))
        return found

    @cached_property
    def _of_kind(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for r in self._records:
            found.setdefault(_kind(r["step"], r), []).append(r)
        return found

    @cached_property
    def _measured(self) -> dict[str, Speed]:
        return {
            kind: Speed(tuple(fixed), tuple(item), PROBE)
            for kind, (fixed, item) in _kept(self.plan).items()
        }

    def minutes(self, run: Run) -> int:
        """The time limit of a run's job."""
        seconds = self._seconds(run)
        if seconds is None:
            return self.default[0]
        return MINUTES + math.ceil(SLOWER * seconds / 60)

    def megabytes(self, run: Run) -> int:
        """The memory of a run's job."""
        peak = self._peak(run)
        return self.default[1] if peak is None else MEGABYTES + math.ceil(LARGER * peak / 1e6)

    def tell(self, run: Run) -> None:
        """Name what has no estimate, once for each kind of run."""
        lacks = [
            what
            for what, of in (("time", self._seconds), ("memory", self._peak))
            if of(run) is None
        ]
        kind = self._kind(run)
        if lacks and run.step not in SMALL and kind not in self.named:
            self.named.add(kind)
            self.say(
                f"no estimate of {' and '.join(lacks)} for {run.step} ({label(run.path) or run.path}) and its like: the "
                f"profile's {self.default[0]} minutes and {self.default[1]} MB stand for it"
            )

    def _peak(self, run: Run) -> int | None:
        """The most bytes of memory that a run of this kind had."""
        kind = self._of_kind.get(self._kind(run), [])
        return max((r["execution"].get("peak_memory_bytes", 0) for r in kind), default=0) or None

    def _kind(self, run: Run) -> str:
        if run.path not in self.kinds:
            self.kinds[run.path] = _kind(run.step, run)
        return self.kinds[run.path]

    def _seconds(self, run: Run) -> float | None:
        """How long a run takes at most, by all that is known."""
        kind = self._kind(run)
        finished = self._of_kind.get(kind, [])
        if run.step not in TRAINING:
            return max((r["execution"]["seconds"] for r in finished), default=None)
        speed = of_finished(kind, finished) or self._measured.get(kind)
        items = self._items(run) if speed else None
        return speed.seconds(length(run, self.plan.runs, items))[1] if speed and items else None

    def _items(self, run: Run) -> Items | None:
        """The size of a run's dataset; None if it isn't here yet."""
        prepared = run.parents["dataset"]
        if prepared not in self.items:
            try:
                found = items_of(self.plan, self.plan.runs[prepared], self._records)
            except UserError:
                found = None
            self.items[prepared] = found
        return self.items[prepared]


def _kind(step: str, run: Run | dict[str, Any]) -> str:
    """What decides the needs of a run, nearly: see `kind_of_training`; else its step on its dataset, or of its study."""
    if step in TRAINING:
        return kind_of_training(run)
    path = run.path if isinstance(run, Run) else run["path"]
    return f"{step} {path.split('/')[2 if step == 'prepare' else 1]}"
