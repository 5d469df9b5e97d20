"""Two real steps of a study at its full size: made-up data of the form and size of the real ones, time and memory.

    python benchmarks/full_size.py schedules-images schedules-nodes

Each network of each study trains in a process of its own, with the precision of the study's first arm and the step that
trainings have. Told are the seconds of making the data (in another process), of compiling and of each of the two steps,
and the greatest memory of the process. That counts what it has seen of the prepared file, which the system drops where
it needs room, and the tensors made of it.
"""

import argparse
import importlib
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from sixteen.lineage.items import Items, items_of
from sixteen.lineage.plan import Plan
from sixteen.lineage.steps import Run
from sixteen.study.load import load

ROOT = Path(__file__).parents[1]
EDGES = {"ogbn-arxiv": (169_343, 1_166_243), "ogbn-products": (2_449_029, 61_859_140)}
STEPS = 2


def main() -> None:
    """Measure, or with `--one` be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description="Train two steps of studies at their full size.")
    parser.add_argument("studies", nargs="*")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        _be_measured(json.loads(arguments.one.read_text()))
        return
    plan = Plan(load(ROOT), ROOT)
    print("study, network: data s, compile s, first step s, second step s, peak memory GB")
    for study in arguments.studies:
        runs = plan.study(study)
        prepare = next(run for run in runs if run.step == "prepare")
        items = items_of(plan, prepare, [])
        firsts: dict[str, Run] = {}
        for run in runs:
            if run.step == "train":
                firsts.setdefault(run.path.split("/")[2], run)
        for network, run in firsts.items():
            print(f"{study}, {network}: {_measured(run, items)}", flush=True)


def _measured(run: Run, items: Items) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        dataset = run.parents["dataset"].split("/")[2]
        told = {**run.parameters, **run.settings}
        json.dump({"training": told, "items": vars(items), "dataset": dataset}, file)
        file.flush()
        command = [sys.executable, __file__, "--one", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (
        done.stdout.strip() or f"failed ({done.returncode}): {done.stderr.strip().splitlines()[-1]}"
    )


def _be_measured(told: dict[str, Any]) -> None:
    from sixteen.training import backends
    from sixteen.training.parameters import Training

    parameters = Training.model_validate(told["training"])
    backends.start(
        parameters.backend, parameters.threads, parameters.devices
    )  # before the task imports Keras
    from sixteen import tasks
    from sixteen.training import measure
    from sixteen.training.learner import Learner
    from sixteen.training.recipe import rates

    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own, or its memory would be counted as the training's.
        maker = multiprocessing.get_context("spawn").Process(target=_make, args=(told, folder))
        seconds = [_timed(lambda: (maker.start(), maker.join()))]
        if maker.exitcode:
            sys.exit(f"making the data ended with status {maker.exitcode}")
        learner = Learner(parameters, tasks.bind(parameters.task, Path(folder)), None)
    rows = learner.rows(1)
    rate = rates(parameters.recipe, 0, 1, len(rows), [])
    bits = parameters.precision.forward_bits(0, parameters.until, len(rows))
    seconds.append(_timed(lambda: learner.step.compile(rows)))
    for step in range(STEPS):
        # A whole graph is one batch, and an epoch one step.
        at = step % len(rows)
        one = slice(at, at + 1)
        seconds.append(_timed(lambda one=one: learner.train(rows[one], rate[one], bits[one], int)))
    print(*(f"{s:.1f}," for s in seconds), f"{measure.peak()['peak_bytes'] / 1e9:.1f}")


def _make(told: dict[str, Any], folder: str) -> None:
    """Write made-up data of the real form and size."""
    _made_up(told).save(Path(folder))


def _made_up(told: dict[str, Any]) -> Any:
    task = told["training"]["task"]
    items, form = told["items"], importlib.import_module(f"sixteen.tasks.{task}").FORM
    shape, outputs = tuple(items["shape"]), items["classes"]
    if told["dataset"] not in EDGES:
        many = max(items["train"], items["test"])
        return form.random(many // shape[0] if task == "model_language" else many, shape, outputs)
    nodes, edges = EDGES[told["dataset"]]
    draw = np.random.default_rng(0)
    numbers = draw.permutation(nodes)
    ends = np.cumsum([items["train"], nodes - items["train"] - items["test"]])
    parts = dict(zip(("train", "validation", "test"), np.split(numbers, ends), strict=True))
    return form.of(
        draw.standard_normal((nodes, shape[0]), dtype=np.float32),
        draw.integers(0, nodes, (2, edges), dtype=np.int32),
        draw.integers(0, outputs, nodes),
        parts,
        tuple(map(str, range(outputs))),
        neighbours=shape[1:],
    )


def _timed(action: Any) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
