"""What a network carries from batch to batch: reset by the task's `begin`, on both backends.

No task here does so yet; the interface must let one, so that a toy stands for it. Keras' own `stateful=True` won't do:
its states are no variables of the model, so that on JAX they are forgotten and no checkpoint holds them.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = """
import sys
sys.path[:0] = [{here!r}]
from sixteen.training import backends
backends.start({backend!r}, 1)
from test_carried_state import walk
print(walk({backend!r}))
"""


def walk(backend):
    """Train two epochs and test twice with a stateful LSTM; returns 'checked'."""
    import keras
    from pydantic import TypeAdapter

    from sixteen.datasets.prepared.sequences import Sequences
    from sixteen.precision.entry import FLOAT32
    from sixteen.precision.policies import policies
    from sixteen.precision.proofs import check_dtypes
    from sixteen.tasks.classify_sequences import ClassifySequences
    from sixteen.training import optimizers
    from sixteen.training.recipe import Recipe

    class CarryingLstm(keras.layers.Layer):
        """An LSTM whose last state is its first one of the next batch."""

        def __init__(self, units, batch, **options):
            super().__init__(**options)
            self.lstm = keras.layers.LSTM(
                units,
                recurrent_initializer="glorot_uniform",
                return_state=True,
                use_cudnn=False,
                dtype=self.dtype_policy,
            )
            self.states = [
                self.add_weight(
                    shape=(batch, units), initializer="zeros", trainable=False, name=name
                )
                for name in ("output", "cell")
            ]

        def build(self, shape):
            self.lstm.build(shape)

        def call(self, inputs):
            output, *last = self.lstm(
                inputs, initial_state=[keras.ops.copy(v) for v in self.states]
            )
            for variable, value in zip(self.states, last, strict=True):
                variable.assign(value)
            return output

    class Streams(ClassifySequences):
        """Batches that go on where the last one ended."""

        def begin(self, model):
            for layer in model.layers:
                if isinstance(layer, CarryingLstm):
                    for variable in layer.states:
                        variable.assign(keras.ops.zeros_like(variable.value))

    precision = FLOAT32.model_copy(update={"compute": "float16", "loss": "float16"})
    draw = np.random.default_rng(0)
    sequences = draw.standard_normal((12, 5, 2)).astype(np.float32)
    labels = np.arange(12, dtype=np.int32) % 3
    task = Streams(Sequences(sequences, labels, sequences, labels, tuple("abc")))
    recipe = TypeAdapter(Recipe).validate_python(
        {
            "optimizer": "sgd",
            "learning_rate": 0.5,
            "momentum": 0.0,
            "schedule": {"kind": "constant", "warmup": 0.0, "restarts": False},
            "clip_norm": None,
            "l2": 0.0,
            "averaging": None,
            "batch": 4,
            "augmentation": "none",
        }
    )
    weights, _ = policies(precision)
    inputs = keras.Input(batch_shape=(4, 5, 2), dtype=precision.compute)
    layer = CarryingLstm(3, batch=4, dtype=weights)
    model = keras.Model(inputs, keras.layers.Dense(3, dtype=weights)(layer(inputs)))
    optimizer = optimizers.build(recipe, precision)
    optimizer.build(model.trainable_variables)
    check_dtypes(model, optimizer, precision)
    if backend == "tensorflow":
        from sixteen.training.step_tensorflow import TensorFlowStep as Step
    else:
        from sixteen.training.step_jax import JaxStep as Step
    step = Step(model, optimizer, task, precision, recipe)

    def state():
        return [variable.numpy() for variable in layer.states]

    rows = task.rows(4, "none", 0, 1)
    step.compile(rows)
    task.begin(model)
    start = model.get_weights()
    rates = np.full(3, 0.5, np.float32)
    first = step.train_epoch(rows, rates, lambda: None)
    carried = state()
    assert all(part.dtype == np.float16 and part.any() for part in carried)

    # From the same weights: with the state reset the epoch is the same, without it another.
    trained = [v.numpy() for v in model.trainable_variables]
    for reset in (True, False):
        model.set_weights(start)
        for variable, part in zip(layer.states, carried, strict=True):
            variable.assign(part)
        if reset:
            task.begin(model)
            assert not any(part.any() for part in state())
        again = step.train_epoch(rows, rates, lambda: None)
        now = [v.numpy() for v in model.trainable_variables]
        same = all(np.array_equal(a, b) for a, b in zip(trained, now, strict=True))
        assert np.array_equal(again, first) == same == reset

    # So in a test, whose batches go on one from the other too.
    task.begin(model)
    tested = step.predictions()
    assert any(part.any() for part in state())
    task.begin(model)
    assert np.array_equal(step.predictions(), tested)
    assert not np.array_equal(step.predictions(), tested)
    return "checked"


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_state_is_carried_from_batch_to_batch_and_reset_by_the_task(backend):
    if backend == "jax":
        pytest.importorskip("jax", reason="JAX isn't installed")
    program = PROGRAM.format(here=str(Path(__file__).parent), backend=backend)
    done = subprocess.run(
        [sys.executable, "-c", program], env=dict(os.environ), capture_output=True, text=True
    )
    assert done.stdout.strip() == "checked", done.stderr
