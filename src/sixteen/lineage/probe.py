"""A short training on random items, in a process of its own, to learn how fast this machine trains."""

import csv
import importlib
import itertools
import json
import logging
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sixteen.lineage.fingerprint import digest

SECONDS = 55  # after which a probe is given up
EPOCHS = 4  # of one step each; the first warms up

log = logging.getLogger("sixteen")


def measure(specs: dict[str, dict[str, Any]], root: Path, workers: int) -> dict[str, Any]:
    """What each probe measured, or a sentence that says why it has no answer; ``workers`` at a time."""
    cache = str((root / ".sixteen/cache").resolve())
    environment = {"SIXTEEN_CACHE": cache, "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
    log.info("measuring %d short trainings, %d at a time", len(specs), workers)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        places = [Path(folder, str(i)) for i in range(len(specs))]
        answers = pool.map(_run, places, specs.values(), itertools.repeat(environment))
        return dict(zip(specs, answers, strict=True))


def _run(place: Path, spec: dict[str, Any], environment: dict[str, str]) -> Any:
    place.mkdir()
    (place / "spec.json").write_text(json.dumps(spec))
    command = [sys.executable, "-m", __name__, str(place)]
    with (place / "log").open("w") as said:
        try:
            subprocess.run(
                command, env=environment, stdout=said, stderr=said, timeout=SECONDS, check=True
            )
        except subprocess.TimeoutExpired:
            return f"the probe didn't end within {SECONDS} s"
        except subprocess.CalledProcessError as error:
            lines = (place / "log").read_text().strip().splitlines()
            return f"the probe failed: {lines[-1] if lines else error.returncode}"
    return json.loads((place / "result.json").read_text())


def _probe_here(place: Path) -> None:
    """Train for a few steps on random items, and write what was measured; runs in its own process."""
    from pydantic import TypeAdapter

    from sixteen import networks
    from sixteen.training import backends
    from sixteen.training.parameters import Training
    from sixteen.training.train import train

    spec = json.loads((place / "spec.json").read_text())
    *shape, classes = spec["items"]
    parameters = Training.model_validate(spec["parameters"] | {"until": EPOCHS})
    batch = parameters.recipe.batch
    backends.start(parameters.backend, parameters.threads)  # before the task imports Keras
    form = importlib.import_module(f"sixteen.tasks.{parameters.task}").FORM
    form.random(batch, tuple(shape), classes).save(place)
    facts = train(parameters, {"dataset": place}, place, place)
    with (place / "timing.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[1:]
    if not rows:
        sys.exit("training on random items diverged at once")
    items = facts["items"] / EPOCHS  # of one step, and as many are tested
    train_seconds = [float(row["train_seconds"]) / items for row in rows]
    test_seconds = [float(row["test_seconds"]) / items for row in rows]
    told = (tuple(shape), classes, parameters.precision, parameters.recipe.l2, 0)
    typed: TypeAdapter[Any] = TypeAdapter(networks.AnyNetwork)
    counts = {
        digest(network): networks.build(typed.validate_python(network), *told).count_params()
        for network in spec["count"]
    }
    result = {
        "low": [min(train_seconds), min(test_seconds)],
        "high": [max(train_seconds), max(test_seconds)],
        "start": facts["import_seconds"],
        "compile": facts["compile_seconds"],
        "counts": counts,
    }
    (place / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    _probe_here(Path(sys.argv[1]))
