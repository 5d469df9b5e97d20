"""Updates lost to rounding: steps too small to move a stored 16-bit weight (arXiv:1710.03740, section 3.1)."""

import numpy as np
import pandas as pd

from sixteen.reporting.figures.heat import heat, sheets
from sixteen.reporting.figures.plate import legend, look, panels, save, style
from sixteen.reporting.figures.theory import arm_points, once
from sixteen.reporting.figures.trend import PERCENT, Part, lines
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study

LOST = "lost updates (%)"
CHANGED = "norm of the update\nthat rounding changes (%)"
MEANS = (
    "An update is lost when the optimizer, computed in float32, would change a weight and the stored weight stays "
    "as it was: the change is below half the distance to the next number of its format, or underflowed before."
)


def over_training(study: Study) -> Html:
    """Share of updates lost to rounding over epochs, arm by arm, and how much of the step that is."""
    rows = _share(once(study.table("observations")).query("tensor == 'all'"))
    return lines(
        study,
        rows,
        [Part("share", LOST, 100, ends=PERCENT), Part("changed", CHANGED, 100)],
        name="lost-updates",
        title="Updates lost to rounding",
        caption=f"{MEANS} In percent of the updates that are not zero, over all trained weights, in one step (one "
        "batch) of each observed epoch. With it how much of the step that is: the norm of what rounding takes from the "
        "update that was meant, or adds to it, over the norm of that update.",
        empty=study.unobserved("no run of this study is observed"),
    )


def layers(study: Study) -> Html:
    """Share of lost updates by tensor and epoch, for the arm that loses most."""
    title, rows = "Lost updates, tensor by tensor", _share(once(study.table("observations")))
    whole, rows = rows.query("tensor == 'all'"), rows.query("tensor != 'all'")
    if not rows["share"].max() > 0:
        return nothing(title, study.unobserved("no update was lost, or none was observed"))
    arm = str(whole.groupby("arm")["share"].mean().idxmax())
    mine = rows[rows["arm"] == arm]
    mine = mine[mine["phase"] == mine.groupby("network")["phase"].transform("max")]
    grids = {
        network: 100 * _grid(mine[mine["network"] == network])
        for network in study.networks
        if network in set(mine["network"])
    }
    with style():
        figure, axes = sheets(grids)
        for network, grid in grids.items():
            heat(axes[network], grid, LOST, 100)
            seeds = mine.loc[mine["network"] == network, "seed"].nunique()
            axes[network].set_title(f"{network}, {arm}: n = {seeds} seeds")
            axes[network].set_xlabel("epoch")
        data = mine.groupby(["network", "arm", "tensor", "epoch"], sort=False)["share"]
        return save(
            study,
            "lost-updates-layers",
            title,
            figure,
            data.agg(["mean", "count"]).reset_index(),
            f"{MEANS} Arm {arm}, which loses the largest share of all its updates; last phase; mean over seeds (with those that "
            "diverged later); rows are the trained tensors in the order of the network, columns the observed epochs. White: "
            "no update at all.",
        )


def against_reached(study: Study) -> Html:
    """Share of lost updates at the last observation against what was reached, a point a run."""
    main, metric = study.main, study.metrics[study.main]
    title = f"Lost updates and {metric.words}"
    runs = study.runs.query("outcome == 'finished'").dropna(subset=["lost_updates", main])
    if runs.empty:
        return nothing(title, study.unobserved("no run that finished is observed"))
    runs = runs[["network", "arm", "seed", "lost_updates", main]]
    networks = [network for network in study.networks if network in set(runs["network"])]
    with style():
        figure, axes = panels(networks, 1, 3.0)
        for network, (axis,) in zip(networks, axes, strict=True):
            for arm, group in runs[runs["network"] == network].groupby("arm"):
                colour, marker, _ = look(study, str(arm))
                x, y = 100 * group["lost_updates"], metric.scale * group[main]
                axis.plot(x, y, marker, color=colour, alpha=0.75, markersize=6)
            axis.set_title(f"{network}: {study.seeds(network)}")
            axis.set_xlabel(f"{LOST}, last observation")
            axis.set_ylabel(study.main_label)
        legend(figure, arm_points(study, runs))
        return save(
            study,
            f"lost-updates-{main.replace('_', '-')}",
            title,
            figure,
            runs,
            f"{MEANS} A point a run: its share of lost updates in the last observed step, and its {metric.words} "
            "after the last epoch. Axes don't begin at zero.",
        )


def _share(rows: pd.DataFrame) -> pd.DataFrame:
    """Observations with the share of lost updates and of the norm that rounding changes; NaN where there was no update."""
    rows = rows[rows["updates"].notna()].copy()
    rows["share"] = np.where(rows["updates"] > 0, rows["lost_updates"] / rows["updates"], np.nan)
    moved = rows["update_norm"] > 0
    rows["changed"] = np.where(moved, rows["update_error"] / rows["update_norm"], np.nan)
    return rows


def _grid(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean share [tensors in the order of the network, epochs]."""
    order = list(dict.fromkeys(rows["tensor"]))
    return rows.pivot_table("share", "tensor", "epoch", dropna=False).reindex(order)
