"""Theory beside measurement: what arXiv:2311.18587 bounds or predicts, and what the runs show.

All of it is measured on one fixed batch a seed and epoch, against the float32 gradient at the weights as the run
stores them. With master weights the 16-bit gradient is that at the weights as they are cast for use, so that its
error holds the error of the cast as well as that of the arithmetic.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sixteen.reporting.figures.plate import NEUTRAL, legend, logarithmic, look, panels, save, style
from sixteen.reporting.figures.trend import Part, lines
from sixteen.reporting.numbers import number
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study

NO_STEP = "no step between finite losses was observed"
NO_GRADIENT = "no finite gradient of an arm that computes in 16 bit was observed"
IDENTITY = {"color": NEUTRAL, "linewidth": 1.2, "linestyle": (0, (4, 2))}


def quantization(study: Study) -> Html:
    """Norm of the error of casting the stored weights, and its bound, over training."""
    whole = whole_of(study)
    return lines(
        study,
        whole[whole["quantization_error"].notna()],
        [Part("quantization_error", "norm of the\ncasting error", log=True, bound="quantization_bound")],
        name="casting-error",
        title="Error of casting the weights to 16 bit, over training",
        caption="Euclidean norm, over all trained weights, of what a cast to 16 bit would change, and the largest "
        "that rounding to nearest allows (dotted), for the arms that store float32 weights; logarithmic axis.",
        empty=study.unobserved("no arm stores weights wider than the format to cast to, or none is observed"),
    )  # fmt: skip


def gradient(study: Study) -> Html:
    """Norm of the 16-bit gradient's error over that of the gradient, and the cosine of the two."""
    whole = whole_of(study)
    whole["ratio"] = whole["gradient_error"] / whole["gradient_norm"]
    return lines(
        study,
        whole[whole["ratio"].notna()],
        [
            Part("ratio", "relative error\nof the gradient", log=True),
            Part("gradient_cosine", "cosine with the\nfloat32 gradient", ends=(-1, 1)),
        ],
        name="gradient-error",
        title="The 16-bit gradient against the float32 gradient",
        caption="At the weights of the run and on the same batch (master weights are cast for the 16-bit gradient, so "
        "that their casting error is in it): norm of the difference of the two gradients over the "
        "norm of the float32 one (logarithmic axis), and the cosine of the angle between them; 1 is the same "
        "direction.",
        empty=study.unobserved(NO_GRADIENT),
    )


def gradient_layers(study: Study) -> Html:
    """Relative gradient error of each tensor at the first observation of the last phase."""
    title = "Error of the 16-bit gradient, tensor by tensor"
    rows = _at_the_switch(study)
    if rows.empty:
        return nothing(title, study.unobserved(NO_GRADIENT))
    rows["ratio"] = rows["gradient_error"] / rows["gradient_norm"]
    rows["place"] = rows.groupby("network")["tensor"].transform(lambda t: pd.factorize(t)[0] + 1)
    key = ["network", "arm", "tensor", "place"]
    data = rows.groupby(key, sort=False)["ratio"].agg(["mean", "count"])
    data = data.reset_index().rename(columns={"count": "n"})
    networks = [network for network in study.networks if network in set(data["network"])]
    with style():
        figure, axes = panels(networks, 1, 2.9)
        for network, (axis,) in zip(networks, axes, strict=True):
            mine = data[data["network"] == network]
            _draw_tensors(study, axis, mine)
            least, most = int(mine["n"].min()), int(mine["n"].max())
            seeds = f"{most}" if least == most else f"{least} to {most}"
            axis.set_title(f"{network}: n = {seeds} seeds")
            axis.set_xlabel("tensor, in the order of the network")
            axis.set_ylabel("relative error\nof the gradient")
        legend(figure, arm_points(study, data))
        return save(
            study,
            "gradient-error-layers",
            title,
            figure,
            data,
            "Norm of the difference between the 16-bit and the float32 gradient of each trained tensor, over the "
            "norm of the float32 one, on one batch before the first step of the last phase (the switch, where there is "
            "one), mean over seeds (with those that diverged after it), logarithmic axis. The data names each tensor.",
        )  # fmt: skip


def _at_the_switch(study: Study) -> pd.DataFrame:
    """Gradients of single tensors that aren't 0, as first observed in the last phase of each arm."""
    rows = once(study.table("observations")).query("tensor != 'all'")
    rows = rows.dropna(subset=["gradient_error"])
    key = ["network", "arm"]
    rows = rows[rows["phase"] == rows.groupby(key)["phase"].transform("max")]
    rows = rows[rows["epoch"] == rows.groupby(key)["epoch"].transform("min")]
    return rows[rows["gradient_norm"] > 0].copy()


def _draw_tensors(study: Study, axis: Axes, mine: pd.DataFrame) -> None:
    """A point a tensor and arm of a network."""
    for arm, group in mine.groupby("arm"):
        colour, marker, _ = look(study, str(arm))
        axis.plot(group["place"], group["mean"], marker, color=colour, markersize=5, alpha=0.8)
    logarithmic(axis)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))


def hessian(study: Study) -> Html:
    """The Hessian's estimate of the gradient's change by casting, against the change that was measured."""
    title = "Change of the gradient by casting: estimate and measurement"
    rows = whole_of(study).query("hessian_product > 0 and gradient_change > 0")
    if rows.empty:
        why = "no observed arm stores weights wider than the format to cast to"
        return nothing(title, study.unobserved(why))
    gap = (rows["gradient_change_gap"] / rows["gradient_change"]).dropna()
    caption = (
        "Norms, over all trained weights: the Hessian times the casting error (horizontal), which the mean value "
        "theorem puts in place of the change of the float32 gradient when the weights are cast (vertical). A point "
        "an observation (one batch) and seed; both axes logarithmic; on the dashed line the two are equal. Median of the norm "
        f"of their difference, over the measured change: {percent(gap.median())}."
    )
    return _scatter(study, rows, "hessian_product", "gradient_change", "hessian", title, caption,
                    ("Hessian \N{MULTIPLICATION SIGN} casting error", "measured change of the gradient"))  # fmt: skip


def descent(study: Study) -> Html:
    """Predicted against actual decrease of the loss in one gradient step."""
    title, rows = "Descent of the loss: predicted and actual", once(study.table("descent"))
    rows = rows.replace([np.inf, -np.inf], np.nan).dropna(
        subset=["predicted_decrease", "actual_decrease"]
    )
    if rows.empty:
        return nothing(title, study.unobserved(NO_STEP))
    negative, unit = int((rows["actual_decrease"] <= 0).sum()), study.metrics["loss"].unit
    caption = (
        "One plain gradient step of the run's precision on a fixed batch: the decrease of its loss that the "
        "learning rate and the float32 gradient promise (horizontal) and the decrease that came (vertical), in "
        f"{unit}. A point an observation and seed; on the dashed line the two are equal. Steps that did not lower "
        f"the loss: {negative} of {len(rows)}" + (", drawn at the lower edge." if negative else ".")
    )
    return _scatter(study, rows, "predicted_decrease", "actual_decrease", "descent", title, caption,
                    (f"predicted decrease ({unit})", f"actual decrease ({unit})"))  # fmt: skip


def remainder(study: Study) -> Html:
    """The remainder R, predicted minus actual decrease of the loss, over training."""
    return lines(
        study,
        once(study.table("descent")),
        [Part("remainder", f"remainder R ({study.metrics['loss'].unit})")],
        name="remainder",
        title="Remainder of the descent inequality",
        caption="R is the predicted minus the actual decrease of the loss in one gradient step: what curvature and "
        "16-bit errors take (above 0) or give (below 0). Arms stand at weights of their own; one that computes in "
        "float32 shows what curvature alone takes.",
        empty=study.unobserved(NO_STEP),
    )


def percent(share: float) -> str:
    """A share as ``99.8 %``: three significant digits."""
    return f"{number(100 * share)} %"


def once(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a run that several arms share (the phase before a cast), for the first of them alone."""
    key = [name for name in ("fingerprint", "epoch", "tensor") if name in rows]
    return rows[~rows.duplicated(key)]


def whole_of(study: Study) -> pd.DataFrame:
    """The observations over all tensors together."""
    whole = once(study.table("observations")).query("tensor == 'all'")
    return whole.replace([np.inf, -np.inf], np.nan)


def _scatter(
    study: Study,
    rows: pd.DataFrame,
    x: str,
    y: str,
    name: str,
    title: str,
    caption: str,
    labels: tuple[str, str],
) -> Html:
    """Two columns against each other on logarithmic axes, with the line where they are equal."""
    networks = [network for network in study.networks if network in set(rows["network"])]
    with style():
        figure, axes = panels(networks, 1, 3.2)
        for network, (axis,) in zip(networks, axes, strict=True):
            mine = rows[rows["network"] == network]
            for arm, group in mine.groupby("arm"):
                colour, marker, _ = look(study, str(arm))
                drawn = group[group[y] > 0]
                axis.plot(drawn[x], drawn[y], marker, color=colour, alpha=0.6, markersize=4.5)
                below = group[group[y] <= 0]
                axis.plot(below[x], np.full(len(below), 0.02), marker, color=colour, alpha=0.6,
                          markersize=4.5, transform=axis.get_xaxis_transform())  # fmt: skip
            _identity(axis)
            count = len(mine.drop_duplicates(["arm", "seed", "phase", "epoch"]))
            axis.set_title(f"{network}: {count} points, {mine['seed'].nunique()} seeds")
            axis.set_xlabel(labels[0])
            axis.set_ylabel(labels[1])
        legend(figure, [*arm_points(study, rows), Line2D([], [], label="equal", **IDENTITY)])
        keep = ["network", "arm", "seed", "phase", "epoch", x, y]
        return save(study, name, title, figure, rows[keep], caption)


def _identity(axis: Axes) -> None:
    axis.set_xscale("log")
    axis.set_yscale("log")
    low = min(axis.get_xlim()[0], axis.get_ylim()[0])
    high = max(axis.get_xlim()[1], axis.get_ylim()[1])
    axis.plot([low, high], [low, high], zorder=1, **IDENTITY)
    axis.set_xlim(low, high)
    axis.set_ylim(low, high)
    logarithmic(axis)
    logarithmic(axis, x=True)


def arm_points(study: Study, rows: pd.DataFrame) -> list[Line2D]:
    """A legend entry for each arm that the rows hold."""
    present = set(rows["arm"])
    return [
        Line2D(
            [], [], color=look(study, arm)[0], marker=look(study, arm)[1], linestyle="", label=arm
        )
        for arm in study.arms
        if arm in present
    ]
