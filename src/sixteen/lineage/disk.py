"""How much disk the runs to do will take: as finished ones of their kind, else by what they hold."""

import importlib
import math
from typing import Any

from sixteen.lineage.items import Items
from sixteen.lineage.speeds import shape_of
from sixteen.lineage.steps import TRAINING, Run
from sixteen.precision.entry import precision_of
from sixteen.precision.formats import BITS

WEIGHTY = (*TRAINING, "prepare", "quantize")


class Disk:
    """Bytes of runs ``todo`` of a study whose ``runs`` are given by path.

    ``weights`` are numbers of weights, see `shape_of`; ``records`` those of all finished runs.
    """

    def __init__(
        self,
        todo: list[Run],
        runs: dict[str, Run],
        items: Items,
        weights: dict[str, int],
        records: list[dict[str, Any]],
    ) -> None:
        self.runs, self.items, self.weights = runs, items, weights
        sizes = {_kind(r["path"]): sum(o["bytes"] for o in r["outputs"].values()) for r in records}
        kinds = [_kind(run.path) for run in todo]
        self.same = [sizes[kind] for kind in kinds if kind in sizes]
        others = [run for run, kind in zip(todo, kinds, strict=True) if kind not in sizes]
        heavy = [self._bytes(run) for run in others if run.step in WEIGHTY]
        self.guessed = [size for size in heavy if size]
        self.unknown = len(heavy) - len(self.guessed)
        self.small = len(others) - len(heavy)

    def sentences(self) -> list[str]:
        """The sum, how it was made, and what is not in it."""
        if not self.same and not self.guessed and not self.unknown and not self.small:
            return ["Disk: nothing more"]
        known = [
            f"{len(self.same)} runs as large as finished ones of their kind" if self.same else "",
            f"{len(self.guessed)} runs by their numbers of weights, logits and pixels"
            if self.guessed
            else "",
        ]
        missing = [
            f"{self.small} runs with tables and pages, a few megabytes each at most"
            if self.small
            else "",
            f"{self.unknown} whose weights couldn't be counted" if self.unknown else "",
        ]
        lines = [f"Disk: {_size(sum(self.same) + sum(self.guessed))}"]
        for begins, parts in (("Counted: ", known), ("Not counted: ", missing)):
            if told := ", ".join(filter(None, parts)):
                lines.append(f"{begins}{told}.")
        return lines

    def _bytes(self, run: Run) -> int:
        """What a run holds that grows with its network or dataset; 0 if that wasn't measured."""
        items = self.items
        if run.step == "prepare":
            kind = run.parameters["dataset"]["kind"].replace("-", "_")
            module = importlib.import_module(f"sixteen.datasets.{kind}")
            each = getattr(module, "item_bytes", math.prod)(items.shape)
            return (items.train + items.test) * (each + 4)
        trained = self.runs.get(run.parents.get("start", ""), run)
        network = run.parameters.get("network") or trained.parameters.get("network")
        weights = self.weights.get(shape_of(network or {}, items), 0)
        if run.step == "quantize" or not weights:
            return weights * BITS[run.parameters["to"]] // 8 if weights else 0
        precision = precision_of(run.parameters["precision"])
        predictions = 2 * items.test * items.classes * BITS[precision.compute] // 8  # start and end
        return weights * BITS[precision.storage] // 8 + predictions


def _kind(path: str) -> str:
    """What decides how large a run is, nearly: its path without seed and fingerprint."""
    return "/".join(part for part in path.split("/")[:-1] if not part.startswith("seed-"))


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
