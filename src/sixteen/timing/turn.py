"""One turn, in a process of its own: build, compile, warm up, measure.

    python -m sixteen.timing.turn JOB DATASET RESULT

Writes JSON to RESULT: what was measured; or `refused`, with a sentence for the user; or `too_large`, where the memory
doesn't suffice.
"""

import statistics
import sys
import time
from pathlib import Path
from typing import Any

from sixteen import tasks
from sixteen.errors import UserError
from sixteen.files import write_json
from sixteen.timing.memory import exhausted
from sixteen.timing.parameters import Job
from sixteen.training import backends

WARM_UP = 3  # steps: the first ones choose algorithms and make the allocator grow


def main(job: Path, dataset: Path, result: Path) -> None:
    """Measure, and write the answer down."""
    try:
        answer = _measured(Job.model_validate_json(job.read_bytes()), dataset)
    except UserError as error:
        answer = {"refused": str(error)}
    except Exception as error:
        if not exhausted(f"{type(error).__name__} {error}"):
            raise
        answer = {"too_large": True}
    write_json(result, answer)


def _measured(job: Job, dataset: Path) -> dict[str, Any]:
    """Numbers of one turn: a row of times.csv without its arm and turn, and the items of the training set."""
    training = job.training
    backends.start(training.backend, training.threads, training.devices)
    # Here, not above: these import Keras, which must find its backend chosen.
    from sixteen.training import measure
    from sixteen.training.learner import Learner
    from sixteen.training.recipe import rates

    learner = Learner(training, tasks.bind(training.task, dataset), None)
    rows = learner.rows(1)
    begun = time.perf_counter()
    learner.step.compile(rows[:1])
    compile_seconds = time.perf_counter() - begun
    rate = rates(training.recipe, 0, 1, len(rows), ())[:1]
    bits = training.precision.forward_bits(0, 1, len(rows))[:1]

    def step(number: int) -> float:
        """Seconds of one step, from the call until its results are here; where it is given pictures, reading them included."""
        row = rows[number % len(rows)][None]
        begun = time.perf_counter()
        learner.step.train(row, rate, bits, lambda: None)
        return time.perf_counter() - begun

    learner.begin()
    for number in range(WARM_UP):
        step(number)
    meter = measure.energy_meter()
    spent = meter() if meter else 0.0
    seconds = [step(WARM_UP + number) for number in range(job.steps)]
    joules = (meter() - spent) / job.steps if meter else None
    step_seconds = statistics.median(seconds)
    return {
        "compile_seconds": compile_seconds,
        "step_seconds": step_seconds,
        "items_per_second": learner.task.items(rows[:1]) / step_seconds,
        **measure.peak(),
        "energy_joules": joules,
        "device": measure.device(),
        "train_items": learner.task.train_items,
    }


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
