"""Which settings matter: effects of a two-level factorial over arms, by seed.

An effect is estimated in each seed from all arms at once, so that seeds are its pairs; the interval and the
two-sided t test are over seeds, Holm's correction over the effects on one metric at one network. Metrics that
are compared by their ratio have effects that multiply: they are added up as logarithms.
"""

import math
from collections.abc import Mapping
from typing import Any

from sixteen.analysis.pairs import Row, item, value_of
from sixteen.analysis.statistics import Estimate, exponential, holm, t_interval, two_sided_p
from sixteen.study.design import Effect, effects_of
from sixteen.tasks.measured.parts.metric import Metric

EFFECTS = (
    *("network", "metric", "effect", "kind", "scale"),
    *("n", "mean", "sd", "low", "high", "p", "p_holm"),
)
# Accuracy saturates where all arms do well; the loss doesn't.
MEASURED = (
    *("accuracy", "loss", "epoch_sd", "loss_sd"),
    *("gradient_error", "underflowed_gradients", "lost_updates", "update_error"),
)


def effects(
    runs: list[Row],
    settings: dict[str, dict[str, Any]],
    metrics: Mapping[str, Metric],
    confidence: float,
) -> list[dict[str, Any]]:
    """The rows of effects.csv; differences of means, in the metric's own numbers (shares, nats), or factors.

    `scale` says which: `difference` or `ratio` (the sd is then that of logarithms). A seed counts if all
    arms of the design finished and have the metric, and `n` says how many do. Raises UserError if the arms
    aren't a balanced, orthogonal design.
    """
    contrasts, arms = effects_of(settings), list(settings)
    rows = []
    for network in dict.fromkeys(run["network"] for run in runs):
        mine = [run for run in runs if run["network"] == network]
        main = next(iter(metrics))
        for name in [name for name in dict.fromkeys((main, *MEASURED)) if name in metrics]:
            metric = metrics[name]
            estimates = _estimates(mine, arms, contrasts, name, metric, confidence)
            p = [two_sided_p(estimate) for estimate in estimates]
            rows += [
                {"network": network, "metric": name, "effect": effect.name, "kind": effect.kind}
                | {"scale": metric.kind, **vars(_shown(estimate, metric))}
                | {"p": raw, "p_holm": corrected}
                for effect, estimate, raw, corrected in zip(
                    contrasts, estimates, p, holm(p), strict=True
                )
            ]
    return rows


def _estimates(
    runs: list[Row],
    arms: list[str],
    contrasts: list[Effect],
    name: str,
    metric: Metric,
    confidence: float,
) -> list[Estimate]:
    """Each effect on a metric at one network, over seeds."""
    values = _by_seed(runs, arms, name, metric)
    # Each arm adds 2 / arms of itself; the difference of two arms would vary by an item.
    counted = metric.spread == "items" and metric.kind == "difference"
    least_sd = max(map(item, runs)) * math.sqrt(2 / len(arms)) if counted else 0.0
    return [
        t_interval([_contrast(effect.signs, by_arm) for by_arm in values], confidence, least_sd)
        for effect in contrasts
    ]


def _by_seed(runs: list[Row], arms: list[str], name: str, metric: Metric) -> list[list[float]]:
    """The metric of all arms, as logarithms for a ratio, for each seed that has it of all."""
    found: dict[Any, dict[str, float]] = {}
    ratio = metric.kind == "ratio"
    for run in runs:
        value = None if run["outcome"] == "diverged" else value_of(run, name, metric)
        if value is not None and (value > 0 or not ratio):
            found.setdefault(run["seed"], {})[run["arm"]] = math.log(value) if ratio else value
    return [[by[arm] for arm in arms] for by in found.values() if set(arms) <= set(by)]


def _shown(estimate: Estimate, metric: Metric) -> Estimate:
    return exponential(estimate) if metric.kind == "ratio" else estimate


def _contrast(signs: tuple[int, ...], by_arm: list[float]) -> float:
    """Mean at +1 minus mean at -1, of as many arms each."""
    return 2 * sum(sign * value for sign, value in zip(signs, by_arm, strict=True)) / len(signs)
