"""What arms and seeds have in common: the promises on which a paired comparison stands."""

import numpy as np
import pytest
from small_runs import tensors


@pytest.fixture
def seen(monkeypatch, keras_started):
    """The rows of all epochs that are trained, in their order."""
    from sixteen.training.learner import Learner

    seen, train = [], Learner.train

    def seeing(self, rows, *others):
        seen.append(rows)
        return train(self, rows, *others)

    monkeypatch.setattr(Learner, "train", seeing)
    return seen


def start(run):
    return tensors(run, "predictions")["start"]


def test_arms_of_a_seed_start_from_the_same_weights_and_see_the_same_batches(run, seen):
    settings = {"seed": 1, "until": 1, "augmentation": "crop-flip"}
    exact = run("float32", **settings)
    for precision in ("float16", "mixed_float16"):
        other = run(precision, precision=precision, learning_rate=0.01, **settings)
        assert np.array_equal(seen[-1], seen[0]), precision
        assert start(other).astype(np.float32) == pytest.approx(start(exact), abs=0.02)


def test_continuations_in_any_precision_see_the_batches_that_an_uninterrupted_run_sees(run, seen):
    run("whole", until=2)
    whole = seen.copy()
    first = run("first", until=1)
    for precision in ("float32", "mixed_float16"):
        run(precision, precision=precision, start=first.into, until=2)
        assert np.array_equal(seen[-1], whole[1])
    assert not np.array_equal(whole[0], whole[1])


def test_another_seed_is_another_run_of_the_same_network(run, seen):
    """n seeds are n trainings: other weights, other batches, another end; not one of them n times."""
    one, other = (run(f"seed-{seed}", seed=seed, until=1) for seed in (0, 1))
    assert not np.array_equal(seen[0], seen[1])
    assert np.abs(start(one) - start(other)).max() > 0.1
    ends = [tensors(run) for run in (one, other)]
    assert ends[0].keys() == ends[1].keys()
    assert all(not np.array_equal(a, ends[1][name]) for name, a in ends[0].items())


def test_seeds_differ_in_their_batches_even_where_they_start_alike(run, seen):
    first = run("first", until=1)
    seen.clear()
    ends = [tensors(run(f"{s}", seed=s, start=first.into)) for s in (0, 1)]
    assert not np.array_equal(seen[0], seen[1])
    assert not np.array_equal(ends[0]["head/kernel"], ends[1]["head/kernel"])
