"""Batches that are spread over several devices: CPUs, of which XLA is told to see two."""

import subprocess
import sys
from pathlib import Path

import pytest
from small_runs import tensors, watched

pytest.importorskip("jax")
COMPILED = """
import sys
from pathlib import Path
from sixteen.training import backends
backends.start("jax", 1, 2)
sys.path.insert(0, {here!r})
from small_runs import parameters
from sixteen import tasks
from sixteen.training.learner import Learner
from sixteen.training.parameters import Training
training = Training.model_validate(parameters(backend="jax", devices=2))
learner = Learner(training, tasks.bind(training.task, Path({dataset!r})), None)
learner.step.compile(learner.rows(1))
text = learner.step._train.as_text()
print("all-reduce" in text, "f32[16,8,8,1]" in text, "f32[32,8,8,1]" in text)
"""


@pytest.fixture
def two(monkeypatch):
    """Processes started here see two devices."""
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=2")


def test_two_devices_learn_what_one_learns_but_for_the_order_of_sums(runner, two, monkeypatch):
    """Batch norm included: with the means of half a batch the losses would be others from the first epoch on."""
    one = runner.run("on-one", backend="jax", until=2)
    both, again = (runner.run(f"on-two{i}", backend="jax", until=2, devices=2) for i in (0, 1))
    assert both.column("loss") == pytest.approx(one.column("loss"), rel=1e-3)
    assert both.column("test_loss") == pytest.approx(one.column("test_loss"), rel=1e-3)
    shapes = {name: tensor.shape for name, tensor in tensors(one).items()}
    assert {name: tensor.shape for name, tensor in tensors(both).items()} == shapes
    assert one.facts["device"] + ", 2 devices" == both.facts["device"]
    # The same bytes again, and of one device whatever else is seen.
    assert again.deterministic() == both.deterministic()
    monkeypatch.delenv("XLA_FLAGS")
    assert runner.run("alone", backend="jax", until=2).deterministic() == one.deterministic()


def test_each_device_computes_its_part_of_a_batch_and_gradients_are_added_up(two, dataset):
    program = COMPILED.format(here=str(Path(__file__).parent), dataset=str(dataset))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True", "False"], done.stderr


def test_what_is_observed_is_that_of_one_device_but_for_the_order_of_sums(runner, two):
    found = {}
    for devices in (1, 2):
        plans = [watched(f"seen-by-{devices}")]
        about = {"backend": "jax", "precision": "mixed_float16", "until": 1, "watched": plans}
        runner.run(f"seen-on-{devices}", devices=devices, **about)
        table = runner.scratch(f"seen-by-{devices}") / "live" / "observations.csv"
        header, first, *_ = (line.split(",") for line in table.read_text().splitlines())
        row = dict(zip(header, first, strict=True))
        found[devices] = [float(row[name]) for name in ("gradient_norm", "quantization_error")]
    assert found[2] == pytest.approx(found[1], rel=1e-3)


def test_fewer_devices_than_asked_for_are_one_sentence(runner, two):
    process = runner.start("on-three", backend="jax", devices=3, batch=33)
    _, said = process.communicate()
    told = "expected 3 devices, found 2 (cpu:0, cpu:1): lower `devices`"
    assert process.returncode and told in said
