"""What DVC compares is what the tables say."""

import pandas as pd
import pytest
from made_up_project import Project, study

from sixteen.reporting import tracked
from sixteen.reporting.study import Study


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two networks, three seeds, of which one diverged in one arm."""
    root = tmp_path_factory.mktemp("tracked")
    summary = Project(root).summarize(
        "demo", ("resnet8", "resnet14"), 3, diverged=("resnet8", "float16", 1)
    )
    return study(root, summary)


def test_verdicts_are_counted_and_told_with_their_numbers(told: Study) -> None:
    metrics = tracked.metrics(told)
    assert metrics["verdicts"] == {
        verdict: sum(claim["verdict"] == verdict for claim in told.claims)
        for verdict in ("supported", "refuted", "inconclusive")
    }
    for claim in told.claims:
        kept = metrics["claims"][claim["id"]]
        assert kept["verdict"] == claim["verdict"]
        for part in claim["per_network"]:
            for key in ("estimate", "low", "high"):
                assert kept.get(part["network"], {}).get(key) == pytest.approx(part[key])


def test_the_main_number_is_the_mean_over_the_seeds_that_finished(told: Study) -> None:
    found = tracked.metrics(told)["accuracy"]
    assert list(found) == ["resnet8", "resnet14"]
    for network, arms in found.items():
        for arm, mean in arms.items():
            rows = told.runs[(told.runs["network"] == network) & (told.runs["arm"] == arm)]
            finished = rows[rows["outcome"] == "finished"]
            assert mean == pytest.approx(finished["accuracy"].mean())


def test_curves_end_at_the_main_number_and_hold_no_diverged_run(told: Study) -> None:
    curves = tracked.curves(told)
    last = curves.groupby("series").last()["test_accuracy"]
    for network, arms in tracked.metrics(told)["accuracy"].items():
        for arm, mean in arms.items():
            assert last[f"{network} {arm}"] == pytest.approx(mean)
    assert not curves.duplicated(["series", "epoch"]).any()


def rows_of(told: Study, network: str, epoch: int, phase: int) -> pd.DataFrame:
    rows = told.table("curves").query("arm == 'float16' and epoch == @epoch and phase == @phase")
    return rows[rows["network"] == network]


def accuracy(told: Study, network: str, epoch: int) -> float:
    curves = tracked.curves(told).set_index(["series", "epoch"])["test_accuracy"]
    return curves[f"{network} float16", epoch]


def test_an_epoch_is_the_mean_of_its_seeds_at_its_end(told: Study) -> None:
    rows = rows_of(told, "resnet14", epoch=3, phase=0)
    assert len(rows) == 3
    assert accuracy(told, "resnet14", 3) == pytest.approx(rows["test_accuracy"].mean())


def test_a_run_that_diverged_is_in_no_mean_of_a_curve(told: Study) -> None:
    rows = rows_of(told, "resnet8", epoch=4, phase=1)
    assert set(rows["seed"]) == {0, 1, 2}
    finished = rows[rows["seed"] != 1]
    assert accuracy(told, "resnet8", 4) == pytest.approx(finished["test_accuracy"].mean())
