"""Train a network from its seed, or go on from the weights of an earlier run: one precision, one process.

Continuing after a cast to 16 bit is the method of arXiv:2311.18587; the same continuation in 32 bit is what
it is compared with. A fresh optimizer starts every continuation, momentum at zero, in both arms.
"""

import time
from pathlib import Path
from typing import Any

from sixteen.training import backends
from sixteen.training.parameters import Training


def train(
    parameters: Training, inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Train a network on the prepared `dataset` from weights drawn from the seed, or published `weights`; returns the facts.

    Writes weights.safetensors, predictions.safetensors (`logits` of the test set, and `start`, those before the
    first step), history.csv, timing.csv and outcome.json into `into`. Weights, predictions and test results are those
    of the average of the weights where the recipe asks for one. Observations that are `watched` are left in the
    scratch folders, beside `scratch`, of the runs that want them, see `sixteen.training.watching`.
    Goes on from the checkpoint in `scratch` if there is one. Numbers that stop being finite end the run
    with outcome "diverged" and all files written; only a mistake of the user raises, as UserError.
    """
    return run(parameters, inputs["dataset"], None, into, scratch, inputs.get("weights"))


def continue_training(
    parameters: Training, inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Like `train`, from the weights of the run `start`; epochs, and so batches and rates, count on from its last.

    If `start` diverged, nothing is trained, and this run is diverged at step 0.
    """
    return run(parameters, inputs["dataset"], inputs["start"], into, scratch, None)


def run(
    parameters: Training,
    dataset: Path,
    start: Path | None,
    into: Path,
    scratch: Path,
    published: Path | None,
) -> dict[str, Any]:
    """Train one phase: from the run in the folder `start`, from the file `published`, or from the seed; see `train`."""
    begun = time.perf_counter()
    backends.start(parameters.backend, parameters.threads, parameters.devices)
    # Here, not above: these import Keras, which must find its backend chosen.
    from sixteen.training.session import Session

    import_seconds = time.perf_counter() - begun
    session = Session(parameters, dataset, start, scratch, published)
    session.run()
    session.write(into)
    return {**session.facts(), "import_seconds": import_seconds}
