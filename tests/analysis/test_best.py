"""Which arms can't be told from the best: the best is hardly ever lost, and what is clearly worse goes."""

import numpy as np
import pytest
from test_claims_of_several import arms, evidence

from sixteen.analysis.best import not_told_from_best

NAMES = ["static", "er", "cr", "ct", "rr"]


def test_the_best_is_left_with_the_chance_that_is_told_and_worse_ones_go() -> None:
    """The least favourable case, all alike: each is the best, and is lost in at most 5 % of studies."""
    draw, trials = np.random.default_rng(0), 400
    kept = dict.fromkeys(NAMES, 0)
    for _ in range(trials):
        made = {name: list(draw.normal(0.8, 0.005, 5)) for name in NAMES}
        for name in not_told_from_best(evidence({"a": made}), "a", NAMES):
            kept[name] += 1
    assert min(kept.values()) / trials > 0.95 - 3 * (0.05 * 0.95 / trials) ** 0.5


def test_what_is_worse_than_another_is_told_whichever_looks_best() -> None:
    given = evidence({"a": arms(er=0.0, cr=0.0005, ct=-0.02, rr=-0.03)})
    assert not_told_from_best(given, "a", NAMES) == ["static", "er", "cr"]
    assert not_told_from_best(given, "a", ["ct", "rr"]) == ["ct"]
    assert not_told_from_best(given, "a", ["rr"]) == ["rr"]


def test_less_perplexity_is_better() -> None:
    made = {arm: [100 * value for value in of] for arm, of in arms(er=0.0, rr=-0.1).items()}
    given = evidence({"a": made}, "perplexity", "perplexity")
    assert not_told_from_best(given, "a", ["static", "er", "rr"]) == ["rr"]


@pytest.mark.parametrize("lost", ["rr", "static"])
def test_runs_that_are_left_of_an_arm_tell_nothing(lost: str) -> None:
    made = arms(rr=-0.05)
    made[lost][0] = None
    assert not_told_from_best(evidence({"a": made}), "a", ["static", "rr"]) == ["static", "rr"]
