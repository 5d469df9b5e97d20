import numpy as np
import pytest
from made_up import LEVELS
from scipy import stats

from sixteen.analysis.harm import harm

GAINS = {"cat": [0.1, 0.12, 0.09, 0.11], "dog": [0.02, -0.02, 0.01, 0.0], "fox": [0.05] * 4}


def measured(gains: dict[str, list[float]]) -> tuple[list[dict], list[dict]]:
    """Runs and per-class accuracies, as text, of float16 above float32 by these numbers a seed."""
    runs, rows = [], []
    for arm in ("float32", "float16"):
        for seed in range(len(next(iter(gains.values())))):
            run = {"network": "resnet8", "arm": arm, "seed": seed}
            runs.append({**run, "outcome": "finished"})
            for name, values in gains.items():
                accuracy = 0.6 + seed / 16 + (values[seed] if arm == "float16" else 0)
                rows.append({**run, "class": name, "n": "100", "accuracy": str(accuracy)})
    return runs, rows


def test_each_class_is_tested_by_seed_and_corrected_for_all() -> None:
    rows = {row["class"]: row for row in harm(*measured(GAINS), LEVELS)}
    assert list(rows) == ["cat", "dog", "fox"]
    for name in ("cat", "dog"):
        expected = stats.ttest_1samp(GAINS[name], 0)
        interval = expected.confidence_interval(0.95)
        row = rows[name]
        assert row["p"] == pytest.approx(expected.pvalue)
        assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert rows["cat"]["p_holm"] == pytest.approx(3 * rows["cat"]["p"])
    assert rows["fox"]["p_holm"] == pytest.approx(2 * rows["fox"]["p"])
    assert rows["dog"]["p_holm"] == pytest.approx(rows["dog"]["p"])


def test_a_class_that_changes_alike_in_all_seeds_is_tested_with_the_spread_of_an_image() -> None:
    row = harm(*measured(GAINS), LEVELS)[2]
    assert (row["n"], row["sd"], row["floored"]) == (4, 0.01, True)  # of 100 images
    assert row["mean"] == pytest.approx(0.05)
    assert row["p"] == pytest.approx(2 * stats.t.sf(0.05 / (0.01 / 2), 3))
    lost = harm(*measured({"fox": [-0.2] * 3, "cat": [0.0] * 3}), LEVELS)
    assert lost[0]["p_holm"] < 0.05 < lost[1]["p_holm"] == pytest.approx(1)


def test_what_could_be_significant_and_what_could_be_seen_is_told() -> None:
    """The least that is significant is just significant, for a class that alone differs."""
    rows = harm(*measured(GAINS), LEVELS)
    for row in rows:
        assert row["floored"] == (row["sd"] == 0.01)
        t = row["least_significant"] / (row["sd"] / row["n"] ** 0.5)
        assert len(rows) * 2 * stats.t.sf(t, row["n"] - 1) == pytest.approx(0.05)
    draw = np.random.default_rng(0)
    row = rows[0]
    seen = draw.normal(row["least_seen"], row["sd"], (20_000, row["n"]))
    p = stats.ttest_1samp(seen, 0, axis=1).pvalue
    assert (p < 0.05 / len(rows)).mean() == pytest.approx(0.8, abs=0.01)
    assert row["least_significant"] < row["least_seen"]


def test_arms_that_are_alike_are_seldom_called_harmful() -> None:
    """Also where each training favours some classes; counts pooled over seeds would err in a quarter of studies."""
    draw = np.random.default_rng(1)
    studies, errors = 200, 0
    for _ in range(studies):
        likely = 1 / (1 + np.exp(-draw.normal(2.2, 1, 10)))
        shift = 1 / (1 + np.exp(-draw.normal(0, 0.5, (2, 3, 10))))
        odds = likely / (1 - likely) * shift / (1 - shift)
        shares = draw.binomial(36, odds / (1 + odds)) / 36
        runs, rows = [], []
        for arm, by_seed in zip(("float32", "float16"), shares, strict=True):
            for seed, by_class in enumerate(by_seed):
                run = {"network": "resnet8", "arm": arm, "seed": seed}
                runs.append({**run, "outcome": "finished"})
                rows += [
                    {**run, "class": str(i), "n": "36", "accuracy": str(share)}
                    for i, share in enumerate(by_class)
                ]
        errors += any(row["p_holm"] < 0.05 for row in harm(runs, rows, LEVELS))
    assert errors / studies <= 0.05


def test_seeds_that_diverged_and_classes_without_images_are_not_counted() -> None:
    runs, rows = measured(GAINS)
    runs[-1]["outcome"] = "diverged"
    for row in rows:
        if row["class"] == "dog":
            row |= {"n": "0", "accuracy": ""}
    assert [row["n"] for row in harm(runs, rows, LEVELS)] == [3, 0, 3]


def test_one_arm_alone_is_compared_with_nothing() -> None:
    runs, rows = measured(GAINS)
    runs = [run for run in runs if run["arm"] == "float32"]
    assert harm(runs, [row for row in rows if row["arm"] == "float32"], LEVELS) == []
