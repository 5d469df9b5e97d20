"""What several arms of a network say together, as one number a seed: a rank correlation, a slope, a difference of effects.

Seeds are the sample: runs of one seed share weights and batches, and arms are what they are, not drawn from more of
them. What is found holds for these arms.
"""

import math
from dataclasses import dataclass
from typing import Any

from scipy import stats

from sixteen.analysis import statistics
from sixteen.analysis.pairs import Row, Sample, complete, item
from sixteen.analysis.statistics import Estimate
from sixteen.study.claim import EqualEffects, RankCorrelation, Trend, place
from sixteen.tasks.measured.parts.metric import Kind, Metric

COST = "bit_cost"


@dataclass(frozen=True)
class Contrast:
    """One number a seed [n], and in words the runs for which seeds had to be left out.

    `least_sd` is the spread that it has even where seeds agree: it comes in steps, of which `step` says what one is.
    """

    values: list[float]
    left_out: list[str]
    least_sd: float
    step: str

    raised = 0  # none of the values is a substitute, see Pairs

    def estimate(self, confidence: float) -> Estimate:
        """The mean over seeds with its interval."""
        return statistics.t_interval(self.values, confidence, self.least_sd)


def rank_correlation(
    claim: RankCorrelation, sample: Sample, arms: tuple[str, ...], metric: Metric
) -> Contrast:
    """Kendall's tau-b between the cost in bit operations and a metric over `arms`, in each seed.

    Tau-b since costs are equal where schedules are mirror images of each other (Kendall 1945, Biometrika 33:239). It
    moves by 2 / pairs where two neighbours change places, which is the least spread that is believed. A seed in which
    all arms are alike has no ranks.
    """
    found, left_out = complete(sample, arms, claim.metric, metric, "difference")
    cost = costs(sample.rows, arms)
    values = []
    for seed, of in found.items():
        tau = float(stats.kendalltau(cost, of).statistic)
        if math.isnan(tau):
            left_out.append(f"seed {seed} (all arms alike, so that there are no ranks)")
        else:
            values.append(tau)
    return Contrast(values, left_out, 2 / math.comb(len(arms), 2), "two arms that change places")


def trend(claim: Trend, sample: Sample, arms: tuple[str, ...], metric: Metric) -> Contrast:
    """The least-squares slope of a metric, or of its logarithm where it is compared by ratio, in each seed.

    What comes in whole test items has their spread at least, as a difference of two arms has: an accuracy is rounded to
    them, and the slope is a weighted sum of accuracies.
    """
    found, left_out = complete(sample, arms, claim.metric, metric, metric.kind)
    at = [place(claim.series, arm) or 0.0 for arm in arms]
    middle = sum(at) / len(at)
    squares = sum((x - middle) ** 2 for x in at)
    counted = (metric.spread, metric.kind) == ("items", "difference")
    one = max(map(item, sample.rows), default=0.0) if counted else 0.0
    values = slopes(list(found.values()), at, metric.kind)
    return Contrast(values, left_out, one / math.sqrt(2 * squares), "a test item")


def equal_effects(
    claim: EqualEffects, sample: Sample, arms: tuple[str, ...], metric: Metric
) -> Contrast:
    """How far the first arm's distance from the second is from the third's to the fourth, in each seed.

    What comes in whole test items has the spread of four of them at least: twice the variance of a difference of two.
    """
    found, left_out = complete(sample, arms, claim.metric, metric, "difference")
    one = max(map(item, sample.rows), default=0.0) if metric.spread == "items" else 0.0
    values = [(a - b) - (c - d) for a, b, c, d in found.values()]
    return Contrast(values, left_out, math.sqrt(2) * one, "a test item")


def slopes(found: list[list[float]], at: list[float], kind: Kind) -> list[float]:
    """The least-squares slope of the values of each seed, or of their logarithms, over the places `at`."""
    middle = sum(at) / len(at)
    squares = sum((x - middle) ** 2 for x in at)
    scaled = math.log if kind == "ratio" else float
    return [
        sum((x - middle) / squares * scaled(value) for x, value in zip(at, of, strict=True))
        for of in found
    ]


def costs(rows: list[Row], arms: tuple[str, ...]) -> list[float]:
    """The cost in bit operations of each arm, which is the same for all its runs."""
    by_arm: dict[Any, float] = {row["arm"]: row[COST] for row in rows}
    return [by_arm[arm] for arm in arms]
