"""Batches that are computed in parts, by gradient accumulation."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from small_runs import FLOAT32, RESNET, VIT, recipe, tensors

from sixteen.training.recipe import Recipe, rates

PARTS = {"network": VIT, "until": 2, "learning_rate": 0.01, "gradient_accumulation": 4}


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_a_batch_in_parts_trains_as_the_whole_batch_does(run, precision):
    """Within rounding, where no layer looks at a batch as a whole."""
    whole = run("whole", **PARTS | {"gradient_accumulation": 1, "precision": precision})
    parts = run("parts", **PARTS, precision=precision)
    for name, tensor in tensors(whole).items():
        limit = 2e-5 if precision == "float32" else 2e-3
        np.testing.assert_allclose(tensors(parts)[name], tensor, atol=limit, err_msg=name)
    assert parts.column("skipped_steps") == whole.column("skipped_steps")
    assert parts.facts["items"] == whole.facts["items"]


def test_a_batch_in_parts_trains_on_jax_as_on_tensorflow(runner):
    pytest.importorskip("jax", reason="JAX isn't installed")
    jax, tensorflow = (
        runner.run(f"parts-on-{backend}", backend=backend, precision="mixed_float16", **PARTS)
        for backend in ("jax", "tensorflow")
    )
    np.testing.assert_allclose(jax.column("loss"), tensorflow.column("loss"), rtol=2e-2)
    assert jax.column("skipped_steps") == tensorflow.column("skipped_steps")


def test_the_parts_of_a_batch_have_one_rate():
    """A rate that falls step by step: the update of a batch has the rate that the whole batch would have."""
    linear = {"kind": "linear", "warmup": 0, "restarts": False, "epochs": 2, "end": 0}
    of_whole = rates(recipe(schedule=linear), 0, 1, 8, ())
    of_parts = rates(recipe(schedule=linear, gradient_accumulation=4), 0, 1, 32, ())
    assert of_parts.tolist() == [rate for rate in of_whole.tolist() for _ in range(4)]
    assert len(set(of_whole.tolist())) == 8


def test_the_parts_of_a_batch_have_the_bits_of_one(run, monkeypatch):
    from sixteen.training.step_tensorflow import TensorFlowStep

    own, given = TensorFlowStep.train, []

    def noted(self, rows, rates, bits, tick):
        given.extend(bits)
        return own(self, rows, rates, bits, tick)

    monkeypatch.setattr(TensorFlowStep, "train", noted)
    cyclic = {"kind": "cyclic", "profile": "cosine", "form": "repeated", "cycles": 2, "start": 0}
    precision = FLOAT32 | {"low": 3, "high": 8, "gradients": 8, "ranges": "moving", "bits": cyclic}
    network = {"family": "resnet_v1", "depth": 8, "width": 4}
    whole, parts = (
        run(name, network=network, precision=precision, gradient_accumulation=many)
        for name, many in (("bits-whole", 1), ("bits-parts", 4))
    )
    of_whole, of_parts = given[:16], given[16:]
    assert of_parts == [bits for bits in of_whole for _ in range(4)] and len(set(of_whole)) > 3
    assert parts.facts["bit_cost"] == pytest.approx(whole.facts["bit_cost"])


def test_batch_normalisation_sees_a_part(run):
    whole, parts = (
        tensors(run(name, network=RESNET, until=1, gradient_accumulation=many))
        for name, many in (("norm-whole", 1), ("norm-parts", 2))
    )
    mean = "stage1_unit1_1_norm/moving_mean"
    assert not np.allclose(whole[mean], parts[mean], atol=1e-4)


def test_a_batch_that_has_no_equal_parts_is_refused_in_a_sentence():
    entry = recipe().plain() | {"batch": 32, "gradient_accumulation": 5}
    with pytest.raises(
        ValidationError, match=r"expected a `batch` that is a multiple of .* 5, came 32"
    ):
        TypeAdapter(Recipe).validate_python(entry)


def test_an_average_that_would_move_with_every_part_is_refused():
    entry = recipe().plain() | {"averaging": 0.9, "gradient_accumulation": 4}
    with pytest.raises(ValidationError, match=r"expected `averaging: null` .* came 0\.9"):
        TypeAdapter(Recipe).validate_python(entry)
