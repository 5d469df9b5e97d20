"""How arms drift apart over epochs, how much each overfits at its end, and what diverges late.

The overfitting gap of an epoch is the accuracy over its training steps minus that on the test set after it, in points. Each
arm is compared with the first group's at its level of the study's axis; without one, with the reference.
"""

from collections.abc import Iterator
from html import escape

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sixteen.analysis.statistics import Estimate, paired_difference
from sixteen.reporting.figures.plate import NEUTRAL, legend, look, no_interval, panels, save, style
from sixteen.reporting.numbers import estimates
from sixteen.reporting.page import Html, nothing, table
from sixteen.reporting.study import Study, interval

TITLE = "Drift apart and overfitting gap over epochs"
GAPS = "Overfitting gap at the end, and what diverged"
POINTS = 100
PARTS = {
    "gap": "overfitting gap\n(percentage points)",
    "gap_difference": "gap, difference\n(percentage points)",
    "drift": "test accuracy, difference\n(percentage points)",
}
COLUMNS = ["network", "arm", "epoch", "part", "n", "mean", "low", "high"]


def compared(study: Study) -> dict[str, str]:
    """Each arm with that which it is compared with, itself if it is one of these."""
    if study.parameters["along"] is None:
        return dict.fromkeys(study.arms, study.arms[0])
    places: dict[str, list[str]] = study.parameters["along"]["arms"]
    at = {tuple(places[arm]): arm for arm in study.arms if arm in places}
    first = next(iter(at))[0]
    return {arm: at.get((first, level), arm) for (_, level), arm in at.items()}


def ends(study: Study) -> dict[str, int]:
    """The last epoch of each arm."""
    network = study.networks[0]
    return {arm: study.trained(network, arm)["parameters"]["until"] for arm in study.arms}


def over_epochs(study: Study) -> Html:
    """The gap of the longest arms over epochs, its paired difference, and that of the test accuracy."""
    if _unknown(study):
        return nothing(TITLE, f"no {study.item} is right or wrong here")
    until = ends(study)
    if len(set(until.values())) == 1:
        return nothing(TITLE, "all arms of this study train for as many epochs")
    with_ = compared(study)
    longest = [arm for arm in with_ if until[arm] == max(until.values())]
    data = pd.DataFrame(_rows(study, {arm: with_[arm] for arm in longest}), columns=COLUMNS)
    with style():
        figure, axes = panels(study.networks, len(PARTS), 3.1)
        for network, row in zip(study.networks, axes, strict=True):
            for part, axis in zip(PARTS, row, strict=True):
                mine = data[(data["network"] == network) & (data["part"] == part)]
                _draw(study, axis, mine, part)
            row[0].set_title(f"{network}: {study.seeds(network)}")
        legend(figure, [_line(study, arm) for arm in longest])
        pairs = ", ".join(f"{arm} from {with_[arm]}" for arm in longest if with_[arm] != arm)
        return save(
            study, "drift", TITLE, figure, data,
            "Of the arms that train longest, in their last phase. Overfitting gap: accuracy over the training steps of an "
            f"epoch minus that on the test set after it. Differences: {escape(pairs)}, paired by seed, over the seeds in "
            f"which both finished. {_bands(study, data)}",
        )  # fmt: skip


def at_the_end(study: Study) -> Html:
    """A row an arm: its gap after its last epoch, the paired difference, and how many runs diverged, and when."""
    if _unknown(study):
        return nothing(GAPS, f"no {study.item} is right or wrong here")
    until, with_ = ends(study), compared(study)
    horizon = min(until.values())
    rows = []
    for network in study.networks:
        found = [(arm, *_gaps(study, network, arm, with_[arm], until[arm])) for arm in with_]
        own = estimates([gap for _, gap, _ in found])
        told = estimates([difference for _, _, difference in found])
        for (arm, *_), gap, difference in zip(found, own, told, strict=True):
            lost, late = _diverged(study, network, arm, horizon)
            against = f"{difference}<br>from {escape(with_[arm])}" if with_[arm] != arm else ""
            diverged = f"{lost}, {late} of them later" if lost else "0"
            name = f"{escape(network)}, {escape(arm)}"
            rows.append((name, f"{until[arm]}", gap, against, diverged))
    head = (
        "Arm",
        "Epochs",
        "Gap (points)",
        "Difference (points)",
        f"Diverged (later: after epoch {horizon})",
    )
    return Html(table(GAPS, head, rows, (1, 2, 3, 4)), f"table of overfitting gaps: {len(rows)} rows")  # fmt: skip


def _bands(study: Study, data: pd.DataFrame) -> str:
    if data["n"].max() < 2:
        return no_interval(data["n"].max())
    return f"Bands: {study.confidence:.0%} intervals."


def _unknown(study: Study) -> bool:
    return study.table("curves")["train_accuracy"].isna().all()


def _values(study: Study, network: str, arm: str) -> pd.DataFrame:
    """Gap and test accuracy, shares, of the finished runs of an arm in its last phase, by seed and epoch."""
    curves = study.table("curves").merge(study.runs[["network", "arm", "seed", "outcome"]])
    mine = curves.query("network == @network and arm == @arm and outcome == 'finished'")
    mine = mine[mine["phase"] == mine["phase"].max()].set_index(["seed", "epoch"])
    gap = mine["train_accuracy"] - mine["test_accuracy"]
    return pd.DataFrame({"gap": gap, "drift": mine["test_accuracy"]})


def _rows(study: Study, with_: dict[str, str]) -> Iterator[tuple[object, ...]]:
    """What is drawn, see `COLUMNS`; means and ends in points."""
    for network in study.networks:
        for arm, other in with_.items():
            first, second = (_values(study, network, name) for name in (arm, other))
            for epoch, own in first.groupby("epoch"):
                gap = own["gap"].dropna() * POINTS
                if len(gap):
                    yield (network, arm, epoch, "gap", *interval(gap, study.confidence))
                for part in ("gap", "drift") if arm != other else ():
                    name = {"gap": "gap_difference"}.get(part, part)
                    found = _paired(study, first[part], second[part], epoch)
                    if found[0]:
                        yield (network, arm, epoch, name, *found)


def _paired(
    study: Study, first: pd.Series, second: pd.Series, epoch: object
) -> tuple[int, float, float, float]:
    """n, mean, low and high (points) of the difference at an epoch; seeds that agree to a test item have its spread."""
    both = pd.concat([first, second], axis=1, join="inner").dropna()
    both = both[both.index.get_level_values("epoch") == epoch]
    if both.empty:
        return 0, float("nan"), float("nan"), float("nan")
    item = 1 / study.runs["test_items"].max()
    own, others = (list(both.iloc[:, side]) for side in (0, 1))
    return _shown(paired_difference(own, others, study.confidence, item))


def _shown(found: Estimate) -> tuple[int, float, float, float]:
    mean, low, high = (
        float("nan") if end is None else POINTS * end for end in (found.mean, found.low, found.high)
    )
    return found.n, mean, low, high


def _gaps(
    study: Study, network: str, arm: str, other: str, epoch: int
) -> tuple[tuple[int, float, float, float], tuple[int, float, float, float]]:
    """The gap of an arm at an epoch, and its difference from that of another one; n, mean, low and high in points."""
    first, second = (_values(study, network, name)["gap"] for name in (arm, other))
    own = first[first.index.get_level_values("epoch") == epoch].dropna() * POINTS
    return interval(own, study.confidence), _paired(study, first, second, epoch)


def _diverged(study: Study, network: str, arm: str, horizon: int) -> tuple[int, int]:
    """How many runs of an arm diverged, and how many of them after an epoch."""
    lost = study.runs.query("network == @network and arm == @arm and outcome == 'diverged'")
    curves = study.table("curves").query("network == @network and arm == @arm")
    reached = curves.groupby("seed")["epoch"].max()
    return len(lost), int((reached.reindex(lost["seed"]) >= horizon).sum())


def _line(study: Study, arm: str) -> Line2D:
    colour, _, line = look(study, arm)
    return Line2D([], [], color=colour, linewidth=2.2, linestyle=line, label=arm)


def _draw(study: Study, axis: Axes, data: pd.DataFrame, part: str) -> None:
    for arm, mine in data.groupby("arm", sort=False):
        colour, _, line = look(study, str(arm))
        axis.plot(mine["epoch"], mine["mean"], color=colour, linewidth=2.2, linestyle=line)
        axis.fill_between(
            mine["epoch"], mine["low"], mine["high"], color=colour, alpha=0.16, linewidth=0
        )
    if part != "gap":
        axis.axhline(0, color=NEUTRAL, linewidth=1.2)
    axis.set_xlabel("epoch")
    axis.set_ylabel(PARTS[part])
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
