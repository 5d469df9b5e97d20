"""The least that could have been seen: by the t test, at the n and the standard deviation of an estimate.

Where nothing was found, this says how much may be there all the same. The test is one-sided at `alpha`; a two-sided one
at twice that, of which an effect in one direction is looked for, is the same. Its power is that of the noncentral t
distribution (Cohen 1988, Statistical Power Analysis, chapter 2), if the standard deviation of the estimate is the true
one: of three seeds it is a rough guess itself.
"""

import math

from scipy import optimize, stats

from sixteen.analysis.statistics import Estimate


def least_significant(estimate: Estimate, alpha: float) -> float | None:
    """The least distance of the mean from the limit that is significant; None without a standard deviation."""
    if not estimate.sd:
        return None
    return _critical(estimate.n, alpha) * estimate.sd / math.sqrt(estimate.n)


def least_seen(estimate: Estimate, alpha: float, power: float) -> float | None:
    """The least true distance from the limit that is significant with this power; None without a standard deviation.

    `power` is above `alpha`.
    """
    if not estimate.sd:
        return None
    critical, freedom = _critical(estimate.n, alpha), estimate.n - 1

    def excess(shift: float) -> float:
        return float(stats.nct.sf(critical, freedom, shift)) - power

    most = 1.0
    while excess(most) < 0:
        most *= 2
    shift = float(optimize.brentq(excess, 0.0, most))
    return shift * estimate.sd / math.sqrt(estimate.n)


def _critical(n: int, alpha: float) -> float:
    return float(stats.t.isf(alpha, n - 1))
