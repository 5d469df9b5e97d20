"""Unequal harm: the accuracy of each class in 16 bit against the reference."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sixteen.reporting.figures.forest import FILLED, OPEN, estimate
from sixteen.reporting.figures.plate import NEUTRAL, WIDTH, legend, look, save, style
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study

LETTERS = 40  # of a label; a longer one would leave no room for others, nor for what is drawn


def classes(study: Study) -> Html:
    """Difference of accuracy (points) by class, with intervals; significant ones filled."""
    title, harm = "Accuracy class by class", study.table("harm")
    harm = harm.dropna(subset=["mean"])
    if harm.empty:
        return nothing(title, _why_nothing(study))
    networks = [network for network in study.networks if network in set(harm["network"])]
    arms = [arm for arm in study.arms if arm in set(harm["arm"])]
    names = list(dict.fromkeys(harm["class"]))
    reference = harm["reference"].iloc[0]
    alpha = study.parameters["statistics"]["alpha"]
    with style():
        figure, axes = _panels(len(networks), len(names) * max(0.24, 0.13 * len(arms)))
        for axis, network in zip(axes, networks, strict=True):
            mine = harm[harm["network"] == network]
            _draw(study, axis, mine, arms, names)
            axis.set_title(f"{network}: n = {_pairs(mine['n'])} pairs")
            axis.set_xlabel(f"accuracy \N{MINUS SIGN} that of {reference}\n(percentage points)")
        handles = [
            Line2D(
                [], [], color=look(study, a)[0], marker=look(study, a)[1], label=a, linewidth=1.8
            )
            for a in arms
        ]
        handles += [Line2D([], [], **FILLED), Line2D([], [], **OPEN)]
        legend(figure, handles)
        return save(
            study,
            "class-accuracy",
            title,
            figure,
            harm,
            f"Accuracy on the test {study.item}s of each class, minus that of {reference}, mean over pairs of a seed with "
            f"{study.confidence:.0%} t interval. Filled: significant (paired t test over seeds) at {alpha:g} after Holm's correction over the "
            f"classes of one network and arm, {_families(harm, alpha)}; {_largest_loss(harm)}.{_visible(study, harm)}",
        )


def _why_nothing(study: Study) -> str:
    if study.table("per_class").empty:
        return f"no {study.item} is right or wrong here"
    return "no pair of runs in this study"


def _panels(count: int, height: float) -> tuple[Figure, list[Axes]]:
    """Panels for rows of classes that are so many inches high, at most three side by side."""
    columns = min(3, count)
    blocks = -(-count // columns)
    figure = Figure(figsize=(WIDTH, (0.9 + height) * blocks + 0.3), layout="constrained")
    grid = figure.subplots(blocks, columns, squeeze=False, sharey=True)
    for axis in grid[:, 0]:
        axis.set_ylabel("class")
    for unused in grid.ravel()[count:]:
        unused.set_axis_off()
    return figure, list(grid.ravel()[:count])


def _draw(study: Study, axis: Axes, mine: pd.DataFrame, arms: list[str], names: list[str]) -> None:
    """The differences of a network: a row a class, arms beside each other."""
    alpha = study.parameters["statistics"]["alpha"]
    axis.axvline(0, color=NEUTRAL, linewidth=1.2)
    for i, arm in enumerate(arms):
        colour, marker, _ = look(study, arm)
        shift = 0.7 * ((i + 0.5) / len(arms) - 0.5)
        rows = mine.query("arm == @arm").set_index("class")
        for name, row in rows.iterrows():
            place = names.index(str(name)) + shift
            estimate(axis, row, place, 100, colour, marker, row["p_holm"] < alpha)
    # Names are text, never mathematics: $x^$ is a class like any other.
    labels = [name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…" for name in names]
    axis.set_yticks(range(len(names)), labels, parse_math=False)
    axis.set_ylim(len(names) - 0.4, -0.6)


def _pairs(n: pd.Series) -> str:
    """How many pairs of runs the differences are from, as one number or a range."""
    return f"{int(n.min())}" if n.min() == n.max() else f"{int(n.min())} to {int(n.max())}"


def _families(harm: pd.DataFrame, alpha: float) -> str:
    """How many families there are, how many classes leave nothing to test, and how many are significant."""
    families = harm.groupby(["network", "arm"]).ngroups
    untested, found = int(harm["p_holm"].isna().sum()), int((harm["p_holm"] < alpha).sum())
    alone = f", {untested} can't be tested (one seed alone)" if untested else ""
    return (
        f"{families} famil{'y' if families == 1 else 'ies'} here. Of {len(harm)} differences {found} are "
        f"significant{alone}"
    )


def _largest_loss(harm: pd.DataFrame) -> str:
    """The class that lost most, in words; no p where one seed allows no test."""
    worst = harm.loc[harm["mean"].idxmin()]
    if worst["mean"] >= 0:
        return "no class lost accuracy"
    told = "" if np.isnan(worst["p_holm"]) else f" (Holm p = {worst['p_holm']:.2g})"
    return (
        f"largest loss: class {worst['class']} of {worst['network']} in {worst['arm']}, "
        f"{-100 * worst['mean']:.2f} points{told}"
    )


def _visible(study: Study, harm: pd.DataFrame) -> str:
    """The least loss that could have been seen; nothing where one seed allows no test."""
    tested = harm.dropna(subset=["least_seen"])
    if tested.empty:
        return ""
    if tested["least_significant"].min() > 1:
        return " With so few seeds no loss of a single class could be significant, however large."
    floored, power = int(tested["floored"].sum()), study.parameters["statistics"]["power"]
    return (
        f" The least that could be seen: the loss of one class alone is significant here from {_points(tested, 'least_significant')} "
        f"points on, by class, and a true loss is found with power {power:g} from {_points(tested, 'least_seen')} points "
        f"on, if the spread of these seeds is the true one. A spread below one {study.item} of the class isn't believed: "
        f"{floored} of {len(tested)} stand at that."
    )


def _points(harm: pd.DataFrame, column: str) -> str:
    """The range of a column of shares, in points; no class can lose more than 100."""
    least, most = (f"{min(100 * end, 100):.1f}" for end in (harm[column].min(), harm[column].max()))
    return least if least == most else f"{least} to {most}"
