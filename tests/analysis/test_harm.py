import pytest
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
    rows = {row["class"]: row for row in harm(*measured(GAINS), 0.95)}
    assert list(rows) == ["cat", "dog", "fox"]
    for name in ("cat", "dog"):
        expected = stats.ttest_1samp(GAINS[name], 0)
        interval = expected.confidence_interval(0.95)
        row = rows[name]
        assert row["p"] == pytest.approx(expected.pvalue)
        assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert rows["cat"]["p_holm"] == pytest.approx(3 * rows["cat"]["p"])
    assert rows["dog"]["p_holm"] == pytest.approx(min(1, 2 * rows["dog"]["p"]))


def test_seeds_that_all_agree_are_no_evidence_of_harm() -> None:
    row = harm(*measured(GAINS), 0.95)[2]
    assert (row["n"], row["sd"], row["p"], row["p_holm"]) == (4, 0, None, None)
    assert row["mean"] == pytest.approx(0.05)


def test_seeds_that_diverged_and_classes_without_images_are_not_counted() -> None:
    runs, rows = measured(GAINS)
    runs[-1]["outcome"] = "diverged"
    for row in rows:
        if row["class"] == "dog":
            row["accuracy"] = ""
    assert [row["n"] for row in harm(runs, rows, 0.95)] == [3, 0, 3]


def test_one_arm_alone_is_compared_with_nothing() -> None:
    runs, rows = measured(GAINS)
    runs = [run for run in runs if run["arm"] == "float32"]
    assert harm(runs, [row for row in rows if row["arm"] == "float32"], 0.95) == []
