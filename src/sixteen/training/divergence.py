"""When a training has failed: the first number that isn't finite, and what to try, in plain words."""

from typing import Any

import numpy as np

from sixteen.precision.entry import Precision
from sixteen.precision.formats import rounded
from sixteen.training.recipe import Recipe

FINISHED: dict[str, Any] = {
    "outcome": "finished",
    "epochs_done": 0,
    "epoch": None,
    "step": None,
    "last_finite_loss": None,
    "hint": None,
}

NEVER_UPDATED = (
    "the gradient overflowed in every step of the run, so that each was skipped and no weight was ever updated: lower "
    "`start` of the loss scale of the precision, or raise its `factor`"
)


def first_failure(
    losses: np.ndarray,
    nonfinite: np.ndarray,
    weights_finite: bool,
    precision: Precision,
    recipe: Recipe,
) -> tuple[int, str] | None:
    """The step (from 1) of an epoch where training failed and a hint; None if all is well.

    `losses` and `nonfinite` (gradient elements) are [steps]. Where the scale of the loss is dynamic,
    gradients that overflow are normal: the optimizer skips that step and lowers the scale
    (arXiv:1710.03740, section 3.2). Weights that the last step made infinite count as its failure.
    """
    scale = precision.loss_scale
    skips = scale is not None and scale.kind == "dynamic"
    bad_loss = ~np.isfinite(losses)
    bad_gradient = (nonfinite > 0) & (not skips)
    if (bad_loss | bad_gradient).any():
        index = int((bad_loss | bad_gradient).argmax())
        what = "loss" if bad_loss[index] else "gradient"
        return index + 1, _hint(what, precision, recipe)
    if not weights_finite:
        return len(losses), _hint("weights", precision, recipe)
    return None


def start_failed(start: dict[str, Any]) -> dict[str, Any]:
    """The outcome of a continuation of a run that diverged: diverged as well, before its first step."""
    return start | {
        "epoch": start["epochs_done"],
        "step": 0,
        "hint": f"the run that this one starts from diverged: {start['hint']}",
    }


def _hint(what: str, precision: Precision, recipe: Recipe) -> str:
    compute, scale = precision.compute, precision.loss_scale
    if recipe.optimizer != "sgd" and _vanishes(recipe.epsilon, precision):
        remedy = (
            f"Adam's epsilon {recipe.epsilon:g} is 0 in float16, so that it divides by 0 where its second "
            "moment underflows (gradients below 0.005); raise `epsilon` of the recipe to 1e-4, or keep master "
            "weights (`master_weights: true` of the precision)"
        )
    elif what == "loss" and precision.loss == "float16":
        remedy = "compute the loss in float32 (`loss: float32` of the precision), or lower the learning rate"
    elif what == "gradient" and scale is not None and scale.kind == "static":
        remedy = (
            f"lower the static factor {scale.factor:g} of `loss_scale`, or make the scale dynamic, which "
            "skips steps that overflow"
        )
    elif compute == "float16":
        remedy = (
            "make the loss scale dynamic (`loss_scale` of the precision; it skips steps that overflow), keep "
            "master weights (`master_weights: true`), or lower the learning rate"
        )
    else:
        remedy = "lower the learning rate"
    return f"the {what} stopped being finite in {compute}: {remedy}"


def _vanishes(epsilon: float, precision: Precision) -> bool:
    """Whether Adam's epsilon rounds to 0 in the format that weights are stored and updated in."""
    return rounded(epsilon, precision.storage) == 0
