"""How many arms cost less than a reference and are not inferior to it: counted over tests that are corrected.

Each arm is tested against the reference over paired seeds; Holm's correction holds the chance of proving anything
wrongly of any of them at alpha. What is proved, and what the opposite is proved of, so bound the true number of such
arms from below and above. Costs are counted, and need no test. A run that diverged leaves its arm undecided, unless the
arm diverged alone in so many seeds that a sign test tells that it is the worse one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scipy import stats

from sixteen.analysis import statistics, wording
from sixteen.analysis.contrast import costs
from sixteen.analysis.criterion import Criterion
from sixteen.analysis.evidence import Evidence
from sixteen.analysis.pairs import is_guess, pair
from sixteen.analysis.statistics import Estimate, holm
from sixteen.study.claim import SeveralNonInferior

ALIKE = 1e-9  # costs that differ by less are the same, but for rounding


@dataclass(frozen=True)
class Arm:
    """One arm against the reference: p that it would look so good if it were inferior, and so bad if it weren't.

    `estimate` is of the difference, or of the logarithm of the ratio; its spread may be `guessed`, see `is_guess`.
    """

    name: str
    cheaper: bool
    estimate: Estimate
    guessed: bool
    left_out: list[str]
    p_holds: float | None
    p_fails: float | None


def several(
    claim: SeveralNonInferior,
    criterion: Criterion,
    network: str,
    evidence: Evidence,
    family: int,
    wanted_power: float | None,
) -> dict[str, Any]:
    """The record of a claim at a network, as `comparison.compare` has it; its estimate is a number of arms.

    Refutes at the level divided by `family`, the networks that each could.
    """
    *names, reference = claim.among(evidence.arms)
    arms = [against(criterion, network, name, reference, evidence) for name in names]
    alpha = (1 - criterion.confidence) / 2
    holding = proved(arms, [arm.p_holds for arm in arms], alpha)
    failing, strictly = (
        proved(arms, [arm.p_fails for arm in arms], level) for level in (alpha, alpha / family)
    )
    cheaper = [arm for arm in arms if arm.cheaper]
    looks = sum(_inside(criterion, arm) for arm in cheaper)
    verdict = "inconclusive"
    if len(holding) >= claim.least:
        verdict = "supported"
    elif len(cheaper) - len(strictly) < claim.least:
        verdict = "refuted"
    needed = None
    if verdict == "inconclusive" and wanted_power is not None:
        decided = (holding, strictly)
        needed = _needed(claim.least, criterion, arms, decided, family, wanted_power)
    why = _why(claim, criterion, arms, looks, holding, failing)
    if needed is not None:
        why += f"; if these effects and spreads are the true ones, {needed} seeds decide with power {wanted_power:g} each"
    brief = f"{looks} of {len(arms)} arms, {len(holding)} proved"
    counts = {"estimate": looks, "low": len(holding), "high": len(cheaper) - len(failing)}
    left_out = list(dict.fromkeys(run for arm in arms for run in arm.left_out))
    return {
        **{"network": network, "verdict": verdict, "why": why + wording.left_out(left_out)},
        "brief": f"{brief}, {needed} seeds would decide" if needed else brief,
        "metric": f"arms that cost less, {criterion.metric.words} {criterion.words}",
        **{"basis": "tested", "n": _seeds(arms), **counts, "unit": "arms"},
        **{"confidence": criterion.confidence, "margin": criterion.margin},
        **{"needed_n": needed, "detectable": None, "left_out": left_out},
    }


def against(
    criterion: Criterion, network: str, name: str, reference: str, evidence: Evidence
) -> Arm:
    """An arm against the reference at a network, over the seeds in which both finished."""
    compared = (name, reference)
    sample = evidence.sample(network, compared, criterion.metric)
    pairs = pair(sample, compared, criterion.name, criterion.metric, criterion.kind)
    estimate = pairs.estimate(criterion.confidence)
    cost, of_reference = costs(sample.rows, compared)
    p_holds = p_fails = None
    if pairs.left_out:
        p_fails = _worse(network, compared, criterion, evidence)
    elif estimate.mean is not None and estimate.sd:
        limit, side = criterion.region.low, 1
        if math.isinf(limit):
            limit, side = criterion.region.high, -1
        t = side * (estimate.mean - limit) / (estimate.sd / math.sqrt(estimate.n))
        p_holds, p_fails = (float(of(t, estimate.n - 1)) for of in (stats.t.sf, stats.t.cdf))
    cheaper = cost < of_reference * (1 - ALIKE)
    guessed = is_guess(estimate, pairs.raised, pairs.least_sd)
    return Arm(name, cheaper, estimate, guessed, pairs.left_out, p_holds, p_fails)


def _worse(
    network: str, arms: tuple[str, str], criterion: Criterion, evidence: Evidence
) -> float | None:
    """p of a sign test that the first arm isn't the one that diverges; None where nothing says so."""
    first, second = (evidence.diverged(network, arm) for arm in arms)
    alone, other = len(first - second), len(second - first)
    if criterion.name != evidence.main or alone <= other:
        return None
    return statistics.sign_test(alone, alone + other)


def proved(arms: list[Arm], p: Sequence[float | None], level: float) -> list[str]:
    """The arms, of those that cost less, of which a test says it at a level that is corrected for all of them."""
    tested = [(arm.name, value) for arm, value in zip(arms, p, strict=True) if arm.cheaper]
    corrected = holm([value for _, value in tested])
    return [
        name
        for (name, _), value in zip(tested, corrected, strict=True)
        if value is not None and value <= level
    ]


def _inside(criterion: Criterion, arm: Arm) -> bool:
    mean = arm.estimate.mean
    return mean is not None and criterion.region.holds(mean, mean)


def _needed(
    least: int,
    criterion: Criterion,
    arms: list[Arm],
    decided: tuple[list[str], list[str]],
    family: int,
    wanted_power: float,
) -> int | None:
    """Seeds with which the claim would be decided on the side to which the means point; None if none would do, or a spread
    is only a guess.

    `decided` are the names of those of which it is proved that they hold, and that they fail.
    """
    cheaper = [arm for arm in arms if arm.cheaper]
    undecided = [arm for arm in cheaper if arm.name not in (*decided[0], *decided[1])]
    if any(arm.left_out or arm.guessed for arm in undecided):
        return None
    positive = sum(_inside(criterion, arm) for arm in cheaper) >= least
    short = least - len(decided[0])
    if not positive:
        short = len(cheaper) - len(decided[1]) - least + 1
    level = 1 - (1 - criterion.confidence) / len(cheaper) / (1 if positive else family)
    counts = [
        statistics.needed_n(arm.estimate, criterion.region, level, wanted_power)
        for arm in undecided
        if _inside(criterion, arm) == positive
    ]
    known = sorted(count for count in counts if count is not None)
    return known[short - 1] if len(known) >= short else None


def _why(
    claim: SeveralNonInferior,
    criterion: Criterion,
    arms: list[Arm],
    looks: int,
    holding: list[str],
    failing: list[str],
) -> str:
    """What was counted, as a clause."""
    reference, than = claim.arms[-1], "over" if criterion.kind == "ratio" else "minus"
    tests = sum(arm.cheaper for arm in arms)
    dear = [arm.name for arm in arms if not arm.cheaper]
    told = (
        f"over {_seeds(arms)} seeds {looks} of {len(arms)} arms cost less than {reference} and have by their means a "
        f"{criterion.metric.words} {than} that of {reference} of {criterion.words}; with Holm's correction over {tests} "
        f"tests this is proved of {_listed(holding)} and its opposite of {_listed(failing)}"
    )
    told += f"; not cheaper: {', '.join(dear)}" if dear else ""
    return f"{told}; at least {claim.least} are claimed"


def _seeds(arms: list[Arm]) -> int:
    """Those of the arm that has fewest."""
    return min(arm.estimate.n for arm in arms)


def _listed(names: list[str]) -> str:
    return f"{len(names)} ({', '.join(names)})" if names else "none"
