"""Overfitting gap, drift between arms and late divergence, of a made-up study whose arms differ in their length."""

import re
from pathlib import Path

import drawn
import made_up_studies as studies
import numpy as np
import pandas as pd
import pytest
from made_up_project import Project, study
from scipy import stats

from sixteen.reporting.figures import drift
from sixteen.reporting.study import Study

NETWORK, LATE = "resnet8", ("resnet14", "float16-6", 1)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> drawn.Shown:
    folder = tmp_path_factory.mktemp("drift")
    told = {"arms": studies.ALONG, "along": studies.PLACES, "observe": None, "diverged": LATE}
    made = study(folder, Project(folder).summarize("drift", (NETWORK, "resnet14"), 4, **told))
    return drawn.draw(made, [drift.over_epochs, drift.at_the_end])


def _points(made: Study, arm: str, epoch: int) -> pd.DataFrame:
    """Gap and test accuracy (points) at an epoch of the last phase, by seed."""
    rows = made.table("curves").query("network == @NETWORK and arm == @arm and epoch == @epoch")
    rows = rows[rows["phase"] == 1].set_index("seed").sort_index()
    gap = rows["train_accuracy"] - rows["test_accuracy"]
    return 100 * pd.DataFrame({"gap": gap, "accuracy": rows["test_accuracy"]})


def _interval(made: Study, values: pd.Series) -> list[float]:
    spread = max(values.std(), 100 / made.runs["test_items"].max())
    half = stats.t.ppf(0.975, len(values) - 1) * spread / len(values) ** 0.5
    return [values.mean(), values.mean() - half, values.mean() + half]


def test_gap_and_drift_are_drawn_epoch_by_epoch_paired_by_seed(shown: drawn.Shown) -> None:
    data = pd.read_csv(shown.study.output / "figures/drift.csv")
    mine = data.query("network == @NETWORK").set_index(["arm", "part", "epoch"])
    assert set(mine.index.get_level_values("arm")) == {"float32-6", "float16-6"}  # the longest
    ends = ["mean", "low", "high"]
    for epoch in (3, 6):
        own, other = (_points(shown.study, arm, epoch) for arm in ("float16-6", "float32-6"))
        gap, low, high = mine.loc[("float16-6", "gap", epoch), ends]
        assert gap == pytest.approx(own["gap"].mean())
        half = stats.t.ppf(0.975, 3) * own["gap"].std() / 2
        assert [low, high] == pytest.approx([gap - half, gap + half], abs=1e-9)
        for part, column in (("gap_difference", "gap"), ("drift", "accuracy")):
            expected = _interval(shown.study, own[column] - other[column])
            found = mine.loc[("float16-6", part, epoch), ends]
            assert list(found) == pytest.approx(expected), part
    assert not data.query("arm == 'float32-6' and part != 'gap'").size


def test_what_diverged_is_in_no_mean_and_no_pair(shown: drawn.Shown) -> None:
    data = pd.read_csv(shown.study.output / "figures/drift.csv")
    lost = data.query("network == 'resnet14' and arm == 'float16-6'")
    assert set(lost["part"]) == set(drift.PARTS) and set(lost["n"]) == {3}


def test_each_panel_draws_what_its_axis_says(shown: drawn.Shown) -> None:
    data = pd.read_csv(shown.study.output / "figures/drift.csv").query("network == @NETWORK")
    first = shown.figures["drift"].axes.index(shown.panel("drift", NETWORK))
    panels = shown.figures["drift"].axes[first::2]  # the parts of a network stand below each other
    for axis, (part, label) in zip(panels, drift.PARTS.items(), strict=True):
        assert axis.get_ylabel() == label
        drawn_lines = [line for line in axis.lines if len(line.get_xdata()) > 2]
        told = [group["mean"] for _, group in data[data["part"] == part].groupby("arm", sort=False)]
        assert len(drawn_lines) == len(told) == (2 if part == "gap" else 1)
        for line, means in zip(drawn_lines, told, strict=True):
            np.testing.assert_allclose(line.get_ydata(), means)


def _rows(text: str) -> dict[str, list[str]]:
    """Cells of the table by its first one."""
    rows = re.findall('<tr><th scope="row">(.*?)</th>(.*?)</tr>', text)
    return {name: re.findall("<td[^>]*>(.*?)</td>", cells) for name, cells in rows}


def test_the_table_has_the_gap_at_each_end_and_its_difference(shown: drawn.Shown) -> None:
    rows = _rows(drift.at_the_end(shown.study).text)
    for end in (3, 4, 6):
        epochs, gap, difference, lost = rows[f"{NETWORK}, float16-{end}"]
        own, other = (_points(shown.study, f"{name}-{end}", end) for name in ("float16", "float32"))
        assert epochs == f"{end}" and lost == "0"
        assert float(gap.split()[0]) == pytest.approx(own["gap"].mean(), abs=0.01)
        told = float(difference.split()[0].replace("\N{MINUS SIGN}", "-"))
        assert told == pytest.approx((own["gap"] - other["gap"]).mean(), abs=0.01)
        assert difference.endswith(f"from float32-{end}") and "n\u00a0=\u00a04" in difference
        assert rows[f"{NETWORK}, float32-{end}"][2] == ""


def test_what_diverged_after_the_shortest_arms_end_is_counted_as_late(tmp_path: Path) -> None:
    told = {"arms": studies.ALONG, "along": studies.PLACES, "observe": None, "diverged": LATE}
    made = study(tmp_path, Project(tmp_path).summarize("late", ("resnet14",), 2, **told))
    text = drift.at_the_end(made).text
    assert "Diverged (later: after epoch 3)" in text
    rows = _rows(text)
    assert rows["resnet14, float16-6"][3] == "1, 1 of them later"
    assert "n\u00a0=\u00a01" in rows["resnet14, float16-6"][1]  # in no mean
    curves = made.table("curves")
    early = (curves["arm"] == "float16-6") & (curves["seed"] == 1) & (curves["epoch"] > 2)
    curves[~early].to_csv(made.summary / "curves.csv", index=False)
    assert _rows(drift.at_the_end(made).text)["resnet14, float16-6"][3] == "1, 0 of them later"


def test_arms_without_an_axis_are_compared_with_the_reference(tmp_path: Path) -> None:
    made = study(tmp_path, Project(tmp_path).summarize("none", (NETWORK,), 2, observe=None))
    assert set(drift.compared(made).values()) == {"float32"}
    assert "train for as many epochs" in drift.over_epochs(made).text
    curves = made.table("curves").assign(train_accuracy=None)
    curves.to_csv(made.summary / "curves.csv", index=False)
    for shown in (drift.over_epochs(made), drift.at_the_end(made)):
        assert "no image is right or wrong here" in shown.text
