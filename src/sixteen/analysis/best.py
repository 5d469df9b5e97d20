"""Which arms of a network the data can't tell from the best of them.

An arm is told from the best if it is worse than some other arm: one-sided paired t tests over seeds against every
other one, each at the level of all of them (Bonferroni). The truly best arm is worse than none, so that it is among those
that are left with a probability of 1 - alpha at least, whichever arm looks best: a subset selection in the sense of
Gupta (1965, Technometrics 7:225).
"""

import math

from scipy import stats

from sixteen.analysis.evidence import Evidence
from sixteen.analysis.pairs import pair


def not_told_from_best(evidence: Evidence, network: str, arms: list[str]) -> list[str]:
    """The arms, in their order, that may be the best by the main metric of the task.

    A pair in which a run diverged tells nothing, since the runs that are left are a selection.
    """
    alpha = evidence.levels.alpha / max(len(arms) - 1, 1)

    def worse(arm: str, other: str) -> bool:
        p = _p_no_worse(evidence, network, (arm, other))
        return p is not None and p <= alpha

    return [arm for arm in arms if not any(worse(arm, other) for other in arms if other != arm)]


def _p_no_worse(evidence: Evidence, network: str, arms: tuple[str, str]) -> float | None:
    """p that the first arm would look so bad if it were no worse than the second."""
    metric = evidence.metrics[evidence.main]
    sample = evidence.sample(network, arms, metric)
    pairs = pair(sample, arms, evidence.main, metric, metric.kind)
    estimate = pairs.estimate(1 - evidence.levels.alpha)
    if pairs.left_out or estimate.mean is None or not estimate.sd:
        return None
    side = 1 if metric.better == "more" else -1
    t = side * estimate.mean / (estimate.sd / math.sqrt(estimate.n))
    return float(stats.t.cdf(t, estimate.n - 1))
