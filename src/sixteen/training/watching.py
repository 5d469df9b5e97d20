"""Observations that are made while a run trains, for runs of the step `observe` that want them.

Tables are left where such a run looks for them, in its own scratch folder, with the digest of the weights that they
belong to. What observes is found by name, so that its code is no part of the training, whose bytes it doesn't change.
"""

import hashlib
import importlib
import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sixteen.files import settle, write_csv, write_json
from sixteen.training.parameters import Watched

if TYPE_CHECKING:
    from sixteen.training.learner import Learner

LIVE = "live"
OF = "of.json"

log = logging.getLogger("sixteen")


class Watching:
    """The observations of one phase, from the epoch `first` before it to its last."""

    def __init__(self, watched: Sequence[Watched], first: int, last: int) -> None:
        self.watched, self.first, self.last = tuple(watched), first, last
        self.seconds = 0.0
        self.rows: dict[str, dict[str, list[dict[str, Any]]]] = {
            one.fingerprint: {name: [] for name in _tables(one)} for one in watched
        }
        self.observers: dict[str, Any] = {}

    def due(self, epoch: int) -> list[Watched]:
        """Those that ask for the weights after `epoch`: the first, every so many after it, the last."""
        done = epoch - self.first
        return [one for one in self.watched if done % one.watch.every == 0 or epoch == self.last]

    def observe(self, epoch: int, learner: "Learner", rows: np.ndarray, rate: float) -> None:
        """Observe the weights that `learner` has, on the batch and with the learning rate of the step that is next.

        `rows` are the batches of the next epoch, of which the first is taken.
        """
        begun = time.perf_counter()
        for one in self.due(epoch):
            if one.module not in self.observers:
                self.observers[one.module] = importlib.import_module(one.module).Observer(learner)
            observed = self.observers[one.module].observe(epoch, rows, rate, one.watch.cast_to)
            for name, found in observed.items():
                self.rows[one.fingerprint][name] += found
        self.seconds += time.perf_counter() - begun

    def about(self) -> dict[str, Any]:
        """What a checkpoint remembers."""
        return {"observed": self.rows, "observe_seconds": self.seconds}

    def take_up(self, about: dict[str, Any]) -> None:
        """Go on from what a checkpoint remembers, without observations that were planned only after it."""
        late = [one for one in self.watched if one.fingerprint not in about["observed"]]
        for one in late:
            log.info(
                "observation %s was planned too late: it trains again by itself", one.fingerprint
            )
        self.watched = tuple(one for one in self.watched if one not in late)
        self.rows = {one.fingerprint: about["observed"][one.fingerprint] for one in self.watched}
        self.seconds = about["observe_seconds"]

    def write(self, scratch: Path, weights: Path) -> None:
        """Leave the tables beside the folder `scratch` of the training, for the `weights` that it has written."""
        about = {"weights": digest(weights), "observe_seconds": self.seconds}
        for one in self.watched:
            folder = scratch.parent / one.fingerprint
            partial = folder / f".{LIVE}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            for name, columns in _tables(one).items():
                write_csv(partial / f"{name}.csv", columns, self.rows[one.fingerprint][name])
            told = {path.name: digest(path) for path in sorted(partial.glob("*.csv"))}
            write_json(partial / OF, about | {"tables": told})
            shutil.rmtree(folder / LIVE, ignore_errors=True)
            settle(partial, folder / LIVE)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tables(one: Watched) -> dict[str, tuple[str, ...]]:
    return importlib.import_module(one.module).TABLES
