"""Kinks of ReLUs that a cast of the weights crosses, and what they do to the gradient.

The mean value theorem asks for a gradient without jumps. Here the units that the cast moves across zero are counted, and
the change of the gradient is measured a second time, in a network that holds each unit on the side where it was.
"""

import pandas as pd
from matplotlib.lines import Line2D

from sixteen.reporting.figures.forest import FILLED, OPEN
from sixteen.reporting.figures.plate import legend, logarithmic, look, panels, save, style
from sixteen.reporting.figures.theory import arm_points, once, percent, whole_of
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study

MOMENT = ["network", "arm", "seed", "phase", "epoch"]
MISSED = "change of the gradient\nthat the Hessian misses (%)"
HANDLES = (
    Line2D([], [], **{**FILLED, "label": "as it is"}),
    Line2D([], [], **{**OPEN, "label": "each unit held on its side"}),
)


def crossed(study: Study) -> Html:
    """What the Hessian misses against the units that the cast moves across their kink, free and held."""
    title = "Kinks that the cast crosses, and what the Hessian misses"
    rows = _rows(study)
    if rows.empty:
        why = "no observed arm with ReLUs stores weights wider than the format to cast to"
        return nothing(title, study.unobserved(why))
    networks = [network for network in study.networks if network in set(rows["network"])]
    with style():
        figure, axes = panels(networks, 1, 3.2)
        for network, (axis,) in zip(networks, axes, strict=True):
            mine = rows[rows["network"] == network]
            for arm, group in mine[mine["crossed"] > 0].groupby("arm"):
                colour, marker, _ = look(study, str(arm))
                for column, face in (("free", colour), ("held", "white")):
                    axis.plot(100 * group["share"], 100 * group[column], marker, color=colour,
                              markerfacecolor=face)  # fmt: skip
            logarithmic(axis)
            logarithmic(axis, x=True)
            axis.set_title(f"{network}: {len(mine)} points, {mine['seed'].nunique()} seeds")
            axis.set_xlabel("units that cross their kink (%)")
            axis.set_ylabel(MISSED)
        legend(figure, [*arm_points(study, rows), *HANDLES])
        return save(study, "kinks", title, figure, rows, _caption(study, rows))


def _rows(study: Study) -> pd.DataFrame:
    """A row an observation: share of units that cross, and of the change that the Hessian misses, free and held."""
    counted = once(study.table("kinks").query("layer == 'all'"))
    rows = whole_of(study).merge(counted, on=MOMENT)
    rows = rows.query("gradient_change > 0 and held_change > 0")
    shares = {
        "share": rows["crossed"] / rows["units"],
        "free": rows["gradient_change_gap"] / rows["gradient_change"],
        "held": rows["held_change_gap"] / rows["held_change"],
    }
    return rows[[*MOMENT, "units", "crossed"]].assign(**shares)


def _caption(study: Study, rows: pd.DataFrame) -> str:
    """How to read the two panels, and the medians by network."""
    medians = rows.groupby("network")[["share", "free", "held"]].median()
    told = "; ".join(
        f"{network}: {percent(row['share'])} of the units cross, the Hessian misses {percent(row['free'])}, with units "
        f"held {percent(row['held'])}"
        for network, row in medians.reindex(study.networks).dropna().iterrows()
    )
    return (
        f"A unit of a ReLU crosses its kink where the cast of the weights turns it on or off, for one {study.item} of the "
        "observed batch. Filled: the norm of what the Hessian misses over that of the change of the gradient by the cast. "
        "Open: the same in a network that holds each unit on the side where it was before the cast; what is missed "
        "there no more is due to the units that cross. Max pooling has kinks of its own, which are neither counted nor "
        f"held. A point an observation (one batch) and seed; logarithmic axes{_none(rows)}. Medians: {told}."
    )


def _none(rows: pd.DataFrame) -> str:
    """How many observations a logarithmic axis leaves out."""
    none = int((rows["crossed"] == 0).sum())
    return f"; {none} where no unit crosses aren't drawn" if none else ""
