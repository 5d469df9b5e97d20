"""What a study says about a paper's claims: supported, refuted or inconclusive, and why.

Each claim compares two arms over paired seeds of runs that finished; the test and its numbers come from
params.yaml. A claim about several networks is supported if it is at each of them, and refuted if it is
at any, tested at the level divided by the number of tests (Bonferroni). Too few seeds are inconclusive.
"""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sixteen.analysis import statistics
from sixteen.analysis.metrics import METRICS, pair
from sixteen.analysis.statistics import Estimate, Region
from sixteen.errors import UserError


@dataclass(frozen=True)
class Evidence:
    """What a study measured: the frames of runs.csv and quantization.csv, and layers by network.

    ``levels`` holds the ``confidence`` of intervals, the ``alpha`` of tests and the ``power`` wanted.
    """

    runs: pd.DataFrame
    quantization: pd.DataFrame
    layers: dict[str, int]
    levels: dict[str, float]


@dataclass(frozen=True)
class Test:
    """One comparison: of which metric, on which scale, and for which effects the claim holds.

    ``region`` is in the metric's own numbers, of logarithms for a ratio; ``margin`` is the number that
    the claim names, in the unit that is shown, and ``words`` say the region in that unit.
    """

    metric: str
    kind: str
    region: Region
    confidence: float
    margin: float
    words: str

    @property
    def unit(self) -> str:
        """Unit in which estimates are shown."""
        return "ratio" if self.kind == "ratio" else METRICS[self.metric].unit

    def shown(self, value: float) -> float:
        """A mean or an end of an interval in the unit that is shown."""
        return math.exp(value) if self.kind == "ratio" else value * METRICS[self.metric].scale


def judge(claim: dict[str, Any], evidence: Evidence) -> dict[str, Any]:
    """The verdict on one claim, with one on each network; see `Verdicts` in the README for the fields.

    Raises UserError if the claim names an arm, a metric or a test that doesn't exist.
    """
    networks = list(evidence.runs["network"].unique())
    absent = sorted(set(claim["arms"]) - set(evidence.runs["arm"]))
    if absent:
        raise UserError(
            f"expected arms of the study in claim {claim['id']!r}, came {absent[0]!r}; choose from "
            f"{', '.join(evidence.runs['arm'].unique())}"
        )
    head = {name: claim[name] for name in ("id", "says", "source")}
    only = claim.get("only")
    if only is not None and only not in networks:
        deepest = max(networks, key=lambda network: evidence.layers[network])
        shown = _judge_network(claim, deepest, evidence, tests=1)
        why = (
            f"This study holds no {only} (it holds {', '.join(networks)}), so it can't decide; the same "
            f"comparison at its deepest network, {deepest}, is given for information."
        )
        nothing = {"n": 0, "estimate": None, "low": None, "high": None, "needed_n": None}
        verdict = {**shown, **nothing, "network": only, "verdict": "inconclusive", "why": why}
        return {**head, **verdict, "per_network": [shown]}
    considered = networks if only is None else [only]
    per_network = [_judge_network(claim, network, evidence, tests=1) for network in considered]
    if len(considered) == 1:
        overall = {**per_network[0], "network": only or "all"}
    else:
        family = [_judge_network(claim, name, evidence, len(considered)) for name in considered]
        overall = _unite(family)
    return {**head, **overall, "per_network": per_network}


def tests_of(claim: dict[str, Any], levels: dict[str, float]) -> list[Test]:
    """The comparisons that all have to hold for a claim; the last is the one whose numbers are shown."""
    kind = claim["test"]
    two_sided, one_sided = levels["confidence"], 1 - 2 * levels["alpha"]
    if kind == "starts_lower_ends_equal":
        start = {**claim, "test": "less", "metric": claim["start_metric"]}
        return tests_of(start, levels) + tests_of({**claim, "test": "equivalence"}, levels)
    metric = claim["metric"]
    if metric not in METRICS:
        raise UserError(
            f"expected a metric in claim {claim['id']!r}, came {metric!r}; choose from "
            f"{', '.join(METRICS)}"
        )
    unit, scale = METRICS[metric].unit, METRICS[metric].scale
    if kind == "equivalence":
        margin = claim["margin"]
        region = Region(-margin, margin, closed=True)
        words = f"within ±{_number(margin * scale)} {unit}"
        return [Test(metric, "difference", region, one_sided, margin * scale, words)]
    if kind == "greater":
        return [Test(metric, "difference", Region(0, math.inf, False), one_sided, 0, "above 0")]
    if kind == "less":
        return [Test(metric, "difference", Region(-math.inf, 0, False), one_sided, 0, "below 0")]
    if kind == "ratio_at_most":
        value = claim["value"]
        region = Region(-math.inf, math.log(value), closed=True)
        return [Test(metric, "ratio", region, two_sided, value, f"at most {_number(value)}")]
    if kind == "ratio_greater":
        return [Test(metric, "ratio", Region(0, math.inf, False), two_sided, 1, "above 1")]
    raise UserError(
        f"expected a test in claim {claim['id']!r}, came {kind!r}; choose from equivalence, greater, "
        "less, ratio_at_most, ratio_greater, bounded, starts_lower_ends_equal"
    )


def _judge_network(
    claim: dict[str, Any], network: str, evidence: Evidence, networks: int
) -> dict[str, Any]:
    """The verdict at one network, of ``networks`` that could each refute the claim."""
    if claim["test"] == "bounded":
        return _judge_bound(claim, network, evidence)
    tests = tests_of(claim, evidence.levels)
    family = networks * len(tests)
    parts = [_compare(test, network, claim["arms"], evidence, family) for test in tests]
    verdict = _conclude([part["verdict"] for part in parts])
    return {
        **parts[-1],
        "network": network,
        "verdict": verdict,
        "why": "; ".join(part["why"] for part in parts) + ".",
        "needed_n": _needed(verdict, parts),
        "hardware_note": _hardware_note(claim, network, evidence),
    }


def _compare(
    test: Test, network: str, arms: list[str], evidence: Evidence, family: int
) -> dict[str, Any]:
    """One test at one network; refutes at the level divided by ``family``, the tests at once."""
    strict = 1 - (1 - test.confidence) / family
    pairs = pair(evidence.runs, network, arms, test.metric, test.kind)
    compare = (
        statistics.paired_log_ratio if test.kind == "ratio" else statistics.paired_difference
    )
    estimate = compare(pairs.first, pairs.second, test.confidence)
    verdict = statistics.decide(estimate, test.region)
    lenient = verdict == "refuted"
    if lenient:
        verdict = statistics.decide(compare(pairs.first, pairs.second, strict), test.region)
    needed = None
    if estimate.n < 2:
        needed = 2
    elif verdict == "inconclusive":
        level = strict if lenient else test.confidence
        needed = statistics.needed_n(
            estimate.mean, estimate.sd, test.region, level, evidence.levels["power"]
        )
    why = _say(test, arms, estimate, test.region)
    if verdict == "inconclusive":
        if lenient:
            why += f", but not so at the level that {family} tests at once ask for (Bonferroni)"
        why += _say_needed(estimate, needed, evidence.levels["power"])
    if pairs.left_out:
        why += f"; not counted: {', '.join(pairs.left_out)}"
    shown = {
        name: None if value is None else test.shown(value)
        for name, value in (
            ("estimate", estimate.mean),
            ("low", estimate.low),
            ("high", estimate.high),
        )
    }
    return {
        "network": network,
        "verdict": verdict,
        "why": why,
        "n": estimate.n,
        **shown,
        "confidence": test.confidence,
        "margin": test.margin,
        "unit": test.unit,
        "needed_n": needed,
    }
