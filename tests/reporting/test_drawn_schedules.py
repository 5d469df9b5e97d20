"""Figures and table of schedules of bits, of a made-up study: what is drawn is what the runs tell."""

import copy
import csv
import io
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import drawn
import made_up_studies as studies
import made_up_training
import nbformat
import numpy as np
import pandas as pd
import pytest
from made_up_project import NOTEBOOKS, Project, study
from made_up_training import STEPS
from matplotlib.patches import StepPatch
from scipy import stats

from sixteen.files import read_json
from sixteen.precision.bits import Cyclic, Static, Window
from sixteen.reporting import choice
from sixteen.reporting.figures import bits, pareto, selection, series
from sixteen.reporting.schedules import costs, group, scheduled

SEEDS = 4


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> drawn.Shown:
    folder = tmp_path_factory.mktemp("schedules")
    told = {"arms": studies.SCHEDULES, "observe": None, "diverged": ("resnet14", "rr", 1)}
    made = study(
        folder, Project(folder).summarize("schedules", ("resnet8", "resnet14"), SEEDS, **told)
    )
    return drawn.draw(made, [bits.schedules, pareto.pareto, selection.selection])


def data(shown: drawn.Shown, name: str) -> pd.DataFrame:
    return pd.read_csv(shown.study.output / "figures" / f"{name}.csv")


# arXiv:2403.02243 by its group logic, said a second time.
SAVINGS = {"rr": "large", "rth": "large", "er": "small", "eth": "small"}


def test_schedules_are_grouped_by_what_they_save() -> None:
    for name, (profile, form) in studies.CYCLES.items():
        cyclic = Cyclic(kind="cyclic", profile=profile, form=form, cycles=8, start=0)
        assert group(cyclic) == SAVINGS.get(name, "medium")
    assert group(Static(kind="static")) is None
    assert group(Window(kind="window", start=0, epochs=1)) is None


def test_each_schedule_is_drawn_as_it_was_run_with_its_own_cost(shown: drawn.Shown) -> None:
    panels = {
        axis.get_title().partition(":")[0]: axis
        for axis in shown.figures["schedules"].axes
        if axis.get_title()
    }
    assert list(panels) == [arm for arm in studies.SCHEDULES if arm != "float32"]
    runs = shown.study.runs.query("network == 'resnet8'").groupby("arm")["bit_cost"].first()
    for arm, axis in panels.items():
        (patch,) = (one for one in axis.patches if isinstance(one, StepPatch))
        drawn_bits, edges, _ = patch.get_data()
        assert len(drawn_bits) == 5 * STEPS and edges[-1] == 5
        # The cost by the definition: forward q^2, backward twice q times 8.
        cost = np.mean(drawn_bits**2 + 16 * drawn_bits) / (64 + 128)
        assert cost == pytest.approx(runs[arm] / runs["static"])
        assert float(axis.get_title().partition(": ")[2]) == pytest.approx(cost, rel=2e-3)
    assert "Not drawn: float32" in shown.texts["schedules"]


def test_a_point_is_the_paired_difference_at_the_cost_of_the_arm(shown: drawn.Shown) -> None:
    table = data(shown, "pareto").set_index(["network", "arm"])
    for network, arm in table.index:
        gaps = (
            100
            * (
                shown.finished(network, arm, "accuracy")
                - shown.finished(network, "static", "accuracy")
            ).dropna()
        )
        row = table.loc[(network, arm)]
        assert (row["mean"], row["n"]) == pytest.approx((gaps.mean(), len(gaps)))
        if arm != "static" and gaps.std(ddof=1) > 0.51:  # more than an item of 200
            wanted = stats.ttest_1samp(gaps, 0).confidence_interval(0.95)
            assert (row["low"], row["high"]) == pytest.approx((wanted.low, wanted.high))
        assert row["cost"] == pytest.approx(costs(shown.study, network)[arm])
    axis = shown.panel("pareto", "resnet8")
    places = drawn.points(axis)
    for arm in ("cr", "rr", "static"):
        row = table.loc[("resnet8", arm)]
        assert any(place == pytest.approx((row["cost"], row["mean"])) for place in places)
    assert table.loc[("resnet14", "rr"), "n"] == SEEDS - 1


def test_the_front_is_what_no_arm_beats_in_cost_and_accuracy(shown: drawn.Shown) -> None:
    for _, mine in data(shown, "pareto").groupby("network"):
        for _, one in mine.iterrows():
            beaten = ((mine["cost"] < one["cost"]) & (mine["mean"] >= one["mean"])) | (
                (mine["cost"] <= one["cost"]) & (mine["mean"] > one["mean"])
            )
            assert one["front"] == (not beaten.any())
        assert mine.loc[mine["arm"] == "static-low", "front"].all()  # the cheapest


def test_what_a_choice_adds_is_over_the_last_epoch_with_the_most_bits(shown: drawn.Shown) -> None:
    curves, table = shown.study.table("curves"), data(shown, "selection")
    runs = curves.query("network == 'resnet8' and arm == 'rr' and epoch > 0").groupby("seed")
    wanted = {
        "best": runs["test_accuracy"].max() - runs["test_accuracy"].last(),
        "moment": runs["test_accuracy_at_bits"].last() - runs["test_accuracy"].last(),
        "both": runs["test_accuracy_at_bits"].max() - runs["test_accuracy"].last(),
    }
    mine = table.query("network == 'resnet8' and arm == 'rr'").set_index("way")
    for way, gains in wanted.items():
        mean, low, high = (
            drawn.interval(100 * gains) if gains.std() > 1e-9 else [100 * gains.mean()] * 3
        )
        assert tuple(mine.loc[way, ["mean", "low", "high"]]) == pytest.approx((mean, low, high))
    assert set(table.query("arm == 'float32'")["way"]) == {"best"}
    axis = shown.panel("selection", "resnet8")
    assert axis.get_xlabel() == "added to the test accuracy (points)"


def test_the_table_names_the_cheapest_and_what_cannot_be_told_from_the_best(
    shown: drawn.Shown,
) -> None:
    rows = choice._rows(shown.study, "resnet8")
    assert [row[0] for row in rows] == [
        "resnet8, least cost", "resnet8, most test accuracy", "resnet8, balance of both",
    ]  # fmt: skip
    names = [re.findall(r"<b>(.*?)</b>", row[1]) for row in rows]
    assert names[0][0] == "rr" and rows[0][3] == "large savings (rr, rth): " + (
        "all of them among ours" if "rth" in names[0] else "rr of them among ours"
    )
    assert "static" in names[1] and "rr" not in names[1]
    assert "the best is among them with 95% probability" in rows[1][2]
    assert "minus that of static is at least -1 percentage points" in rows[2][2]
    lost = choice._rows(shown.study, "resnet14")[1]
    assert "Left out, since runs diverged: rr." in lost[2] and "<b>rr</b>" not in lost[1]
    assert "its own words were not found" in choice.which_schedule(shown.study).text


def test_where_the_data_separate_nothing_the_table_says_so(tmp_path: Path) -> None:
    two = {
        "static": studies.SCHEDULES["static"],
        "er": studies.SCHEDULES["er"],
        "eth": studies.SCHEDULES["eth"],
    }
    made = study(
        tmp_path, Project(tmp_path).summarize("few", ("resnet8",), 2, arms=two, observe=None)
    )
    rows = choice._rows(made, "resnet8")
    assert "The data don't separate any of the 3: each may be the best (n = 2 seeds" in unescape(
        rows[1][2]
    )
    assert "none is proved" in rows[2][1]
    one = made.runs[made.runs["arm"] != "eth"]
    assert set(one["arm"]) == {"static", "er"}


@pytest.fixture(scope="module")
def deficits(tmp_path_factory: pytest.TempPathFactory) -> drawn.Shown:
    folder = tmp_path_factory.mktemp("deficits")
    made = study(
        folder,
        Project(folder).summarize("deficits", ("resnet8",), 4, arms=studies.DEFICITS, observe=None),
    )
    return drawn.draw(made, [lambda of: series.along(of, "deficit")])


def test_a_series_is_drawn_at_its_numbers_with_the_mean_slope_of_the_seeds(
    deficits: drawn.Shown,
) -> None:
    axis, at = deficits.panel("along-deficit", "resnet8"), [0, 2, 4]
    seeds = np.array([100 * deficits.finished("resnet8", f"deficit-{x}", "accuracy") for x in at])
    fitted = [np.polyfit(at, seeds[:, i], 1) for i in range(seeds.shape[1])]
    slope, start = np.mean(fitted, axis=0)
    (line,) = (one for one in axis.lines if len(one.get_xdata()) > 20)
    assert (line.get_xdata()[0], line.get_xdata()[-1]) == (0, 4)
    assert line.get_ydata() == pytest.approx(start + slope * line.get_xdata())
    low, high = drawn.interval([fit[0] for fit in fitted])[1:]
    told = deficits.texts["along-deficit"]
    shown = [
        float(x.replace("\N{MINUS SIGN}", "-"))
        for x in re.findall(r"slope is (\S+) .* \[(\S+), (\S+)\]", told)[0]
    ]
    assert shown == pytest.approx([slope, low, high], rel=0.01)
    assert series.names(deficits.study) == ["deficit"]
    for x, values in zip(at, seeds, strict=True):
        _, low, high = drawn.share_interval(values)
        assert [[x, pytest.approx(low)], [x, pytest.approx(high)]] in drawn.bars(axis, "#0173b2")


def test_a_series_that_is_none_is_told(shown: drawn.Shown) -> None:
    assert series.names(shown.study) == []
    assert "fewer than 3 arms like deficit-2" in series.along(shown.study, "deficit").text


@pytest.mark.parametrize(
    ("name", "arms"), [("schedules", studies.SCHEDULES), ("critical", studies.DEFICITS)]
)
def test_a_task_without_accuracy_has_every_part_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, arms: dict[str, str]
) -> None:
    """A language, say, whose perplexity is better the lower it is."""
    folder = tmp_path

    history = made_up_training.history

    def without_accuracy(*told: Any) -> str:
        head, *rows = csv.reader(io.StringIO(history(*told)))
        known = ["" if "accuracy" in name else None for name in head]
        blank = [
            [b if b is not None else cell for b, cell in zip(known, row, strict=True)]
            for row in rows
        ]
        return made_up_training.table(tuple(head), blank)

    monkeypatch.setattr(made_up_training, "history", without_accuracy)

    class Language(Project):
        def evaluate(
            self, folder: str, run: str, accuracy: float, diverged: bool, half: bool
        ) -> str:
            told = {
                "perplexity": None if diverged else float(np.exp(2 - accuracy)),
                "loss": 2 - accuracy,
                "excess_loss": None,
                "best_epoch_bias": 0.0,
            }
            metrics = {"outcome": "diverged" if diverged else "finished", "n": 5000} | told
            table = "class,n,correct,accuracy\n"
            files: dict[str, str | bytes] = {
                "metrics.json": str(metrics).replace("'", '"').replace("None", "null"),
                "per_class.csv": table,
            }
            return self.run(
                "evaluate",
                folder,
                {"task": "model_language"},
                {"dataset": self.dataset, "run": run},
                files,
            )

    told = {"arms": arms, "observe": None, "task": "model_language"}
    summary = Language(folder).summarize(name, ("resnet8",), 4, **told)
    of = study(folder, summary)
    shown: list[Any] = []
    monkeypatch.setattr("sixteen.reporting.sections.display", shown.append)
    monkeypatch.setattr("IPython.display.display", shown.append)
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    names: dict[str, Any] = {}
    exec(code[1].replace("Study(Path(summary), Path(output))", "None"), names)
    names["study"] = of
    for source in code[2:]:
        exec(source, names)
    text = " ".join(getattr(part, "text", getattr(part, "data", "")) for part in shown)
    text = re.sub(r"base64,[^\"]*", "", text)
    assert "perplexity" in text.lower() and not re.search(r"\bnan\b", text)
    assert "is right or wrong here" in names["curves"].accuracy_curves(of).text
    drawn_names = {path.stem for path in (of.output / "figures").glob("*.png")}
    assert "taken off the test loss of the last epoch" in text
    wanted = {"schedules": {"pareto"}, "critical": {"along-deficit"}}[name]
    assert drawn_names >= wanted | {"schedules", "selection", "final-perplexity"}
    if name == "schedules":
        table = pd.read_csv(of.output / "figures" / "pareto.csv")
        low = table.loc[table["arm"] == "static-low"].iloc[0]
        assert low["mean"] > 1 and low["front"]  # worse than static, and the cheapest
        assert "least test perplexity" in text and "over that of static is at most 1.01" in text
    else:
        assert re.search(
            r"slope is 0.\d+ % \(in logarithms\) \[0.\d+, 0.\d+\] per epoch, n = 4", text
        )


def test_a_schedule_of_batches_in_parts_is_that_of_its_batches(shown: drawn.Shown) -> None:
    whole = scheduled(shown.study, "resnet8")

    def phases(network: str, arm: str) -> list[dict[str, Any]]:
        records = copy.deepcopy(shown.study.phases(network, arm))
        for record in records:
            record["parameters"]["recipe"]["gradient_accumulation"] = 4
            record["facts"]["steps"] *= 4
        return records

    study = SimpleNamespace(**{name: getattr(shown.study, name) for name in ("arms", "parameters")})
    study.phases = phases
    for arm, one in scheduled(study, "resnet8").items():
        assert one.bits.tolist() == whole[arm].bits.tolist()


def test_phases_on_grids_are_drawn_from_the_first_that_stands_beside_the_last(
    tmp_path: Path,
) -> None:
    """A deficit comes before a phase of its own; what was trained in float32 before isn't drawn."""
    few = "trained-in-fewest-by-sgd-until-2/continued-in-static-by-sgd-until-6"
    wide = "trained-in-float32-by-sgd-until-2/continued-in-static-by-sgd-until-6"
    arms = {"static": "trained-in-static-by-sgd-until-4", "few": few, "wide": wide}
    summary = Project(tmp_path).summarize("late", ("resnet8",), 2, arms=arms, observe=None)
    of = study(tmp_path, summary)
    found = scheduled(of, "resnet8")
    assert {arm: (one.first, one.epochs) for arm, one in found.items()} == {
        "static": (0, 4), "few": (0, 6), "wide": (2, 4)
    }  # fmt: skip
    assert found["few"].bits.tolist() == [3] * 2 * STEPS + [8] * 4 * STEPS
    assert found["wide"].bits.tolist() == [8] * 4 * STEPS
    low, high = (3 * 3 + 2 * 3 * 8) / 3072, 1 / 16  # a product forward, two backward
    spent = of.runs.groupby("arm")["bit_cost"].first()
    assert spent["few"] > spent["static"] == pytest.approx(4 * high)
    assert spent["wide"] == pytest.approx(2 + 4 * high)
    assert spent["few"] == pytest.approx(2 * low + 4 * high)


def test_a_phase_is_found_in_the_records(deficits: drawn.Shown) -> None:
    found = scheduled(deficits.study, "resnet8")
    assert [one.epochs for one in found.values()] == [6, 6, 6]
    for n, one in zip((0, 2, 4), found.values(), strict=True):
        assert one.bits.tolist() == [3] * n * STEPS + [8] * (6 - n) * STEPS
    assert read_json(deficits.study.summary / "settings.json")["reference"] == "deficit-0"
