import importlib.util

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from small_runs import ADAM, VIT, parameters

from sixteen.bundles.take import reached
from sixteen.training.parameters import Training


def weights(run):
    return load_file(run.into / "weights.safetensors")


def test_learns_and_says_what_it_did(trained):
    assert trained.outcome["outcome"] == "finished"
    assert trained.outcome["epochs_done"] == 4
    assert [row["epoch"] for row in trained.history] == ["0", "1", "2", "3", "4"]
    assert trained.history[0]["loss"] == ""
    assert trained.column("train_accuracy")[-1] > 0.7 > trained.column("test_accuracy")[0]
    assert trained.facts["items"] == 4 * 256
    logits = load_file(trained.into / "predictions.safetensors")
    assert logits["logits"].shape == logits["start"].shape == (100, 10)
    assert trained.column("learning_rate") == pytest.approx([0.05] * 4)
    assert len((trained.into / "timing.csv").read_text().splitlines()) == 5


def test_same_recipe_and_seed_give_the_same_bytes(runner, trained):
    # The first run compiled its program, this one loads it from the cache.
    assert runner.run("again").deterministic() == trained.deterministic()


@pytest.mark.timeout(1800)
def test_killed_at_any_epoch_and_called_again_gives_the_same_bytes(runner):
    """Before and after a checkpoint of epoch 5; steps that overflow are skipped, and lower the scale."""
    settings = {
        "precision": "overscaled",
        "augmentation": "crop-flip",
        "averaging": 0.9,
        "until": 9,
    }
    for epoch in (2, 7):
        runner.kill("killed", said=f"epoch {epoch}/", **settings)
    resumed = runner.run("killed", **settings)
    assert "going on from the checkpoint of epoch 5" in resumed.said
    assert resumed.deterministic() == runner.run("whole", **settings).deterministic()
    assert resumed.outcome["outcome"] == "finished"
    assert resumed.column("loss")[-1] < resumed.column("loss")[0]
    skipped = resumed.column("skipped_steps")
    assert skipped[0] > 0
    assert resumed.column("nonfinite_gradients")[0] > 0
    assert resumed.column("loss_scale")[-1] == 2 ** (24 - sum(skipped))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_killed_within_an_epoch_and_called_again_gives_the_same_bytes(runner, backend):
    """Twice: in the first epoch, and in one after a checkpoint of its own; steps that overflow are skipped."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} isn't installed")
    settings = {"backend": backend, "network": VIT, "precision": "overscaled", "until": 3}
    for said, at in (("step 6 of 8 of epoch 1", (0, 6)), ("step 3 of 8 of epoch 3", (2, 3))):
        runner.kill(f"within-{backend}", said=said, checkpoint_steps=3, **settings)
        assert reached(runner.scratch(f"within-{backend}")) == at  # as `sixteen take` sees it
    resumed = runner.run(f"within-{backend}", checkpoint_steps=3, **settings)
    assert "going on from the checkpoint of epoch 2, step 3 of the next" in resumed.said
    whole = runner.run(f"not-killed-{backend}", **settings)
    assert resumed.deterministic() == whole.deterministic()


def test_continuation_goes_on_with_the_batches_where_its_start_ended(runner):
    # Without momentum, a fresh optimizer is no different from the one of the start.
    process = runner.start("four", momentum=0.0, until=4)
    half = runner.run("two", momentum=0.0, until=2)
    continued = runner.run("two-more", start=half.into, momentum=0.0, until=4)
    whole = runner.finish("four", process)
    assert [row["epoch"] for row in continued.history] == ["2", "3", "4"]
    assert continued.column("loss") == whole.column("loss")[2:]
    assert continued.outcome["losses"] == whole.outcome["losses"] == whole.column("loss")
    assert all(np.array_equal(a, weights(whole)[name]) for name, a in weights(continued).items())


def test_continues_in_float16_from_quantized_weights(runner, trained, tmp_path):
    quantized = {name: tensor.astype(np.float16) for name, tensor in weights(trained).items()}
    save_file(quantized, tmp_path / "weights.safetensors", metadata={"sixteen": "{}"})
    (tmp_path / "outcome.json").write_text((trained.into / "outcome.json").read_text())
    continued = runner.run("float16", start=tmp_path, precision="float16", until=5)
    assert continued.column("test_loss")[0] == pytest.approx(
        trained.column("test_loss")[-1], rel=0.01
    )
    kinds = {name: tensor.dtype for name, tensor in weights(continued).items()}
    assert {kind for name, kind in kinds.items() if "norm" in name} == {np.dtype(np.float32)}
    assert {kind for name, kind in kinds.items() if "norm" not in name} == {np.dtype(np.float16)}


def test_stops_where_numbers_stop_being_finite(runner, trained):
    # 1e300 is infinite in float32: the first step spoils the weights, the second one sees it.
    diverged = runner.run("diverged", start=trained.into, learning_rate=1e300, until=8)
    assert diverged.outcome["outcome"] == "diverged"
    assert (diverged.outcome["epoch"], diverged.outcome["step"]) == (5, 2)
    assert diverged.outcome["epochs_done"] == 4
    assert "learning rate" in diverged.outcome["hint"]
    assert all(np.array_equal(a, weights(trained)[name]) for name, a in weights(diverged).items())
    after = runner.run("after-diverged", start=diverged.into, until=8)
    assert (after.outcome["outcome"], after.outcome["step"]) == ("diverged", 0)


def test_keeps_the_history_up_to_the_divergence(runner):
    # Each step decays a weight to -1.1 times itself, until numbers overflow after some epochs.
    wild = ADAM | {"optimizer": "adamw", "epsilon": 1e-4, "weight_decay": 2100.0, "l2": 0.0}
    diverged = runner.run("slowly", precision="float16", until=40, **wild)
    last = diverged.outcome["epochs_done"]
    assert diverged.outcome["outcome"] == "diverged"
    assert 1 <= last < 39
    assert diverged.outcome["epoch"] == last + 1
    assert [row["epoch"] for row in diverged.history] == [str(e) for e in range(last + 1)]
    assert np.isfinite(diverged.column("loss")).all()
    assert np.isfinite(diverged.outcome["last_finite_loss"])
    assert all(np.isfinite(tensor).all() for tensor in weights(diverged).values())


def test_backends_agree(runner, trained):
    """Tolerance: 2 % of the loss after two epochs, from rounding in another order of sums."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX isn't installed: nothing to compare TensorFlow with")
    other = runner.run("jax", backend="jax", until=2)
    assert other.column("loss")[:2] == pytest.approx(trained.column("loss")[:2], rel=0.02)
    assert other.column("test_loss")[0] == pytest.approx(trained.column("test_loss")[0], rel=1e-5)
    # By the averages of batch norm, which move in every step.
    assert other.column("test_loss")[1:] == pytest.approx(
        trained.column("test_loss")[1:3], rel=0.02
    )


def test_refuses_a_process_where_another_backend_runs(runner, keras_started, tmp_path):
    from sixteen.errors import UserError
    from sixteen.training.train import train

    settings = Training.model_validate(parameters(backend="jax"))
    with pytest.raises(UserError, match="process of its own"):
        train(settings, {"dataset": tmp_path}, tmp_path, tmp_path)


def test_a_backend_that_is_not_installed_is_one_sentence(monkeypatch):
    from sixteen.errors import UserError
    from sixteen.training import backends

    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"expected JAX in .*, found none: .*EXTRA=jax") as caught:
        backends.start("jax", 1)
    assert "\n" not in str(caught.value)
