"""Sessions in the process of the tests, without XLA: what they keep, write and take up again."""

import numpy as np
import pytest
from small_runs import ADAM, DETERMINISTIC, PRECISIONS, TABLES, Killed, bytes_of, tensors, watched

from sixteen.errors import UserError


class FakeObserver:
    """Notes when it is asked, and a number of the weights that it is asked about."""

    def __init__(self, learner):
        self.learner = learner

    def observe(self, epoch, rows, rate, cast_to):
        kernel = self.learner.model.trainable_variables[0].numpy()
        row = {"epoch": epoch, "elements": int(rows[0, 0, 0]), "weight_norm": float(kernel.sum())}
        row["tensor"] = cast_to
        # What is done to the run must not matter.
        self.learner.optimizer.learning_rate = 1e9
        self.learner.model.trainable_variables[0].assign(kernel * 0)
        return {"observations": [row], "descent": [{"learning_rate": rate}]}


@pytest.fixture(autouse=True)
def fake_observer(keras_started, monkeypatch):
    from sixteen.training import observer

    monkeypatch.setattr(observer, "Observer", FakeObserver)


def test_tells_scale_and_skipped_steps_of_each_epoch(run):
    scale = {"kind": "dynamic", "start": 8, "growth_interval": 4, "factor": 4}
    growing = run("growing", precision=PRECISIONS["mixed_float16"] | {"loss_scale": scale})
    assert growing.history[0]["loss_scale"] == growing.history[0]["skipped_steps"] == ""
    assert growing.column("loss_scale") == [8.0 * 4**2, 8.0 * 4**4]  # 8 steps an epoch
    assert growing.column("skipped_steps") == [0, 0]
    static = run("static", precision="mixed_static", until=1)
    assert static.column("loss_scale") == [1024]
    none = run("none", precision="mixed_unscaled", until=1)
    assert none.column("loss_scale") == [1]
    assert static.column("loss") == pytest.approx(none.column("loss"), rel=1e-3)
    assert static.outcome["outcome"] == "finished"


def test_penalty_of_float16_weights_keeps_the_scale_at_32768(run):
    scale = {"kind": "dynamic", "start": 65536, "growth_interval": 4, "factor": 2}
    for master, last, skipped in ((False, 32768, 2), (True, 65536 * 4, 0)):
        precision = PRECISIONS["mixed_float16"] | {"master_weights": master, "loss_scale": scale}
        scaled = run(f"master-{master}", precision=precision, until=1)  # 8 steps
        assert scaled.column("loss_scale") == [last]
        assert scaled.column("skipped_steps") == [skipped]


def test_a_run_of_skipped_steps_alone_has_not_finished(run):
    scale = {"kind": "dynamic", "start": 1e38, "growth_interval": 100, "factor": 1.001}
    precision = PRECISIONS["mixed_float16"] | {"loss_scale": scale}
    stuck = run("stuck", precision=precision, until=1)
    assert stuck.column("skipped_steps") == [8]
    assert (stuck.outcome["outcome"], stuck.outcome["step"]) == ("diverged", 8)
    assert "no weight was ever updated" in stuck.outcome["hint"]


def test_averages_are_tested_and_saved_and_the_training_keeps_its_own_weights(run):
    averaged = run("averaged", averaging=0.9)
    plain = run("plain")
    saved, own = tensors(averaged), tensors(plain)
    kernels = [name for name in saved if "norm" not in name]
    assert all(not np.array_equal(saved[name], own[name]) for name in kernels)
    assert averaged.column("loss") == plain.column("loss")
    assert averaged.column("test_loss")[0] == plain.column("test_loss")[0]
    # What a continuation starts from is the average.
    logits = tensors(averaged, "predictions")
    continued = run("continued", start=averaged.into, until=3)
    assert np.array_equal(tensors(continued, "predictions")["start"], logits["logits"])
    assert not np.array_equal(logits["start"], logits["logits"])


def live(run, fingerprint):
    return run.into.parent / "scratch" / fingerprint / "live"


def test_resumes_with_adam_averages_and_observations_bit_by_bit(run):
    settings = {
        "precision": "float16_scaled",
        "averaging": 0.9,
        "until": 3,
        **ADAM,
        "epsilon": 1e-4,
    }
    whole = run("whole", watched=[watched("whole-a"), watched("whole-b", every=3)], **settings)
    plans = [watched("killed-a"), watched("killed-b", every=3)]
    with pytest.raises(Killed):
        run("killed", killed_in=3, watched=plans, **settings)
    resumed = run("killed", watched=[*plans, watched("late")], **settings)
    assert resumed.deterministic() == whole.deterministic()
    assert resumed.facts["observe_seconds"] > 0
    for name, epochs in (("a", ["0", "2", "3"]), ("b", ["0", "3"])):
        tables = bytes_of(live(resumed, f"killed-{name}"), TABLES)
        assert tables == bytes_of(live(whole, f"whole-{name}"), TABLES)
        observed = tables["observations.csv"].decode().splitlines()
        assert [line.split(",")[0] for line in observed] == ["epoch", *epochs]
    # An observation that was planned after the checkpoint lacks its first rows.
    assert not live(resumed, "late").exists()
    assert set(DETERMINISTIC) <= {path.name for path in whole.into.iterdir()}
    assert run("plain", **settings).deterministic() == whole.deterministic()


def test_resumes_a_schedule_that_waits_for_a_plateau_bit_by_bit(run):
    plateau = {"kind": "plateau", "warmup": 0, "restarts": False, "factor": 0.5, "patience": 1}
    # So slow that the loss only wavers with the order of the batches.
    settings = {"learning_rate": 1e-9, "momentum": 0.0, "schedule": plateau, "until": 6}
    whole = run("whole", **settings)
    assert len(set(whole.column("learning_rate")[:-1])) > 1
    assert whole.outcome["losses"] == whole.column("loss")
    with pytest.raises(Killed):
        run("killed", killed_in=6, **settings)
    assert run("killed", **settings).deterministic() == whole.deterministic()
    # So does a continuation, which reads the losses of the phase before it.
    half = run("half", **settings | {"until": 5})
    continued = run("continued", start=half.into, **settings)
    assert continued.column("learning_rate") == whole.column("learning_rate")[-1:]
    assert continued.outcome["losses"][:5] == whole.outcome["losses"][:5]


def test_tells_the_rate_of_the_last_step_of_each_epoch(run):
    cosine = {"kind": "cosine", "warmup": 1, "restarts": False, "epochs": 2, "end": 0.0}
    rates = run("cosine", schedule=cosine).column("learning_rate")
    assert rates == pytest.approx([0.05, 0.025 * (1 + np.cos(np.pi * 7 / 8))])


def test_refuses_to_train_until_an_epoch_that_has_passed(run):
    start = run("start")
    with pytest.raises(UserError, match=r"until a later epoch than 2, .* came 2"):
        run("again", start=start.into)


def test_observes_the_weights_of_the_training_before_the_batch_of_the_next_epoch(run):
    from sixteen.tasks.parts.order import epoch_rows

    plans = [watched("seen", every=5), watched("other", every=1, cast_to="bfloat16")]
    observed = run("observed", watched=plans, averaging=0.9)
    table = (live(observed, "seen") / "observations.csv").read_text()
    (_, before, after) = table.splitlines()
    for line, epoch in ((before, 0), (after, 2)):
        rows = epoch_rows(256, 32, "none", seed=0, epoch=epoch + 1)
        assert line.split(",")[:3] == [str(epoch), "float16", str(rows[0, 0, 0])]
    kernel = run.last.learner.model.trainable_variables[0].numpy()
    assert float(after.split(",")[3]) == float(kernel.sum())
    assert not np.array_equal(tensors(observed)["stem/kernel"], kernel)
    other = (live(observed, "other") / "observations.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in other[1:]] == [[f"{e}", "bfloat16"] for e in range(3)]


def test_adam_in_float16_says_what_is_wrong_with_its_epsilon(run):
    diverged = run("diverged", precision="float16", **ADAM, epsilon=1e-8)
    assert (diverged.outcome["outcome"], diverged.outcome["step"]) == ("diverged", 2)
    assert "epsilon 1e-08 is 0 in float16" in diverged.outcome["hint"]
    assert "raise `epsilon` of the recipe to 1e-4" in diverged.outcome["hint"]
    assert all(np.isfinite(tensor).all() for tensor in tensors(diverged).values())
    assert run("fine", precision="float16", **ADAM, epsilon=1e-4).outcome["outcome"] == "finished"
