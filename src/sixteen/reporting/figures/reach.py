"""Time to equal accuracy: how long each arm trained until it was as good as the study asks for."""

import numpy as np
import pandas as pd

from sixteen.reporting.figures.arms import arm_axis, arm_room
from sixteen.reporting.figures.plate import (
    look,
    panels,
    save,
    style,
)
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study, interval

TITLE = "Time to equal accuracy"
KEY = ["network", "arm"]
CLOCKS = {
    "timed": "the time of a step as it was measured alone",
    "training": "the median epoch by the clock of the run itself",
}


def equal_accuracy(study: Study) -> Html:
    """Seconds of the last phase until the accuracy of the study was reached: every seed, mean and interval."""
    wanted, rows = study.parameters["reach"], study.table("reach")
    if wanted is None:
        return nothing(TITLE, "this study names no accuracy to be reached")
    reached = rows.dropna(subset="seconds")
    if reached.empty:
        return nothing(TITLE, f"no run reached {100 * wanted:g} %")
    means = _means(study, rows)
    networks = [network for network in study.networks if network in set(reached["network"])]
    with style():
        figure, axes = panels(networks, 1, 2.9 + arm_room(study, min(3, len(networks))))
        for network, (axis,) in zip(networks, axes, strict=True):
            for x, arm in enumerate(study.arms):
                colour, marker, _ = look(study, arm)
                seconds = reached.query("network == @network and arm == @arm")["seconds"]
                axis.plot(np.full(len(seconds), x - 0.1), seconds, marker, color=colour,
                          alpha=0.55, markersize=4.5)  # fmt: skip
                if (network, arm) in means.index and means.loc[(network, arm), "n"] > 1:
                    row = means.loc[(network, arm)]
                    axis.vlines(x + 0.1, row["low"], row["high"], color=colour, linewidth=2.4)
                    axis.plot(x + 0.1, row["mean"], marker, color=colour, markersize=8)
            arm_axis(study, axis)
            highest = reached.loc[reached["network"] == network, "seconds"].max()
            axis.set_ylim(0, 1.15 * max(axis.get_ylim()[1], highest) or 1)
            axis.set_title(f"{network}: {_counts(study, means, network)}")
            axis.set_ylabel("training time (s)")
        return save(
            study, "time-to-accuracy", TITLE, figure,
            rows.merge(means.reset_index(), on=KEY, how="left"), _caption(study, wanted, means, reached),
        )  # fmt: skip


def _means(study: Study, rows: pd.DataFrame) -> pd.DataFrame:
    """By network and arm: mean seconds and interval over the `n` runs that reached it, of `runs`."""
    made = []
    for key, group in rows.groupby(KEY, sort=False):
        ends = interval(group["seconds"], study.confidence)
        made.append((*key, len(group), *ends))
    return pd.DataFrame(made, columns=[*KEY, "runs", "n", "mean", "low", "high"]).set_index(KEY)


def _counts(study: Study, means: pd.DataFrame, network: str) -> str:
    """How many runs reached it: ``n = 3``; arm by arm, ``n = 3 / 2``, where that differs."""
    found = [int(means.loc[(network, a), "n"]) for a in study.arms if (network, a) in means.index]
    return "n = " + " / ".join(map(str, found if len(set(found)) > 1 else found[:1]))


def _caption(study: Study, wanted: float, means: pd.DataFrame, reached: pd.DataFrame) -> str:
    began = int((reached["seconds"] == 0).sum())
    never = int((means["runs"] - means["n"]).sum())
    clocks = " or, where there is none, ".join(
        words for clock, words in CLOCKS.items() if clock in set(reached["clock"])
    )
    return (
        f"Seconds of training in the last phase to the first epoch after which at least {100 * wanted:g} % of the test "
        f"{study.item}s were right, without compilation and tests, by {clocks}. Small points: seeds. Large points: "
        f"mean; bars: {study.confidence:.0%} t interval over the n runs that reached it; {never} of "
        f"{int(means['runs'].sum())} never did. Runs that diverged are left out."
        + (f" {began} began at or above it, which is 0 s." if began else "")
    )
