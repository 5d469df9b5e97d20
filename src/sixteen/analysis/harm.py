"""Which classes 16 bits harm or help: per-class accuracy, arm minus reference.

Paired by seed, with a t interval and the two-sided paired t test of each class against no difference (not of
the classes against each other); Holm's correction is over the classes of one arm at one network.
"""

from typing import Any

from sixteen.analysis.pairs import Row
from sixteen.analysis.statistics import holm, paired_difference, two_sided_p

HARM = ("network", "arm", "reference", "class", "n", "mean", "sd", "low", "high", "p", "p_holm")

ByClass = dict[tuple[int, str], float]  # accuracy by seed and class


def harm(
    runs: list[Row], per_class: list[dict[str, Any]], confidence: float
) -> list[dict[str, Any]]:
    """The rows of harm.csv from those of runs.csv and of per_class.csv (text); shares, not %.

    `n` counts the seeds that finished in both arms. Classes without test items have n = 0.
    """
    accuracy = _accuracy(runs, per_class)
    reference = runs[0]["arm"]
    rows = []
    for network, arm in dict.fromkeys((run["network"], run["arm"]) for run in runs):
        if arm == reference:
            continue
        classes = dict.fromkeys(row["class"] for row in per_class if row["network"] == network)
        first, second = (accuracy.get((network, name), {}) for name in (arm, reference))
        estimates = []
        for name in classes:
            common = [key for key in first if key[1] == name and key in second]
            pairs = [first[key] for key in common], [second[key] for key in common]
            estimates.append(paired_difference(*pairs, confidence))
        p = [two_sided_p(estimate) for estimate in estimates]
        head = {"network": network, "arm": arm, "reference": reference}
        rows += [
            {**head, "class": name, **vars(estimate), "p": raw, "p_holm": corrected}
            for name, estimate, raw, corrected in zip(classes, estimates, p, holm(p), strict=True)
        ]
    return rows


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
