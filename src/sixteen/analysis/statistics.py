"""Small-sample statistics of paired runs: intervals, decisions by interval, and how many seeds would do.

Two runs are paired when they share the seed, hence the start and the order of the data. Every test here
is read off one t interval: a claim names a region of effects, and holds when the interval lies inside
it. With an interval of confidence 1 - 2 alpha this is, for a bounded region, the two one-sided tests
procedure (TOST; Schuirmann 1987, J. Pharmacokinet. Biopharm. 15:657; Lakens 2017, doi:10.1177/
1948550617697177), and for a half-line the one-sided paired t test, each at level alpha.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import integrate, special, stats

LARGEST_N = 10_000  # seeds; more than anyone will train
LARGEST_LOG = math.log(sys.float_info.max)


@dataclass(frozen=True)
class Estimate:
    """Mean of ``n`` values with standard deviation and t interval; None where n is too small."""

    n: int
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Region:
    """The effects for which a claim holds: from ``low`` to ``high``, either may be infinite.

    ``closed`` says whether the ends belong to it ("at most" is closed, "greater" is open).
    """

    low: float
    high: float
    closed: bool

    def holds(self, low: float, high: float) -> bool:
        """Whether all of an interval lies in the region."""
        if self.closed:
            return self.low <= low and high <= self.high
        return self.low < low and high < self.high

    def excludes(self, low: float, high: float) -> bool:
        """Whether none of an interval lies in the region."""
        if self.closed:
            return high < self.low or low > self.high
        return high <= self.low or low >= self.high


def t_interval(values: Sequence[float], confidence: float, least_sd: float = 0.0) -> Estimate:
    """Mean of values [n] and its two-sided Student t interval; sd 0 gives an interval of no width.

    ``least_sd`` is the standard deviation below which a smaller one of the sample isn't believed: that of
    values which come in steps.
    """
    n = len(values)
    if n < 2:
        return Estimate(n, values[0] if n else None, None, None, None)
    # No spread but that of rounding.
    alike = math.isclose(min(values), max(values), rel_tol=1e-9, abs_tol=1e-12)
    if alike and not least_sd:
        return Estimate(n, values[0], 0.0, values[0], values[0])
    mean, sd = float(np.mean(values)), max(float(np.std(values, ddof=1)), least_sd)
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * sd / math.sqrt(n)
    return Estimate(n, mean, sd, mean - half, mean + half)


def interval_within(
    values: Sequence[float], confidence: float, ends: tuple[float, float] | None
) -> Estimate:
    """Mean of values [n] which can't lie beyond two ends, with an interval that doesn't either.

    For shares (ends 0 and 1) a t interval of the mean on the scale of log odds: log(m / (1 - m)) plus or minus t times
    the standard error over m (1 - m), taken back. Seeds are the sample, so that what differs from seed to seed is in it,
    and not the number of test items alone (the logit interval of Brown, Cai and DasGupta 2001, Statist. Sci. 16:101,
    section 4.2, with the standard error and degrees of freedom of a sample of clusters, as ``svyciprop`` of R's package
    survey has it by method "xlogit"). For cosines (ends -1 and 1) the same is Fisher's z (1921, Metron 1:3). Without ends
    the plain t interval. What rounding has put beyond an end counts as on it.
    """
    if ends is None:
        return t_interval(values, confidence)
    low, high = ends
    plain = t_interval([min(max(value, low), high) for value in values], confidence)
    if plain.mean is None or plain.high is None or not plain.sd:
        return plain
    below, above = plain.mean - low, high - plain.mean
    half = (plain.high - plain.mean) * (high - low) / (below * above)
    first, last = (
        low + (high - low) * float(special.expit(math.log(below / above) + shift))
        for shift in (-half, half)
    )
    return Estimate(plain.n, plain.mean, plain.sd, first, last)


def paired_difference(
    first: Sequence[float], second: Sequence[float], confidence: float, least_sd: float = 0.0
) -> Estimate:
    """Mean of first - second over pairs [n], with its t interval."""
    return t_interval([a - b for a, b in zip(first, second, strict=True)], confidence, least_sd)


def paired_log_ratio(
    first: Sequence[float], second: Sequence[float], confidence: float, least_sd: float = 0.0
) -> Estimate:
    """Mean of log(first / second) over pairs [n] of positive numbers, with its t interval."""
    logarithms = [math.log(a / b) for a, b in zip(first, second, strict=True)]
    return t_interval(logarithms, confidence, least_sd)


def two_sided_p(estimate: Estimate) -> float | None:
    """p of the t test that the mean of the estimated values is 0.

    For paired differences this is the paired t test. None without spread: seeds that all agree, as those
    of an accuracy in steps of one image can by chance, show none to test against.
    """
    if estimate.mean is None or not estimate.sd:
        return None
    t = abs(estimate.mean) / (estimate.sd / math.sqrt(estimate.n))
    return 2 * float(stats.t.sf(t, estimate.n - 1))


def sign_test(most: int, n: int) -> float:
    """One-sided p that of n seeds so many, or more, fall on one side, if both sides are as likely."""
    return float(stats.binom.sf(most - 1, n, 0.5))


def holm(p: Sequence[float | None]) -> list[float | None]:
    """p values corrected for being a family (Holm 1979, Scand. J. Statist. 6:65), in their order.

    What has no p counts in the family, as a test that rejects nothing, and stays None.
    """
    corrected: list[float | None] = [None] * len(p)
    tested = sorted((value, i) for i, value in enumerate(p) if value is not None)
    largest = 0.0
    for rank, (value, i) in enumerate(tested):
        largest = max(largest, min(1.0, (len(p) - rank) * value))
        corrected[i] = largest
    return corrected


def exponential(estimate: Estimate) -> Estimate:
    """Back from logarithms: geometric mean ratio and its interval; ``sd`` stays that of the logs."""
    mean, low, high = (
        None if value is None else ratio_of(value)
        for value in (estimate.mean, estimate.low, estimate.high)
    )
    return Estimate(estimate.n, mean, estimate.sd, low, high)


def ratio_of(logarithm: float) -> float:
    """The ratio of a logarithm; the largest float for an end that none holds, as two seeds that differ much make it."""
    return math.exp(min(logarithm, LARGEST_LOG))


def decide(estimate: Estimate, region: Region) -> str:
    """``supported`` if the interval lies in the region, ``refuted`` if outside, else ``inconclusive``.

    Without an interval (n < 2) nothing is decided. Values without spread decide exactly.
    """
    if estimate.low is None or estimate.high is None:
        return "inconclusive"
    if region.holds(estimate.low, estimate.high):
        return "supported"
    return "refuted" if region.excludes(estimate.low, estimate.high) else "inconclusive"


def power(n: int, mean: float, sd: float, region: Region, confidence: float) -> float:
    """Chance that n normal pairs of this mean and sd decide the claim the way that the mean points.

    If the mean lies in the region: that the interval lies inside (for a bounded region the exact power
    of the TOST, an integral over the distribution of the sample's sd: Phillips 1990, J. Pharmacokinet.
    Biopharm. 18:137). If it lies outside: that the interval excludes the region. Half-lines use the
    noncentral t distribution (Cohen 1988, chapter 2).
    """
    critical = float(stats.t.ppf((1 + confidence) / 2, n - 1))
    error = sd / math.sqrt(n)
    if mean <= region.low or mean >= region.high:  # distance to the nearer end, from outside
        distance = region.low - mean if mean <= region.low else mean - region.high
        return float(stats.nct.sf(critical, n - 1, distance / error))
    if math.isinf(region.low) or math.isinf(region.high):
        distance = min(mean - region.low, region.high - mean)
        return float(stats.nct.sf(critical, n - 1, distance / error))

    def inside(ratio: float) -> float:
        """Density of ratio = sample sd / sd, times the chance that the interval then fits."""
        low = (region.low - mean) / error + critical * ratio
        high = (region.high - mean) / error - critical * ratio
        density = stats.chi.pdf(ratio, n - 1, scale=1 / math.sqrt(n - 1))
        return float(density * (stats.norm.cdf(high) - stats.norm.cdf(low)))

    spread = 8 / math.sqrt(2 * (n - 1))  # beyond 8 of its own deviations a sample sd doesn't stray
    widest = (region.high - region.low) / 2 / error / critical
    start, end = max(0.0, 1 - spread), min(1 + spread, widest)
    return float(integrate.quad(inside, start, end)[0]) if end > start else 0.0


def needed_n(
    estimate: Estimate, region: Region, confidence: float, wanted_power: float
) -> int | None:
    """Fewest pairs that decide with the wanted power, if the estimated mean and sd are the true ones.

    2 for an estimate without sd, since that is the least that gives an interval. None if no number up to
    LARGEST_N is enough: the mean lies (nearly) on an end of the region.
    """
    if estimate.mean is None or estimate.sd is None:
        return 2
    mean, sd = estimate.mean, estimate.sd

    def enough(n: int) -> bool:
        return power(n, mean, sd, region, confidence) >= wanted_power

    low, high = 1, 2
    while not enough(high):
        if high == LARGEST_N:
            return None
        low, high = high, min(high * 2, LARGEST_N)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
