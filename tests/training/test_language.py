"""Trainings of a language model: state that is carried, phases, resumption, on both backends."""

import subprocess
import sys
from pathlib import Path

import pytest

from sixteen.errors import UserError

PROGRAM = """
import sys
from pathlib import Path
sys.path[:0] = [{here!r}]
from sixteen.training import backends
backends.start({backend!r}, 1)
import test_language
test_language.walk({backend!r}, Path({folder!r}))
print("checked")
"""
NETWORK = {"family": "lstm_language_model", "units": 4, "layers": 1, "dropout": 0.5}
GRAMMAR = {
    **{"kind": "grammar", "seed": 0, "words": 6, "symbols": 2, "rules": 4, "depth": 3},
    **{"train": 330, "validation": 10, "test": 130, "window": 5},
}


def trained(backend, folder, name, start=None, killed_in=None, precision="float32", **changes):
    """A run of three epochs into the folder of its name, killed in an epoch if so asked."""
    from small_runs import FLOAT32, Killed, Run, parameters

    from sixteen.training import session
    from sixteen.training.parameters import Training

    static = {"low": 3, "high": 4, "gradients": 4, "ranges": "moving", "bits": {"kind": "static"}}
    recipe = {"batch": 4, "learning_rate": 1.0, "momentum": 0.0, "clip_norm": 0.25} | changes
    settings = {"backend": backend, "network": NETWORK, "until": recipe.pop("until", 3), **recipe}
    settings["precision"] = FLOAT32 | (static if precision == "quantized" else {})
    into, scratch = folder / name, folder / "scratch" / name
    into.mkdir(exist_ok=True)
    scratch.mkdir(exist_ok=True, parents=True)
    plain = parameters(**settings) | {
        "task": "model_language",
        "checkpoint_epochs": 1,
        "checkpoint_steps": 1000,
    }
    one = session.Session(Training.model_validate(plain), folder, start, scratch)
    epoch = one._epoch

    def dying(number, progress):
        if number == killed_in:
            raise Killed
        epoch(number, progress)

    one._epoch = dying
    try:
        one.run()
    except Killed:
        return None
    one.write(into)
    return Run(into, one.facts(), "")


def walk(backend, folder):
    """Train, be killed, go on, go on from there; all that must hold of it."""
    from small_runs import tensors

    from sixteen.datasets.grammar import Grammar
    from sixteen.datasets.prepared.prepare import Preparation, prepare

    monkeypatch = pytest.MonkeyPatch()
    if backend == "tensorflow":
        import tensorflow as tf

        from sixteen.training.step_tensorflow import TensorFlowStep

        def uncompiled(self, function):
            return tf.function(function, autograph=False)

        monkeypatch.setattr(TensorFlowStep, "jit", uncompiled)
    prepare(Preparation(dataset=Grammar.model_validate(GRAMMAR)), {}, folder, folder)
    whole = trained(backend, folder, "whole", precision="quantized")
    assert trained(backend, folder, "killed", precision="quantized", killed_in=3) is None
    resumed = trained(backend, folder, "killed", precision="quantized")
    assert resumed.deterministic() == whole.deterministic()

    losses = whole.column("test_loss")
    assert len(losses) == 4 and losses[-1] < losses[0] - 0.1
    assert whole.column("test_accuracy") == whole.column("train_accuracy") == []
    assert (
        whole.facts["items"] == 3 * (330 // 4 // 5) * 4 * 5
    )  # three epochs of 16 windows of 4 streams
    found = tensors(whole, "predictions")
    assert found["logits"].shape == found["start"].shape == (130,)
    assert -found["logits"].astype(float).mean() == losses[-1]
    assert not [name for name in tensors(whole) if "carried" in name]

    # What is carried belongs to a stream, which parts of a batch would share.
    with pytest.raises(UserError, match=r"expected `gradient_accumulation: 1` .* carries"):
        trained(backend, folder, "parts", gradient_accumulation=2)

    # Another phase reads as many streams as its own recipe says; compiled, which the others weren't on TensorFlow.
    monkeypatch.undo()
    about = {"precision": "quantized", "until": 4, "batch": 6}
    further = trained(backend, folder, "further", start=whole.into, **about)
    assert set(tensors(further)) == set(tensors(whole))
    assert further.column("test_loss")[0] == pytest.approx(losses[-1], abs=0.01)


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_run_that_is_killed_goes_on_to_the_same_bytes(tmp_path, backend):
    if backend == "jax":
        pytest.importorskip("jax", reason="JAX isn't installed")
    names = {"here": str(Path(__file__).parent), "backend": backend, "folder": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(**names)],
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip().endswith("checked"), done.stderr
