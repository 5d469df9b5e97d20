"""What pages say of what could have been seen, of what rounding takes, and of kinks."""

from pathlib import Path

import made_up_studies as studies
import pandas as pd
import pytest
from drawn import draw
from made_up_project import Project, study

from sixteen.reporting.figures import effects, harm, kinks, updates
from sixteen.reporting.study import Study


@pytest.fixture
def mixed(tmp_path: Path) -> Study:
    told = {"arms": studies.MIXED, "factorial": studies.TWO_BY_TWO}
    return study(tmp_path, Project(tmp_path).summarize("mixed", ("resnet8",), 3, **told))


def replace(made: Study, name: str, **columns) -> None:
    table = made.table(name)
    table.assign(**columns).to_csv(made.summary / f"{name}.csv", index=False)


def test_the_least_loss_that_could_be_seen_stands_beside_the_harm(mixed: Study) -> None:
    seen = {"least_significant": 0.05, "least_seen": 0.0725, "floored": False}
    replace(mixed, "harm", **seen)
    assert (
        "is significant here from 5.0 points on, by class, and a true loss is found with power 0.8 from 7.2 points on"
        in harm.classes(mixed).text
    )
    rows = mixed.table("harm")
    assert f"0 of {len(rows)} stand at that" in harm.classes(mixed).text
    replace(mixed, "harm", **(seen | {"least_significant": 2.5, "least_seen": 3.2}))
    assert "no loss of a single class could be significant" in harm.classes(mixed).text
    replace(mixed, "harm", least_seen=None)
    assert "could be seen" not in harm.classes(mixed).text


def test_the_norm_that_rounding_changes_is_drawn_beside_the_share_that_is_lost(
    mixed: Study,
) -> None:
    replace(mixed, "observations", updates=100, lost_updates=90, update_norm=4.0, update_error=1.0)
    updates.over_training(mixed)
    data = pd.read_csv(mixed.output / "figures/lost-updates.csv")
    means = data.groupby("measure")["mean"].agg(["min", "max"])
    assert list(means.loc["share"]) == [90, 90]
    assert list(means.loc["changed"]) == [25, 25]


def test_a_norm_is_no_share_and_is_shown_whole(mixed: Study) -> None:
    """Rounding may add to an update: what changes of its norm may be more than all of it."""
    replace(mixed, "observations", updates=100, lost_updates=90, update_norm=4.0, update_error=6.0)
    figure = draw(mixed, [updates.over_training]).figures["lost-updates"]
    (axis,) = [a for a in figure.axes if "norm of the update" in a.get_ylabel()]
    low, high = axis.get_ylim()
    assert low < 150 < high
    assert any(150 in line.get_ydata() for line in axis.lines)


def test_what_the_hessian_misses_is_told_free_and_held(mixed: Study) -> None:
    missed = {"gradient_change": 2.0, "gradient_change_gap": 1.5}
    replace(mixed, "observations", **missed, held_change=0.5, held_change_gap=0.01)
    replace(mixed, "kinks", units=1000, crossed=3)
    text = kinks.crossed(mixed).text
    assert (
        "Medians: resnet8: 0.3 % of the units cross, the Hessian misses 75 %, with units held 2 %."
        in text
    )
    data = pd.read_csv(mixed.output / "figures/kinks.csv")
    assert len(data) == len(data.drop_duplicates(["arm", "seed", "epoch"])) > 2
    replace(mixed, "kinks", crossed=0)
    assert f"; {len(data)} where no unit crosses aren't drawn" in kinks.crossed(mixed).text
    mixed.table("kinks").iloc[:0].to_csv(mixed.summary / "kinks.csv", index=False)
    assert "no observed arm with ReLUs" in kinks.crossed(mixed).text


def test_deviations_at_their_floor_are_counted(mixed: Study) -> None:
    replace(mixed, "runs", epoch_sd=0.01)
    again = Study(mixed.summary, mixed.output)
    assert "are taken for that" not in effects.effects(again, "epoch_sd").text
    rows = mixed.table("runs")
    arms = rows["arm"].isin(again.settings["factorial"])
    floored = rows["epoch_sd"].where(~arms | (rows["seed"] > 0), 0.0)
    replace(mixed, "runs", epoch_sd=floored)
    count = int(arms.sum())
    told = f"{count // 3} of {count} deviations are less than what whole test images bring"
    assert told in effects.effects(Study(mixed.summary, mixed.output), "epoch_sd").text
