"""When a training has failed: the first number that isn't finite, and what to try, in plain words."""

from typing import Any

import numpy as np

FINISHED: dict[str, Any] = {
    "outcome": "finished",
    "epochs_done": 0,
    "epoch": None,
    "step": None,
    "last_finite_loss": None,
    "hint": None,
}


def first_failure(
    losses: np.ndarray, nonfinite: np.ndarray, weights_finite: bool, precision: dict[str, Any]
) -> tuple[int, str] | None:
    """The step (from 1) of an epoch where training failed and a hint; None if all is well.

    `losses` and `nonfinite` (gradient elements) are [steps]. Where the loss is scaled, gradients that
    overflow are normal: the optimizer skips that step and lowers the scale (arXiv:1710.03740, section 3.2).
    Weights that the last step made infinite count as its failure.
    """
    bad_loss = ~np.isfinite(losses)
    bad_gradient = (nonfinite > 0) & (precision["loss_scale"] is None)
    if (bad_loss | bad_gradient).any():
        index = int((bad_loss | bad_gradient).argmax())
        what = "loss" if bad_loss[index] else "gradient"
        return index + 1, _hint(what, precision)
    if not weights_finite:
        return len(losses), _hint("weights", precision)
    return None


def start_failed(start: dict[str, Any]) -> dict[str, Any]:
    """The outcome of a continuation of a run that diverged: diverged as well, before its first step."""
    return start | {
        "epoch": start["epochs_done"],
        "step": 0,
        "hint": f"the run that this one starts from diverged: {start['hint']}",
    }


def _hint(what: str, precision: dict[str, Any]) -> str:
    if what == "loss" and precision["loss"] == "float16":
        remedy = "compute the loss in float32 (`loss: float32` of the precision), or lower the learning rate"
    elif what == "gradient" and precision["compute"] == "float16":
        remedy = (
            "scale the loss (`loss_scale` of the precision skips steps that overflow), keep master weights "
            "(`variables: float32`), or lower the learning rate"
        )
    else:
        remedy = "lower the learning rate"
    return f"the {what} stopped being finite in {precision['compute']}: {remedy}"
