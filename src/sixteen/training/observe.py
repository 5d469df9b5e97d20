"""The step that observes a phase of training: theory beside measurement, at chosen epochs.

It is a run of its own, so that a training which one study observes and another doesn't has the same weights and is one
run. Where both are planned together, the training observes while it trains and leaves its tables here. Where they are
missing, the phase is trained again, which gives the same weights on the same machine.
"""

import shutil
from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.files import read_json
from sixteen.training import backends, train
from sixteen.training.parameters import Observation, Watched
from sixteen.training.watching import LIVE, OF, digest

WEIGHTS = "weights.safetensors"
AGAIN = "again"


def observe(
    parameters: Observation, inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Observe the phase that made the run `run`, on the prepared `dataset`, from the run `start` if it had one.

    Writes observations.csv, descent.csv, exponents.csv and kinks.csv into `into`. Takes the tables that the training has left in
    `scratch`, if they are of its weights; else trains again there, and goes on from the checkpoint if that was
    interrupted. Raises UserError if the weights come out differently. Returns the facts: `observe_seconds`, and
    whether it has `trained_again`.
    """
    weights = digest(inputs["run"] / WEIGHTS)
    tables = scratch / LIVE
    trained_again = not _are_of(tables, weights)
    if trained_again:
        tables = _train_again(parameters, inputs, scratch)
        if not _are_of(tables, weights):
            raise UserError(
                f"expected the weights of {inputs['run']} from training it again, came others: it was trained on "
                "another machine or with other versions; remove that run and call again, so that it is trained and "
                "observed together"
            )
    for table in sorted(tables.glob("*.csv")):
        shutil.copyfile(table, into / table.name)
    return {
        "observe_seconds": read_json(tables / OF)["observe_seconds"],
        "trained_again": trained_again,
    }


def _train_again(parameters: Observation, inputs: dict[str, Path], scratch: Path) -> Path:
    training = parameters.training
    backends.start(training.backend, training.threads, training.devices)
    # Here, not above: Keras must find its backend chosen.
    from sixteen.training import observer

    watched = Watched(fingerprint=AGAIN, module=observer.__name__, watch=parameters.watch)
    own, into = scratch / scratch.name, scratch / "trained"  # its checkpoint is of this run
    own.mkdir(exist_ok=True)
    into.mkdir(exist_ok=True)
    again = training.model_copy(update={"watched": (watched,)})
    start, published = inputs.get("start"), inputs.get("weights")
    train.run(again, inputs["dataset"], start, into, own, published)
    return scratch / AGAIN / LIVE


def _are_of(tables: Path, weights: str) -> bool:
    """Whether tables are there as they were written, and of the weights with this digest."""
    try:
        told = read_json(tables / OF)
        found = {path.name: digest(path) for path in tables.glob("*.csv")}
        return (told["weights"], told["tables"]) == (weights, found)
    except (OSError, ValueError, KeyError, TypeError):
        return False
