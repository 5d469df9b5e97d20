"""What one turn measures, by a clock that moves as far as each part is said to take."""

import statistics
import types

import numpy as np
import pytest
from test_turns import timing

from sixteen.timing import turn
from sixteen.timing.parameters import Job

COMPILING, WARMING, STEPS = 1000.0, 50.0, [1.0, 2.0, 9.0, 2.5, 1.5]


@pytest.fixture
def measured(monkeypatch):
    """The answer of a turn whose first three steps are slow, and one of whose others is."""
    from sixteen.training import backends

    backends.start("tensorflow", 1)
    from sixteen.training import learner, measure

    now, steps = [0.0], iter([WARMING] * 3 + STEPS)

    class Made:
        """A learner that only takes time; a step spends seven joules a second."""

        def __init__(self, training, task, start):
            self.task, self.model, self.step = task, None, self

        def rows(self, epoch):
            return np.arange(4 * 32).reshape(4, 32, 1)

        def begin(self):
            pass

        def compile(self, rows):
            now[0] += COMPILING

        def train(self, rows, rates, bits, tick):
            assert rows.shape[:2] == (1, 32) and len(rates) == 1
            now[0] += next(steps)

    task = types.SimpleNamespace(items=lambda rows: rows.shape[1], train_items=1442)
    monkeypatch.setattr(learner, "Learner", Made)
    monkeypatch.setattr(turn.tasks, "bind", lambda name, dataset: task)
    monkeypatch.setattr(turn, "time", types.SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(measure, "energy_meter", lambda: lambda: 7 * now[0])
    parameters = timing()
    training = parameters.training(parameters.arms[0], 32)
    return turn._measured(Job(training=training, steps=len(STEPS)), None)


def test_neither_compiling_nor_warming_up_counts_as_a_step(measured):
    assert measured["compile_seconds"] == COMPILING
    assert measured["step_seconds"] == statistics.median(STEPS) == 2
    assert measured["items_per_second"] == 32 / 2


def test_energy_is_that_of_a_measured_step(measured):
    assert measured["energy_joules"] == pytest.approx(7 * sum(STEPS) / len(STEPS))
