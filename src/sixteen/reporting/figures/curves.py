"""Figures over the epochs of training: accuracy, loss, vanished gradients, and the loss scale."""

from sixteen.reporting.figures.trend import PERCENT, Part, lines
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study


def accuracy_curves(study: Study) -> Html:
    """Test accuracy (%) over epochs: all of training above, the last phase alone below."""
    title = "Test accuracy over training"
    if "accuracy" not in study.metrics:
        return nothing(title, f"no {study.item} is right or wrong here")
    curves, label = study.table("curves"), "test accuracy (%)"
    parts = [Part("test_accuracy", label, 100, ends=PERCENT)]
    if curves.groupby("arm")["phase"].max().min() > 0:  # all arms have a switch
        parts.append(Part("test_accuracy", label, 100, 1, "after the switch", ends=PERCENT))
    return lines(
        study,
        curves,
        parts,
        name="accuracy-curves",
        title=title,
        caption=f"Accuracy on the test set after each epoch, in percent of its {study.item}s; the first point of a phase "
        "is that of the weights that it starts from, before any step.",
    )


def loss_curves(study: Study) -> Html:
    """Mean training loss (logarithmic axis) over epochs."""
    unit = study.metrics["loss"].unit
    return lines(
        study,
        study.table("curves"),
        [Part("loss", f"training loss ({unit})", log=True)],
        name="loss-curves",
        title="Training loss",
        caption=f"Mean loss over the steps of each epoch, in {unit}, on a logarithmic axis.",
    )


def zero_gradients(study: Study) -> Html:
    """Gradient values that are exactly zero, in percent of all trained values, over epochs."""
    curves = study.table("curves")
    last = curves[curves["phase"] == curves.groupby("arm")["phase"].transform("max")]
    worst = last.dropna(subset="nonfinite_gradients").groupby("arm")["nonfinite_gradients"].max()
    nonfinite = ", ".join(
        f"{f'{100 * worst[arm]:.3g} %' if arm in worst else 'not known'} in {arm}"
        for arm in study.arms
    )
    return lines(
        study,
        curves,
        [Part("zero_gradients", "gradient values\nequal to zero (%)", 100, ends=PERCENT)],
        name="zero-gradients",
        title="Gradients that vanish",
        caption="Gradient values that are exactly zero, mean over the steps of each epoch, in percent of "
        "the values that are trained: what underflow takes, and what a dead unit never had. The gradient "
        "of an L2 penalty is in them: where weights stand in float32 it hides what underflows. Largest share "
        f"of a finished epoch of the last phase that was not finite: {nonfinite}.",
    )


def loss_scale(study: Study) -> Html:
    """Loss scale at the end of each epoch and steps skipped in it, of the arms that scale the loss."""
    title, curves = "Loss scale and skipped steps", study.table("curves")
    used = (curves["loss_scale"] > 1) | (curves["skipped_steps"] > 0)
    scaled = curves[curves["arm"].isin(set(curves.loc[used, "arm"]))]
    if scaled.empty:
        return nothing(title, "no arm of this study scales the loss")
    return lines(
        study,
        scaled,
        [
            Part("loss_scale", "loss scale", log=True),
            Part("skipped_steps", "skipped steps\nof an epoch"),
        ],
        name="loss-scale",
        title=title,
        caption="The factor that the loss is multiplied by, at the end of each epoch (logarithmic axis), and "
        "the steps of each epoch that were skipped because a gradient was not finite. Arms that never scale "
        "the loss are left out; a static scale skips no step.",
    )
