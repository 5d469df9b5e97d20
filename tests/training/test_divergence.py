"""The first number of an epoch that isn't finite ends a run, and is named."""

import numpy as np
import pytest
from small_runs import parameters

from sixteen.training.divergence import first_failure
from sixteen.training.parameters import Training

FINE = np.array([0.5, 0.4, 0.3])


@pytest.mark.parametrize(
    "losses, nonfinite, weights, failure",
    [
        (FINE, [0, 0, 0], True, None),
        ([0.5, np.nan, np.nan], [0, 0, 0], True, (2, "loss")),
        ([0.5, 0.4, np.inf], [0, 7, 0], True, (2, "gradient")),
        (FINE, [0, 0, 0], False, (3, "weights")),
    ],
    ids=["fine", "loss", "gradient", "weights"],
)
def test_what_fails_first_is_found_with_its_step(losses, nonfinite, weights, failure):
    run = Training.model_validate(parameters())
    about = (run.precision, run.recipe)
    found = first_failure(np.array(losses), np.array(nonfinite), weights, *about)
    if failure is None:
        assert found is None
    else:
        step, what = failure
        assert found is not None and found[0] == step and what in found[1]
