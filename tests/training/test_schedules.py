"""Learning rates against an independent computation, step by step, and what the optimizer really had."""

import importlib.util
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from small_runs import CONSTANT, parameters, recipe

from sixteen.training.recipe import rates
from sixteen.training.schedules import Schedule

STEPS = 8
SCHEDULES = {
    "constant": CONSTANT,
    "warm": CONSTANT | {"warmup": 1.5},
    "step": {"kind": "step", "warmup": 0, "restarts": False, "at": [1, 3], "factor": 0.1},
    "cosine": {"kind": "cosine", "warmup": 1, "restarts": False, "epochs": 3, "end": 0.1},
    "linear": {"kind": "linear", "warmup": 0.5, "restarts": False, "epochs": 3, "end": 0.0},
}


def by_hand(name, epoch, step):
    """The factor of one step, from its own formula."""
    number = (epoch - 1) * STEPS + step  # from 0
    time = number / STEPS
    if name == "constant":
        return 1.0
    if name == "warm":
        return min((number + 1) / 12, 1.0)
    if name == "step":
        return {1: 1.0, 2: 0.1, 3: 0.1}.get(epoch, 0.01)
    if name == "cosine":
        if number < STEPS:
            return (number + 1) / STEPS
        return 0.1 + 0.45 * (1 + math.cos(math.pi * min((time - 1) / 2, 1)))
    if number < STEPS / 2:
        return (number + 1) / (STEPS / 2)
    return max(0.0, (3 - time) / 2.5)


def of_epochs(schedule, epochs, first=0, losses=()):
    changed = recipe(learning_rate=0.05, schedule=schedule)
    found = [rates(changed, first, epoch, STEPS, losses) for epoch in epochs]
    assert all(rate.dtype == np.float32 for rate in found)
    return np.concatenate(found)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_are_those_of_the_formula(name):
    expected = [0.05 * by_hand(name, epoch, step) for epoch in range(1, 6) for step in range(STEPS)]
    found = of_epochs(SCHEDULES[name], range(1, 6))
    assert found == pytest.approx(np.float32(expected), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["warm", "step", "cosine", "linear"])
def test_a_phase_runs_on_or_begins_anew(name):
    whole = of_epochs(SCHEDULES[name], range(1, 6))
    on = of_epochs(SCHEDULES[name], range(3, 6), first=2)
    assert np.array_equal(on, whole[2 * STEPS :])
    anew = of_epochs(SCHEDULES[name] | {"restarts": True}, range(3, 6), first=2)
    assert np.array_equal(anew, whole[: 3 * STEPS])
    assert not np.array_equal(anew, on)


PLATEAU = {"kind": "plateau", "warmup": 0, "restarts": False, "factor": 0.5, "patience": 2}


@pytest.mark.parametrize(
    ("losses", "drops"),
    [
        ([], 0),
        ([3, 2, 1], 0),
        ([3, 2, 2], 0),  # once is no patience of two
        ([3, 2, 2, 2.5], 1),
        ([3, 2, 2.1, 1.9, 2.2, 1.95], 1),  # falls in between, then waits twice
        ([1, 2, 2, 2, 2], 2),
        ([1, 2, 2, 2], 1),
    ],
)
def test_a_plateau_lowers_the_rate_by_the_losses_alone(losses, drops):
    epoch = len(losses) + 1
    expected = np.full(STEPS, np.float32(0.05 * 0.5**drops))
    assert np.array_equal(of_epochs(PLATEAU, [epoch], losses=losses), expected)


def test_a_plateau_remembers_the_phase_before_unless_it_restarts():
    losses = [1, 2, 2, 2]  # two epochs before the switch, two after it
    assert of_epochs(PLATEAU, [5], first=2, losses=losses)[0] == np.float32(0.025)
    anew = of_epochs(PLATEAU | {"restarts": True}, [5], first=2, losses=losses)
    assert anew[0] == np.float32(0.05)


def test_refuses_a_warmup_that_leaves_nothing_to_lower():
    entry = SCHEDULES["cosine"] | {"warmup": 3}
    with pytest.raises(ValidationError, match="expected a `warmup` shorter than the 3 `epochs`"):
        TypeAdapter(Schedule).validate_python(entry)


PROGRAM = """
import json, sys
call = json.loads(sys.argv[1])
from sixteen.training import backends
backends.start(call["backend"], 1)
from pathlib import Path
import keras, numpy as np
from sixteen import tasks
from sixteen.training.learner import Learner
from sixteen.training.parameters import Training

learner = Learner(Training.model_validate(call["parameters"]), tasks.bind("classify_images", Path(call["dataset"])), None)
kernel = learner.model.trainable_variables[0]
rows = learner.rows(1)
learner.step.compile(rows)
before = learner.snapshot()

def moved(rates):
    learner.restore(before)
    all_rates = np.zeros(len(rows), np.float32)
    all_rates[-len(rates) :] = rates
    learner.train(rows, all_rates, np.full(len(rows), 32), lambda: None)
    return kernel.numpy().astype(np.float64) - before["model/0"]

compiled = lambda: learner.step._train.experimental_get_tracing_count() if call["backend"] == "tensorflow" else 1
first = moved([0.01])
double = moved([0.02])
none = moved([0.0])
late = moved([0.02, 0.01])
rate = float(learner.optimizer.learning_rate.numpy())
print(json.dumps({
    "ratio": float(np.linalg.norm(double) / np.linalg.norm(first)),
    "none": float(np.abs(none).max()),
    "late": float(np.linalg.norm(late) / np.linalg.norm(first)),
    "rate": rate,
    "compiled": compiled(),
}))
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_each_step_takes_its_own_rate_and_nothing_is_compiled_again(backend, runner, dataset):
    """With a dynamic scale, whose optimizer wraps the one that has the rate."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} isn't installed")
    call = {
        "backend": backend,
        "dataset": str(dataset),
        "parameters": parameters("mixed_float16", backend=backend, momentum=0.0),
    }
    command = [sys.executable, "-c", PROGRAM, json.dumps(call)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["ratio"] == pytest.approx(2, rel=1e-3)
    assert seen["none"] == 0
    assert seen["late"] == pytest.approx(3, rel=0.5)
    assert seen["rate"] == np.float32(0.01)
    assert seen["compiled"] == 1
