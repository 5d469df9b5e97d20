"""Trainings in low precision: schedules, costs, resumption, phases, on both backends."""

import json
import subprocess
import sys

import numpy as np
import pytest
from small_runs import FLOAT32, parameters, tensors

from sixteen.precision.bits import of_steps
from sixteen.precision.entry import precision_of

CYCLIC = {"kind": "cyclic", "profile": "cosine", "form": "triangular-v", "cycles": 2, "start": 0}
QUANTIZED = FLOAT32 | {"low": 3, "high": 8, "gradients": 8, "ranges": "moving", "bits": CYCLIC}
STATIC = QUANTIZED | {"bits": {"kind": "static"}}
RESNET = {"family": "resnet_v1", "depth": 8, "width": 4}
STEPS = 8  # an epoch
NUMPY = """
import json, sys
import numpy as np
from sixteen.training import backends
backends.start("jax", 1)
import jax
from sixteen.precision import quantizers
call = json.loads(sys.argv[1])
x, upstream, noise = (np.float32(call[name]) for name in ("x", "upstream", "noise"))
on_grid = quantizers.fake_quantize(x, 3, (0,))
y, pull = jax.vjp(lambda x: quantizers.round_gradient(x, noise, 4, None), x)
_, straight = jax.vjp(lambda x: quantizers.fake_quantize(x, 3, (0,)), x)
jitted = jax.jit(lambda x, bits: quantizers.fake_quantize(x, bits, (0,)))
told = {"on_grid": on_grid, "y": y, "pulled": pull(upstream)[0], "straight": straight(upstream)[0]}
told |= {"jitted": jitted(x, 3), "identity": jitted(x, 32)}
print(json.dumps({name: np.asarray(value).tolist() for name, value in told.items()}))
"""


def test_a_run_follows_its_schedule_and_tells_its_cost(run):
    found = run("cyclic", precision=QUANTIZED, network=RESNET, until=3)
    entry = precision_of(QUANTIZED)
    forward = of_steps(entry.bits, 3, 8, 0, 3, STEPS)
    assert found.column("forward_bits") == list(forward[STEPS - 1 :: STEPS])
    assert found.facts["bit_cost"] == entry.bit_cost(forward)
    assert len(set(forward)) > 3
    static = run("static", precision=STATIC, network=RESNET, until=3)
    assert static.facts["bit_cost"] == 1 / 16
    assert static.column("loss") != found.column("loss")
    assert "" in {row["forward_bits"] for row in run("plain", network=RESNET).history[1:]}


def test_every_step_has_the_bits_of_its_schedule(run, monkeypatch):
    from sixteen.training.step_tensorflow import TensorFlowStep

    own, given = TensorFlowStep.train, []

    def noted(self, rows, rates, bits, tick):
        given.append(list(bits))
        return own(self, rows, rates, bits, tick)

    monkeypatch.setattr(TensorFlowStep, "train", noted)
    run("cyclic", precision=QUANTIZED, network=RESNET)
    wanted = of_steps(precision_of(QUANTIZED).bits, 3, 8, 0, 2, STEPS)
    assert [*given[0], *given[1]] == list(wanted)


def test_tests_have_the_most_bits_and_those_of_the_moment_are_told_apart(run):
    low = QUANTIZED | {"bits": {"kind": "window", "start": 0, "epochs": 1}, "low": 2}
    found = run("window", precision=low, network=RESNET)
    (first, second) = found.history[1:]
    assert (first["forward_bits"], second["forward_bits"]) == ("2", "8")
    assert first["test_loss_at_bits"] != first["test_loss"]
    assert second["test_loss_at_bits"] == second["test_loss"]
    assert second["test_accuracy_at_bits"] == second["test_accuracy"]
    learner = run.last.learner
    assert np.array_equal(learner.test(8), tensors(found, "predictions")["logits"])
    assert not np.array_equal(learner.test(2), learner.test(8))


def test_killed_and_called_again_gives_the_same_bytes(run):
    from small_runs import Killed

    settings = {"precision": QUANTIZED, "network": RESNET, "until": 3}
    with pytest.raises(Killed):
        run("killed", killed_in=3, **settings)
    resumed = run("killed", **settings)
    assert resumed.deterministic() == run("whole", **settings).deterministic()


def test_a_float32_run_goes_on_on_grids_and_comes_back(run):
    start = run("float32", network=RESNET)
    on_grids = run("low", precision=STATIC, network=RESNET, start=start.into, until=4)
    weights = tensors(on_grids)
    ranges = [name for name in weights if name.endswith("/input_range")]
    assert set(tensors(start)) == set(weights) - set(ranges)
    assert all(weights[name][2] == pytest.approx(1 - 0.9 ** (2 * STEPS)) for name in ranges)
    back = run("back", network=RESNET, start=on_grids.into, until=5)
    assert set(tensors(back)) == set(tensors(start))
    before, after = tensors(on_grids, "predictions")["logits"], tensors(back, "predictions")
    # The same network, but for what 8 bits round.
    kept = (after["start"].argmax(1) == before.argmax(1)).mean()
    assert 0.7 < kept < 1
    further = run("further", precision=STATIC, network=RESNET, start=on_grids.into, until=6)
    assert np.array_equal(tensors(further, "predictions")["start"], before)


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_one_compiled_program_serves_a_schedule_and_gives_the_same_bytes_again(runner, backend):
    if backend == "jax":
        pytest.importorskip("jax")
    settings = {"backend": backend, "precision": QUANTIZED, "network": RESNET, "until": 2}
    program = f"""
import json, sys, tempfile
from pathlib import Path
import numpy as np
from sixteen.training import backends
backends.start({backend!r}, 1)
from sixteen import tasks
from sixteen.training.learner import Learner
from sixteen.training.parameters import Training
learner = Learner(Training.model_validate(json.loads(sys.argv[1])), tasks.bind("classify_images", Path(sys.argv[2])), None)
rows = learner.rows(1)
learner.step.compile(rows)
before, ends = learner.snapshot(), []
for bits in (np.full(len(rows), 8), np.arange(3, 3 + len(rows)), np.full(len(rows), 32), np.full(len(rows), 8)):
    learner.restore(before)
    learner.train(rows, np.full(len(rows), 0.05, np.float32), bits, lambda: None)
    ends.append(learner.model.trainable_variables[0].numpy())
programs = learner.step._train.experimental_get_tracing_count() if {backend!r} == "tensorflow" else 1
print(json.dumps([programs, [bool((ends[0] == end).all()) for end in ends]]))
"""
    given = [json.dumps(parameters(**settings)), str(runner.dataset)]
    done = subprocess.run(
        [sys.executable, "-c", program, *given],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [1, [True, False, False, True]]


def test_jax_quantizes_as_numpy_does():
    pytest.importorskip("jax")
    draw = np.random.default_rng(0)
    x, upstream = draw.normal(0.3, 2, (2, 6, 4)).astype(np.float32)
    noise = draw.uniform(-0.5, 0.5, x.shape).astype(np.float32)
    call = {"x": x.tolist(), "upstream": upstream.tolist(), "noise": noise.tolist()}
    done = subprocess.run(
        [sys.executable, "-c", NUMPY, json.dumps(call)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = {name: np.float32(value) for name, value in json.loads(done.stdout).items()}

    def affine(x, bits, axes, noise):
        least, most = x.min(axis=axes, keepdims=True), x.max(axis=axes, keepdims=True)
        step = (most - least) / np.float32(2**bits - 1)
        place = np.clip((x - least) / step + noise, 0, np.float32(2**bits - 1))
        return np.rint(place) * step + least

    # Not to the last bit: on CPUs JAX's quotients may be off by one, and what is compiled may be fused.
    close = {"rel": 1e-6, "abs": 1e-6}
    wanted = affine(x, 3, 0, np.float32(0))
    assert found["on_grid"] == pytest.approx(wanted, **close)
    assert found["jitted"] == pytest.approx(wanted, **close)
    assert np.array_equal(found["y"], x)
    assert np.array_equal(found["identity"], x)
    assert np.array_equal(found["straight"], upstream)
    assert found["pulled"] == pytest.approx(affine(upstream, 4, None, noise), **close)
