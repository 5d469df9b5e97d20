"""Which schedule should I use? Computed for each network and goal, beside what the paper advises.

- Least cost: costs are counted; the cheapest cyclic schedule, and those that cost up to 1 % more.
- Most accuracy: those that the data can't tell from the best, see `sixteen.analysis.best`.
- Balance: those that are proved not to be inferior to the reference by more than a margin, the cheapest first, see
  `sixteen.analysis.several`.
"""

import math
from html import escape

import pandas as pd

from sixteen.analysis.best import not_told_from_best
from sixteen.analysis.criterion import criteria_of
from sixteen.analysis.several import against, proved
from sixteen.reporting.figures.pareto import gaps
from sixteen.reporting.numbers import alike, interval_of, number
from sixteen.reporting.page import Html, nothing, table
from sixteen.reporting.study import Study
from sixteen.study.claim import NonInferior
from sixteen.tasks.measured.parts.metric import POINTS

CAPTION = "Which schedule should I use?"
HEAD = ("Network, goal", "This study says", "How sure", "The paper's advice")
MARGIN = 0.01  # a point of a share, or 1 % of what is compared by ratio: that of the claims in papers/2403.02243.yaml
NEARLY = 0.01  # what costs so much more is as cheap
# arXiv:2403.02243 advises by groups of savings; its own words were not found.
ADVICE = {"least cost": "large", "most": "small", "balance": "medium"}


def which_schedule(study: Study) -> Html:
    """The table of answers, a row for each goal of each network."""
    rows = [row for network in study.networks for row in _rows(study, network)]
    if not rows:
        return nothing(CAPTION, "this study has fewer than two cyclic schedules")
    note = (
        "<p>In brackets: cost in bit operations over that of the reference, then what it adds to the "
        f"{escape(study.metrics[study.main].words)} of the reference, paired by seed, with its {study.confidence:.0%} "
        "interval, which is for each schedule alone. The paper's advice goes by groups of savings, as its summaries "
        "tell it; its own words were not found.</p>"
    )
    plain = "; ".join(f"{row[0]}: {row[1]}" for row in rows)
    return Html(table(CAPTION, HEAD, rows) + note, plain)


def _rows(study: Study, network: str) -> list[tuple[str, str, str, str]]:
    """The answers at a network; none with fewer than two cyclic schedules."""
    points = gaps(study, network).set_index("arm")
    cyclic = list(points.index[points["group"].notna()])
    if len(cyclic) < 2:
        return []
    cyclic.sort(key=lambda arm: points.loc[arm, "cost"])
    reference = study.arms[0]
    shown = _shown(study, points)
    cheapest = points.loc[cyclic[0], "cost"] * (1 + NEARLY)
    cheap = [arm for arm in cyclic if points.loc[arm, "cost"] <= cheapest]
    best, sure = _best(study, network, cyclic, reference)
    good, proof = _balanced(study, network, cyclic, reference)
    more = study.metrics[study.main].better == "more"
    goal = f"{'most' if more else 'least'} {study.metrics[study.main].words}"
    found = {
        "least cost": (cheap, "Costs are counted."),
        "most": (best, sure),
        "balance": (good, proof),
    }
    words = {"least cost": "least cost", "most": goal, "balance": "balance of both"}
    return [
        (
            f"{escape(network)}, {escape(words[key])}",
            ", ".join(shown[arm] for arm in arms) or "none is proved to be good enough",
            escape(how),
            escape(_advice(key, arms, points)),
        )
        for key, (arms, how) in found.items()
    ]


def _best(study: Study, network: str, cyclic: list[str], reference: str) -> tuple[list[str], str]:
    """The arms that may be the best, and how much that says."""
    lost = [arm for arm in (*cyclic, reference) if study.evidence.diverged(network, arm)]
    arms = [arm for arm in (*cyclic, reference) if arm not in lost]
    left = not_told_from_best(study.evidence, network, arms)
    alpha = study.parameters["statistics"]["alpha"]
    n = study.runs.query("network == @network and arm == @reference")["seed"].nunique()
    told = (
        f"The data don't separate any of the {len(arms)}: each may be the best"
        if len(left) == len(arms)
        else f"{len(arms) - len(left)} of {len(arms)} are worse than some other one; each of these may be the best"
    )
    also = f" Left out, since runs diverged: {', '.join(lost)}." if lost else ""
    return (
        left,
        f"{told} (n = {n} seeds; the best is among them with {1 - alpha:.0%} probability).{also}",
    )


def _balanced(
    study: Study, network: str, cyclic: list[str], reference: str
) -> tuple[list[str], str]:
    """The schedules that are proved to be good enough, the cheapest first, and what that is."""
    metric = study.metrics[study.main]
    claim = NonInferior(
        id="balance", says="-", source="-", only=None, hardware=None, metric=study.main,
        arms=("a", "b"), margin=MARGIN, test="not_less" if metric.better == "more" else "not_more",
    )  # fmt: skip
    (criterion,) = criteria_of(claim, study.metrics, study.evidence.levels)
    arms = [against(criterion, network, arm, reference, study.evidence) for arm in cyclic]
    good = proved(arms, [arm.p_holds for arm in arms], study.evidence.levels.alpha)
    tests = sum(arm.cheaper for arm in arms)
    than = "over" if criterion.kind == "ratio" else "minus"
    return good, (
        f"Proved of {len(good)} of {tests} that cost less (Holm): {metric.words} {than} that of {reference} is "
        f"{criterion.words}; the cheapest comes first."
    )


def _advice(goal: str, arms: list[str], points: pd.DataFrame) -> str:
    """The group that the paper advises for a goal, and whether its schedules are among ours."""
    name = ADVICE[goal]
    members = list(points.index[points["group"] == name])
    if not members:
        return f"{name} savings, of which this study has none"
    among = [arm for arm in members if arm in arms]
    how = "all" if len(among) == len(members) else ", ".join(among) if among else "none"
    return f"{name} savings ({', '.join(members)}): {how} of them among ours"


def _shown(study: Study, points: pd.DataFrame) -> dict[str, str]:
    """Each arm with its cost and what it adds: ``cr (0.63; -0.2 [-0.5, 0.1] points)``."""
    metric = study.metrics[study.main]
    unit = "times" if metric.kind == "ratio" else "points" if metric.unit == POINTS else metric.unit
    texts = iter(alike(points[["mean", "low", "high"]].astype(float).to_numpy().ravel()))
    shown = {}
    for arm, row in points.iterrows():
        mean, low, high = (next(texts) for _ in range(3))
        gap = f"{mean} {interval_of(low, high)} {unit}" if row["n"] > 1 else f"{mean} {unit}"
        added = f"; {gap}" if not math.isnan(row["mean"]) and arm != study.arms[0] else ""
        shown[arm] = f"<b>{escape(str(arm))}</b> ({number(row['cost'])}{added})"
    return shown
