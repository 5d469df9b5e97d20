"""What a step on grids of few bits costs: the arm of 8 bits of each task's demo against that of float32, side by side.

    python benchmarks/grids.py --repeats 3 --epochs 2

The data, network, batch and threads are those of the demos. Each arm trains in a process of its own, taken in turns so
that a busy machine slows both. Prints milliseconds a step (compilation and the first epoch left out, the fastest of the
other epochs) as minimum, median and maximum over the repeats, and the ratio pair by pair.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import told

from sixteen.datasets.prepared.prepare import Preparation, prepare
from sixteen.lineage.plan import Plan
from sixteen.lineage.steps import Run
from sixteen.study.load import load

ROOT = Path(__file__).parents[1]
STUDIES = [f"schedules-{task}-demo" for task in ("images", "nodes", "language", "pairs", "boxes")]
ARMS = {"float32": "float32", "static": "8 bits"}


def main() -> None:
    """Measure, or with `--one` be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description="Compare steps on grids with float32 ones.")
    parser.add_argument("studies", nargs="*", default=STUDIES)
    parser.add_argument("--repeats", type=int, default=3, help="pairs for each study")
    parser.add_argument("--epochs", type=int, default=2, help="epochs that are timed")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        _be_measured(json.loads(arguments.one.read_text()), arguments.one.parent, arguments.epochs)
        return
    print(told.machine())
    plan = Plan(load(ROOT), ROOT)
    for study in arguments.studies:
        with tempfile.TemporaryDirectory() as folder:
            _compare(study, plan, Path(folder), arguments)


def _compare(study: str, plan: Plan, folder: Path, arguments: argparse.Namespace) -> None:
    runs, sentences = plan.study(study), plan.parameters.studies[study].sentences
    (data,) = (run for run in runs if run.step == "prepare")
    prepare(Preparation.model_validate(data.parameters), {}, folder, folder)
    arms = [next(run for run in runs if f"/{sentences[arm]}/" in run.path) for arm in ARMS]
    pairs = [
        [_measure(arm, folder, arguments.epochs) for arm in arms] for _ in range(arguments.repeats)
    ]
    for name, milliseconds in zip(ARMS.values(), zip(*pairs, strict=True), strict=True):
        print(f"{study}, {name}: {told.spread(milliseconds, '.1f')} ms a step")
    print(
        f"{study}, 8 bits / float32, pair by pair: {told.spread([b / a for a, b in pairs], '.2f')}"
    )
    sys.stdout.flush()


def _measure(arm: Run, folder: Path, epochs: int) -> float:
    training = folder / "training.json"
    training.write_text(json.dumps({**arm.parameters, **arm.settings}))
    command = [sys.executable, __file__, "--one", str(training), "--epochs", str(epochs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return float(done.stdout.splitlines()[-1])


def _be_measured(training: dict[str, Any], folder: Path, epochs: int) -> None:
    """Train for one untimed epoch and then the timed ones; print milliseconds a step in the fastest."""
    from sixteen.training import backends
    from sixteen.training.parameters import Training

    parameters = Training.model_validate(training)
    # Before the task imports Keras.
    backends.start(parameters.backend, parameters.threads, parameters.devices)
    from sixteen import tasks
    from sixteen.training.learner import Learner
    from sixteen.training.recipe import rates

    learner = Learner(parameters, tasks.bind(parameters.task, folder), None)
    seconds = []
    for epoch in range(1, epochs + 2):
        rows = learner.rows(epoch)
        rate = rates(parameters.recipe, 0, parameters.until, len(rows), [])[: len(rows)]
        bits = parameters.precision.forward_bits(0, parameters.until, len(rows))[: len(rows)]
        learner.begin()
        begun = time.perf_counter()
        learner.train(rows, rate, bits, int)
        seconds.append((time.perf_counter() - begun) / len(rows))
    print(1000 * min(seconds[1:]))


if __name__ == "__main__":
    main()
