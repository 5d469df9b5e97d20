"""What of a report DVC compares between commits and experiments: verdicts and main numbers, and curves."""

from typing import Any

import pandas as pd

from sixteen.reporting.page import SIGNS
from sixteen.reporting.study import Study

DIGITS = 12  # what rounding does beyond is no difference between two experiments


def metrics(study: Study) -> dict[str, Any]:
    """``{"verdicts": {verdict: count}, "diverged": runs, "claims": {id: ...}, <main metric>: {network: {arm: mean over seeds}}}``.

    A claim has its `verdict`, and for each network that gives one an `estimate` with the ends of its interval, `low` and
    `high`, in the unit of the claim. Numbers that aren't known are left out; the main metric is as in the tables: an
    accuracy is a share.
    """
    told = [claim["verdict"] for claim in study.claims]
    return {
        "verdicts": {verdict: told.count(verdict) for verdict in SIGNS},
        "diverged": int((study.runs["outcome"] == "diverged").sum()),
        "claims": {claim["id"]: _claim(claim) for claim in study.claims},
        study.main: _means(study),
    }


def curves(study: Study) -> pd.DataFrame:
    """Test accuracy (a share) and training loss of each epoch, mean over the seeds that finished.

    One row an epoch of each arm of each network, which `series` names. Where a phase ends and the next one begins, the
    row is that of the end.
    """
    runs = study.runs.loc[study.runs["outcome"] == "finished", ["network", "arm", "seed"]]
    rows = study.table("curves").merge(runs)
    rows = rows.sort_values("phase", kind="stable").drop_duplicates(
        ["network", "arm", "seed", "epoch"]
    )
    rows["series"] = rows["network"] + " " + rows["arm"]
    groups = rows.groupby(["series", "epoch"], sort=True)
    return groups[["test_accuracy", "loss"]].mean().reset_index()


def _claim(claim: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"verdict": claim["verdict"]}
    for part in claim["per_network"]:
        ends = {key: part[key] for key in ("estimate", "low", "high")}
        known = {key: round(end, DIGITS) for key, end in ends.items() if end is not None}
        if known:
            told[part["network"]] = known
    return told


def _means(study: Study) -> dict[str, dict[str, float]]:
    rows = study.table("summary").query("metric == @study.main").dropna(subset="mean")
    means: dict[str, dict[str, float]] = {}
    for network, arm, mean in zip(rows["network"], rows["arm"], rows["mean"], strict=True):
        means.setdefault(network, {})[arm] = round(mean, DIGITS)
    return means
