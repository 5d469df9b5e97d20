"""Why a planned run is not there yet: what differs from the nearest run of the same sentence and seed."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.lineage import record
from sixteen.lineage.archive import Record
from sixteen.lineage.plan import Plan
from sixteen.lineage.steps import Run

NONE_EARLIER = "no earlier run of this sentence"
MANY = 12  # sentences beyond which a group is told by its networks


def why(plan: Plan, studies: Iterable[str]) -> str:
    """For every planned run of some studies: present, or to run and because of what; alike ones together."""
    runs = {run.path: run for study in studies for run in plan.study(study)}
    reader = _Reader(plan)
    groups: dict[tuple[str, ...], list[Run]] = defaultdict(list)
    for run in runs.values():
        if not reader.present(run.path):
            groups[reader.reasons(run)].append(run)
    missing = sum(len(group) for group in groups.values())
    lines = [f"{len(runs)} runs planned: {len(runs) - missing} present, {missing} to run"]
    for reasons, group in groups.items():
        steps = Counter(run.step for run in group)
        counts = ", ".join(f"{n} {step}" for step, n in steps.items())
        lines += ["", f"to run: {counts}", *(f"  because {reason}" for reason in reasons)]
        lines += [f"    {line}" for line in _sentences(group)]
    return "\n".join(lines)


class _Reader:
    """Reads records of earlier runs, each once, and finds differences."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.records: dict[str, Record | None] = {}
        self.known: dict[str, tuple[str, ...]] = {}

    def present(self, path: str) -> bool:
        return (self.plan.root / path / record.NAME).exists()

    def reasons(self, run: Run) -> tuple[str, ...]:
        """Why a run that isn't there must be made: as few sentences as say it."""
        if run.path not in self.known:
            earlier = [self._differences(run, old) for old in self._earlier(run)]
            # The nearest: the fewest differences, and of equals those that take the fewest words.
            nearest = min(
                earlier, key=lambda lines: (len(lines), sum(map(len, lines))), default=None
            )
            self.known[run.path] = nearest or (NONE_EARLIER,)
        return self.known[run.path]

    def _earlier(self, run: Run) -> list[Record]:
        folder = Path(run.path).parent
        places = sorted((self.plan.root / folder).glob(f"*/{record.NAME}"))
        found = (self._record((folder / place.parent.name).as_posix()) for place in places)
        return [kept for kept in found if kept is not None]

    def _record(self, path: str) -> Record | None:
        if path not in self.records:
            try:
                self.records[path] = record.read(self.plan.root / path)
            except UserError:
                self.records[path] = None
        return self.records[path]

    def _differences(self, run: Run, old: Record) -> tuple[str, ...]:
        """What a planned run reads otherwise than an earlier one did, and the root causes above it.

        A cause that the run reads itself is not told a second time as that of what it starts from.
        """
        own, upstream = self._causes(run, old)
        above = [
            f"{' and '.join(sorted(steps))}, which it starts from: {line}"
            for line, steps in sorted(upstream.items())
            if line not in own
        ]
        return (*own, *above)

    def _causes(self, run: Run, old: Record) -> tuple[list[str], dict[str, set[str]]]:
        """Differences of a run itself, and those of all that it starts from with the steps they are in."""
        own = _parameters("", old["parameters"], run.parameters)
        own += _modules(old["code"]["modules"], run.code)
        upstream: dict[str, set[str]] = defaultdict(set)
        for role in run.parents.keys() & old["parents"].keys():
            if run.parents[role] == old["parents"][role]:
                continue
            parent, earlier = self.plan.runs[run.parents[role]], self._record(old["parents"][role])
            if earlier is None:
                upstream["another one, and the earlier isn't here to compare"].add(parent.step)
                continue
            lines, above = self._causes(parent, earlier)
            for line in lines:
                upstream[line].add(parent.step)
            for line, steps in above.items():
                upstream[line] |= steps
        return own, upstream


def _parameters(name: str, old: Any, new: Any) -> list[str]:
    """Differences of two values as ``dotted.name old -> new``; entries with an id go by it."""
    if old == new:
        return []
    old, new = _by_id(old), _by_id(new)
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [f"{name} {_short(old)} -> {_short(new)}"]
    lines = []
    for key in dict.fromkeys([*old, *new]):
        place = f"{name}.{key}" if name else key
        if key not in old:
            lines.append(f"{place} is new: {_short(new[key])}")
        elif key not in new:
            lines.append(f"{place} is gone, it was {_short(old[key])}")
        else:
            lines += _parameters(place, old[key], new[key])
    return lines


def _by_id(value: Any) -> Any:
    if isinstance(value, list) and all(
        isinstance(item, dict) and isinstance(item.get("id"), str) for item in value
    ):
        return {item["id"]: item for item in value}
    return value


def _short(value: Any) -> str:
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return f"{len(value)} entries"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _modules(old: dict[str, str], new: dict[str, str]) -> list[str]:
    kinds = {
        "changed": [name for name in old.keys() & new.keys() if old[name] != new[name]],
        "is reached now": new.keys() - old.keys(),
        "isn't reached any more": old.keys() - new.keys(),
    }
    return [f"code of {', '.join(sorted(names))} {what}" for what, names in kinds.items() if names]


def _sentences(runs: list[Run]) -> list[str]:
    """Paths without fingerprint and seed; where there are many, only how many runs each network has."""
    seeds: dict[str, list[str]] = defaultdict(list)
    for run in runs:
        folder, _, seed = run.path.rpartition("/")[0].partition("/seed-")
        seeds[folder] += [seed] if seed else []
    if len(seeds) > MANY:
        networks = Counter("/".join(run.path.split("/")[:3]) for run in runs)
        return [f"{name}  {n} runs" if n > 1 else name for name, n in networks.items()]
    return [f"{path}  seeds {', '.join(found)}" if found else path for path, found in seeds.items()]
