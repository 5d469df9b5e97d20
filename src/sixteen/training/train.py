"""Train a network from its seed, or go on from the weights of an earlier run: one precision, one process.

Continuing after a cast to 16 bit is the method of arXiv:2311.18587; the same continuation in 32 bit is what
it is compared with. A fresh optimizer starts every continuation, momentum at zero, in both arms.
"""

import time
from pathlib import Path
from typing import Any

from sixteen.training import backends


def train(
    parameters: dict[str, Any], inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Train a network on the prepared `dataset` from weights drawn from the seed; returns the facts.

    Writes weights.safetensors, logits.safetensors (`logits` of the test set, and `start`, those before the
    first step), history.csv, timing.csv, outcome.json, and what `observe` of the recipe measures:
    observations.csv, descent.csv and exponents.csv (headers alone without it) into `into`. Weights, logits
    and test results are those of the average of the weights where the recipe asks for one.
    Goes on from the checkpoint in `scratch` if there is one. Numbers that stop being finite end the run
    with outcome "diverged" and all files written; only a mistake of the user raises, as UserError.
    """
    return _run(parameters, inputs["dataset"], None, into, scratch)


def continue_training(
    parameters: dict[str, Any], inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Like `train`, from the weights of the run `start`; epochs, and so batches, count on from its last.

    If `start` diverged, nothing is trained, and this run is diverged at step 0.
    """
    return _run(parameters, inputs["dataset"], inputs["start"], into, scratch)


def _run(
    parameters: dict[str, Any], dataset: Path, start: Path | None, into: Path, scratch: Path
) -> dict[str, Any]:
    begun = time.perf_counter()
    backends.start(parameters["backend"], parameters["threads"])
    # Here, not above: these import Keras, which must find its backend chosen.
    from sixteen.training.session import Session

    import_seconds = time.perf_counter() - begun
    session = Session(parameters, dataset, start, scratch)
    session.run()
    session.write(into)
    return {**session.facts(), "import_seconds": import_seconds}
