"""Which settings matter: effects of a two-level factorial over arms, by seed.

An effect is estimated in each seed from all arms at once, so that seeds are its pairs; the interval and the
two-sided t test are over seeds, Holm's correction over the effects on one metric at one network.
"""

from typing import Any

from sixteen.analysis.design import effects_of
from sixteen.analysis.metrics import Run
from sixteen.analysis.statistics import holm, t_interval, two_sided_p

EFFECTS = ("network", "metric", "effect", "kind", "n", "mean", "sd", "low", "high", "p", "p_holm")
# Accuracy saturates where all arms do well; the loss doesn't.
METRICS = ("accuracy", "loss", "epoch_sd", "loss_sd", "gradient_error", "lost_updates")


def effects(
    runs: list[Run], settings: dict[str, dict[str, Any]], confidence: float
) -> list[dict[str, Any]]:
    """The rows of effects.csv; differences of means, in the metric's own numbers (shares, nats).

    A seed counts if all arms of the design finished and have the metric, and ``n`` says how many do.
    Raises UserError if the arms aren't a balanced, orthogonal design.
    """
    contrasts = effects_of(settings)
    rows = []
    for network in dict.fromkeys(run["network"] for run in runs):
        finished = {
            (run["arm"], run["seed"]): run
            for run in runs
            if run["network"] == network and run["outcome"] != "diverged"
        }
        seeds = dict.fromkeys(run["seed"] for run in runs if run["network"] == network)
        for metric in METRICS:
            values = []
            for seed in seeds:
                by_arm = [finished.get((arm, seed), {}).get(metric) for arm in settings]
                if None not in by_arm:
                    values.append(by_arm)
            estimates = [
                t_interval([_contrast(effect.signs, by_arm) for by_arm in values], confidence)
                for effect in contrasts
            ]
            p = [two_sided_p(estimate) for estimate in estimates]
            rows += [
                {"network": network, "metric": metric, "effect": effect.name, "kind": effect.kind}
                | {**vars(estimate), "p": raw, "p_holm": corrected}
                for effect, estimate, raw, corrected in zip(
                    contrasts, estimates, p, holm(p), strict=True
                )
            ]
    return rows


def _contrast(signs: tuple[int, ...], by_arm: list[float]) -> float:
    """Mean at +1 minus mean at -1, of as many arms each."""
    return 2 * sum(sign * value for sign, value in zip(signs, by_arm, strict=True)) / len(signs)
