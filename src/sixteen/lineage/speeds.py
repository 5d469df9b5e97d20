"""How fast trainings go on this machine, as finished runs tell; `sixteen.lineage.probes` measures what none tells."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sixteen.lineage.fingerprint import digest
from sixteen.lineage.items import Items
from sixteen.lineage.steps import TRAINING, Run


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
    """What is known of kinds of training, see `kind_of_training`.

    ``failed`` says why a kind has no speed. ``weights`` are numbers of weights, see `shape_of`. ``load`` is that of the
    machine beside the probes: processes that ran or wanted to, over a minute; None if no speed was probed.
    """

    known: dict[str, Speed]
    failed: dict[str, str]
    weights: dict[str, int]
    load: float | None


def kind_of_training(run: Run | dict[str, Any]) -> str:
    """What decides the speed of a training, nearly: how its loss is scaled and its batch norm stored doesn't."""
    path, read = (
        (run.path, run.parameters) if isinstance(run, Run) else (run["path"], run["parameters"])
    )
    # A record of an earlier version may not tell all of them: its kind is then none of today's.
    parts = [read.get(name) for name in ("backend", "threads", "devices", "network")]
    recipe = [read["recipe"]["batch"], read["recipe"]["augmentation"]]
    return digest([path.split("/")[1], *parts, format_of(read["precision"]), *recipe])


def format_of(precision: dict[str, Any]) -> str:
    """The format that a precision computes in; ``mixed`` if its weights are float32, ``quantized`` on grids of few bits."""
    if "bits" in precision:
        return "quantized"
    compute = precision["compute"]
    mixed = precision["master_weights"] and compute != "float32"
    return f"mixed {compute}" if mixed else compute


def shape_of(network: dict[str, Any], items: Items) -> str:
    """What decides how many weights a network has."""
    return digest([network, items.shape, items.classes])


def workers_for(trainings: Iterable[Run]) -> tuple[int, str]:
    """Trainings at a time with `--cores all`: one a GPU, else one for as many threads as one of them has at most."""
    gpus = len(list(Path("/dev").glob("nvidia[0-9]*")))
    threads = max((run.threads for run in trainings), default=1)
    n = gpus or max(1, len(os.sched_getaffinity(0)) // threads)
    return n, f"{n} at a time on this machine's {'GPUs' if gpus else 'cores'}"


def of_finished(kind: str, here: list[dict[str, Any]]) -> Speed | None:
    """Speed of the finished runs of a kind on this machine, of which ``here`` holds the records."""
    rows = []
    for r in here:
        facts = r["facts"]
        if r["step"] in TRAINING and facts.get("items") and kind_of_training(r) == kind:
            busy = facts["train_seconds"] + facts["test_seconds"]
            rows.append((max(0, r["execution"]["seconds"] - busy), busy / facts["items"]))
    if not rows:
        return None
    fixed, item = zip(*rows, strict=True)
    source = f"{len(rows)} run{'' if len(rows) == 1 else 's'} here"
    return Speed((min(fixed), max(fixed)), (min(item), max(item)), source)
