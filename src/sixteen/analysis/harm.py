"""Which classes 16 bits harm or help: per-class accuracy, arm minus reference.

Paired by seed, with a t interval and the two-sided paired t test of each class against no difference (not of
the classes against each other); Holm's correction is over the classes of one arm at one network. Seeds are what
is sampled: images of one seed share a network, so that counts pooled over seeds (McNemar's test) would take for luck of
single images what a training does to a whole class, and signs alone can't be significant with few seeds. Accuracies
of a class come in steps of one image: a smaller standard deviation isn't believed, see `t_interval`, so that a
class which loses the same in all seeds is tested too.
"""

from typing import Any

from sixteen.analysis.detectable import least_seen, least_significant
from sixteen.analysis.pairs import Row
from sixteen.analysis.statistics import Estimate, holm, paired_difference, two_sided_p
from sixteen.study.claim import Levels

HARM = (
    *("network", "arm", "reference", "class", "n", "mean", "sd", "low", "high", "p", "p_holm"),
    *("floored", "least_significant", "least_seen"),
)

ByClass = dict[tuple[int, str], float]  # accuracy by seed and class


def harm(runs: list[Row], per_class: list[dict[str, Any]], levels: Levels) -> list[dict[str, Any]]:
    """The rows of harm.csv from those of runs.csv and of per_class.csv (text); shares, not %.

    `n` counts the seeds that finished in both arms, `floored` says that `sd` is that of one image.
    `least_significant` is the least difference that this test could call significant, for one class that alone differs
    (the first step of Holm: alpha over the number of classes); `least_seen` the least true one that it finds with the
    power of `levels`. Both are at this `sd`. Classes without test items have n = 0.
    """
    accuracy, sizes = _accuracy(runs, per_class), _sizes(per_class)
    reference = runs[0]["arm"]
    rows = []
    for network, arm in dict.fromkeys((run["network"], run["arm"]) for run in runs):
        classes = dict.fromkeys(row["class"] for row in per_class if row["network"] == network)
        if arm == reference or not classes:  # a task may know none
            continue
        first, second = (accuracy.get((network, name), {}) for name in (arm, reference))
        head = {"network": network, "arm": arm, "reference": reference}
        steps = [1 / sizes[name] if sizes[name] else 0.0 for name in classes]
        estimates = [
            _difference(first, second, name, levels.confidence, step)
            for name, step in zip(classes, steps, strict=True)
        ]
        p = [two_sided_p(estimate) for estimate in estimates]
        alone = levels.alpha / len(classes) / 2  # in one direction
        rows += [
            {**head, "class": name, **vars(estimate), "p": raw, "p_holm": corrected}
            | {"floored": estimate.sd == step if estimate.sd else None}
            | {"least_significant": least_significant(estimate, alone)}
            | {"least_seen": least_seen(estimate, alone, levels.power)}
            for name, estimate, step, raw, corrected in zip(
                classes, estimates, steps, p, holm(p), strict=True
            )
        ]
    return rows


def _difference(
    first: ByClass, second: ByClass, name: str, confidence: float, step: float
) -> Estimate:
    """Of the accuracy of a class, over the seeds that both have."""
    common = [key for key in first if key[1] == name and key in second]
    pairs = [first[key] for key in common], [second[key] for key in common]
    return paired_difference(*pairs, confidence, step)


def _sizes(per_class: list[dict[str, Any]]) -> dict[str, int]:
    """Test items of each class."""
    return {row["class"]: int(row["n"]) for row in per_class}


def _accuracy(runs: list[Row], per_class: list[dict[str, Any]]) -> dict[tuple[str, str], ByClass]:
    """The accuracies of runs that finished, by network and arm."""
    finished = {
        (run["network"], run["arm"], run["seed"]) for run in runs if run["outcome"] != "diverged"
    }
    accuracy: dict[tuple[str, str], ByClass] = {}
    for row in per_class:
        if row["accuracy"] != "" and (row["network"], row["arm"], row["seed"]) in finished:
            measured = accuracy.setdefault((row["network"], row["arm"]), {})
            measured[row["seed"], row["class"]] = float(row["accuracy"])
    return accuracy
