"""A short training on random items, in a process of its own, to learn how fast this machine trains."""

import csv
import importlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sixteen.lineage.places import PRIVATE

MINUTES = 10  # after which a probe is given up; a busy machine takes some
EPOCHS = 4  # of one step each; the first warms up

log = logging.getLogger("sixteen")


def measure(specs: dict[str, dict[str, Any]], root: Path, workers: int) -> dict[str, Any]:
    """What each probe measured, or a sentence that says why it has no answer; ``workers`` at a time.

    A spec ``says`` what it is, which is logged as it begins. It has a ``training`` on ``items`` (shape and classes), or
    the networks to ``count`` the weights of.
    """
    cache = str((root / PRIVATE / "cache").resolve())
    environment = {"SIXTEEN_CACHE": cache, "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}

    def run(place: Path, spec: dict[str, Any]) -> Any:
        log.info("measuring %d of %d: %s", int(place.name), len(specs), spec["says"])
        return _run(place, spec, environment)

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        places = [Path(folder, str(i + 1)) for i in range(len(specs))]
        return dict(zip(specs, pool.map(run, places, specs.values()), strict=True))


def _run(place: Path, spec: dict[str, Any], environment: dict[str, str]) -> Any:
    place.mkdir()
    (place / "spec.json").write_text(json.dumps(spec))
    command = [sys.executable, "-m", __name__, str(place)]
    with (place / "log").open("w") as said:
        try:
            subprocess.run(
                command, env=environment, stdout=said, stderr=said, timeout=60 * MINUTES, check=True
            )
        except subprocess.TimeoutExpired:
            return f"its probe didn't end within {MINUTES} minutes"
        except subprocess.CalledProcessError as error:
            lines = (place / "log").read_text().strip().splitlines()
            return f"its probe failed: {lines[-1] if lines else error.returncode}"
    return json.loads((place / "result.json").read_text())


def _here(place: Path) -> None:
    """Do what the spec asks for, and write what was measured; runs in its own process."""
    spec = json.loads((place / "spec.json").read_text())
    if "count" in spec:
        result: dict[str, Any] = {key: _weights(told) for key, told in spec["count"].items()}
    else:
        *shape, classes = spec["items"]
        result = _train(place, spec["training"], tuple(shape), classes)
    (place / "result.json").write_text(json.dumps(result))


def _weights(told: dict[str, Any]) -> int:
    """How many numbers a network stores, by building it."""
    from pydantic import TypeAdapter

    from sixteen import networks
    from sixteen.precision.entry import precision_of

    typed: TypeAdapter[Any] = TypeAdapter(networks.AnyNetwork)
    network, precision = (
        typed.validate_python(told["network"]),
        precision_of(told["precision"]),
    )
    *shape, classes = told["items"]
    return networks.build(network, tuple(shape), classes, precision, 0.0, 0).count_params()


def _train(
    place: Path, told: dict[str, Any], shape: tuple[int, ...], classes: int
) -> dict[str, Any]:
    """Train for a few steps on random items: seconds an item, for training and test; of starting and compiling."""
    began = time.perf_counter()
    from sixteen.training import backends
    from sixteen.training.parameters import Training
    from sixteen.training.train import train

    parameters = Training.model_validate(told | {"until": EPOCHS})
    batch = parameters.recipe.batch
    backends.start(
        parameters.backend, parameters.threads, parameters.devices
    )  # before the task imports Keras
    form = importlib.import_module(f"sixteen.tasks.{parameters.task}").FORM
    started = time.perf_counter() - began
    form.random(batch, shape, classes).save(place)
    facts = train(parameters, {"dataset": place}, place, place)
    with (place / "timing.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[1:]
    if not rows:
        sys.exit("training on random items diverged at once")
    items = facts["items"] / EPOCHS  # of one step, and as many are tested
    seconds = [
        [float(row[name]) / items for row in rows] for name in ("train_seconds", "test_seconds")
    ]
    return {
        "low": list(map(min, seconds)),
        "high": list(map(max, seconds)),
        "start": started + facts["import_seconds"],
        "compile": facts["compile_seconds"],
    }


if __name__ == "__main__":
    _here(Path(sys.argv[1]))
