"""How many items a dataset has, before or after it is prepared."""

import importlib
from dataclasses import dataclass
from typing import Any

from sixteen.errors import UserError
from sixteen.lineage.plan import Plan
from sixteen.lineage.steps import Run, place_of


@dataclass(frozen=True)
class Items:
    """How many items (images, sequences) a dataset has, and the shape of one."""

    train: int
    test: int
    classes: int
    shape: tuple[int, ...]


def length(run: Run, runs: dict[str, Run], items: Items) -> int:
    """How many training items a training sees, those of all its epochs. ``runs`` are those of its plan, by path."""
    return items.train * (run.parameters["until"] - _first(run, runs))


def _first(run: Run, runs: dict[str, Run]) -> int:
    """The epoch that a run starts from."""
    if "start" not in run.parents:
        return 0
    start = runs[run.parents["start"]]
    return start.parameters.get("until") or _first(start, runs)


def items_of(plan: Plan, prepare: Run, records: list[dict[str, Any]]) -> Items:
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

    place = plan.root / place_of(prepare.sources["archive"])
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
