"""What the figures of classes, effects, tolerance and the switch draw, against numbers that are known."""

from pathlib import Path

import made_up_studies as studies
import numpy as np
import pandas as pd
import pytest
from drawn import ARMS, NETWORKS, Shown, bars, draw, legend, make, points, share_interval
from made_up_project import Project, study
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from scipy import stats

from sixteen.reporting.figures import curves, effects, harm, switch, tolerance

MINUS, ARROW = "\N{MINUS SIGN}", "\N{RIGHTWARDS ARROW}"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    made = make(tmp_path_factory.mktemp("classes"))
    rows = made.table("harm")
    rows.loc[rows.index[-1], ["p", "p_holm"]] = (0.02, 0.2)  # one that correction takes away
    rows.to_csv(made.summary / "harm.csv", index=False)
    return draw(made, (harm.classes, tolerance.scatter, curves.loss_curves))


def _rows(axis: Axes) -> dict[str, float]:
    """Heights of the rows by what stands beside the first panel, which all share."""
    axis = axis.get_figure().axes[0]
    names = [text.get_text().replace("\n", " ") for text in axis.get_yticklabels()]
    return dict(zip(names, axis.get_yticks(), strict=True))


def _filled(axis: Axes) -> dict[tuple[float, float], bool]:
    """Whether a mark is filled, by its place."""
    return {
        (float(line.get_xdata()[0]), float(line.get_ydata()[0])): to_hex(line.get_markerfacecolor())
        != "#ffffff"
        for line in axis.lines
        if len(line.get_xdata()) == 1
    }


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("arm", ["float16", "mixed"])
def test_classes_are_the_arm_minus_the_reference_by_seed(
    shown: Shown, network: str, arm: str
) -> None:
    axis, colours = shown.panel("class-accuracy", network), legend(shown.figures["class-accuracy"])
    rows, per_class = (
        _rows(axis),
        pd.read_csv(shown.study.summary / "per_class.csv", dtype={"class": str}),
    )
    mine = per_class[per_class["network"] == network]
    table = mine.pivot(index=["class", "seed"], columns="arm", values="accuracy")
    seeds = shown.finished(network, arm, "accuracy").index
    for name, place in rows.items():
        gaps = 100 * (table[arm] - table["float32"])[name].loc[list(seeds)]
        mean, n = gaps.mean(), len(gaps)
        # Seeds that agree to less than one of the 100 images of a class are taken to spread by one.
        half = stats.t.ppf(0.975, n - 1) * max(gaps.std(), 1) / n**0.5
        near = [x for x, y in points(axis, colours[arm]) if abs(y - place) < 0.5]
        assert near == [pytest.approx(mean)]
        (bar,) = [b for b in bars(axis, colours[arm]) if abs(b[0][1] - place) < 0.5]
        assert (bar[0][0], bar[1][0]) == pytest.approx((mean - half, mean + half))
    assert axis.get_xlabel() == f"accuracy {MINUS} that of float32\n(percentage points)"
    # Class 3 loses 9 points in 16 bit, see `made_up_training`.
    lost = min((x, y) for x, y in points(axis, colours[arm]))
    assert lost[0] < -5 and abs(lost[1] - rows["3"]) < 0.5


def test_a_name_is_text_whatever_it_spells(tmp_path: Path) -> None:
    made = make(tmp_path)
    table = pd.read_csv(made.summary / "harm.csv", dtype=str)
    table["class"] = table["class"].replace({"3": "None", "4": "007"})
    table.to_csv(made.summary / "harm.csv", index=False)
    shown = draw(made, (harm.classes,))
    names = set(_rows(shown.panel("class-accuracy", NETWORKS[0])))
    assert {"None", "007"} < names and not {"3", "4", "7"} & names
    assert "largest loss: class None of" in shown.texts["class-accuracy"]
    (made.summary / "more.csv").write_text("network,arm,fingerprint\nnull,16,123456789012\n")
    assert made.table("more").iloc[0].tolist() == ["null", "16", "123456789012"]


def test_a_long_name_leaves_room_for_others_and_for_what_is_drawn(tmp_path: Path) -> None:
    made = make(tmp_path)
    table = pd.read_csv(made.summary / "harm.csv", dtype=str)
    table["class"] = table["class"].replace({"3": "of a very long name " * 8})
    table.to_csv(made.summary / "harm.csv", index=False)
    names = _rows(draw(made, (harm.classes,)).panel("class-accuracy", NETWORKS[0]))
    assert max(map(len, names)) == 40 and any(name.endswith("…") for name in names)


def test_a_class_is_filled_where_it_is_significant(shown: Shown) -> None:
    table = pd.read_csv(shown.study.summary / "harm.csv")
    for network in NETWORKS:
        axis = shown.panel("class-accuracy", network)
        filled = _filled(axis)
        for _, row in table[table["network"] == network].iterrows():
            ((_, found),) = [
                (at, full) for at, full in filled.items() if at[0] == pytest.approx(100 * row["mean"])
                and abs(at[1] - _rows(axis)[str(row["class"])]) < 0.5
            ]  # fmt: skip
            assert found == (row["p_holm"] < 0.05)
    assert {True, False} <= set(filled.values())
    found = int((table["p_holm"] < 0.05).sum())
    assert f"{found} are significant" in shown.texts["class-accuracy"]
    worst = table.loc[table["mean"].idxmin()]
    told = f"class {worst['class']} of {worst['network']} in {worst['arm']}, {-100 * worst['mean']:.2f} points"
    assert told in shown.texts["class-accuracy"]


def test_the_pairs_of_a_panel_are_those_that_finished(shown: Shown) -> None:
    titles = {axis.get_title() for axis in shown.figures["class-accuracy"].axes}
    assert {"resnet8: n = 4 pairs", "resnet14: n = 3 to 4 pairs"} <= titles


@pytest.mark.parametrize("network", NETWORKS)
def test_tolerance_lies_across_and_error_up(shown: Shown, network: str) -> None:
    axis, colours = shown.panel("tolerance", network), legend(shown.figures["tolerance"])
    images = pd.read_csv(shown.study.summary / "images.csv").query(
        "network == @network and delta > 0"
    )
    for (arm, kind), rows in images.groupby(["arm", "kind"]):
        wanted = np.array(sorted(zip(rows["gamma"], rows["delta"], strict=True)))
        (line,) = [made for made in axis.lines if to_hex(made.get_color()) == colours[f"{arm} ({kind})"]
                   and made.get_transform() == axis.transData]  # fmt: skip
        found = sorted(zip(line.get_xdata(), line.get_ydata(), strict=True))
        assert np.array(found) == pytest.approx(wanted)
    differ = images[~images["agrees"]]
    crosses = [
        point
        for line in axis.lines
        if line.get_marker() == "x"
        for point in zip(line.get_xdata(), line.get_ydata(), strict=True)
    ]
    assert sorted(crosses) == sorted(zip(differ["gamma"], differ["delta"], strict=True))
    assert crosses
    assert "Γ" in axis.get_xlabel() and "δ" in axis.get_ylabel()
    assert axis.get_yscale() == "log"


def test_the_certified_region_is_where_twice_the_error_is_below_the_tolerance(shown: Shown) -> None:
    axis = shown.panel("tolerance", "resnet8")
    colour = legend(shown.figures["tolerance"])["certified: Γ > 2δ"]
    (region,) = [made for made in axis.collections if to_hex(made.get_facecolor()[0]) == colour]
    edge = region.get_paths()[0].vertices
    top = edge[edge[:, 1] > edge[:, 1].min()]
    assert len(top) > 100
    assert top[:, 1] == pytest.approx(top[:, 0] / 2)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Known effects: one that is significant, one that isn't, an interaction; in points and as factors."""
    folder = tmp_path_factory.mktemp("effects")
    told = {"arms": studies.FACTORIAL, "factorial": list(studies.FACTORIAL)}
    made = study(folder, Project(folder).summarize("many", ("resnet8",), 2, **told))
    head = {"network": "resnet8", "n": 5, "sd": 0.01}
    numbers = [
        ("rate: slow -> fast", "main", 0.03, 0.02, 0.045, 0.001),
        ("norm: float32 -> float16", "main", -0.01, -0.03, 0.008, 0.12),
        ("rate x norm", "interaction", -0.02, -0.027, -0.012, 0.04),
    ]
    rows = [
        {**head, "metric": "accuracy", "scale": "difference", "effect": effect, "kind": kind}
        | {"mean": mean, "low": low, "high": high, "p": p / 3, "p_holm": p}
        for effect, kind, mean, low, high, p in numbers
    ]
    rows += [
        {
            **head,
            "metric": "epoch_sd",
            "scale": "ratio",
            "effect": "rate: slow -> fast",
            "kind": "main",
        }
        | {"mean": 2.5, "low": 1.5, "high": 4.0, "p": 0.001, "p_holm": 0.003}
    ]
    pd.DataFrame(rows).to_csv(made.summary / "effects.csv", index=False)
    return draw(
        made, (lambda s: effects.effects(s, "accuracy"), lambda s: effects.effects(s, "epoch_sd"))
    )


def test_effects_are_drawn_in_points_beside_their_names(many: Shown) -> None:
    axis, colours = (
        many.panel("effects-accuracy", "resnet8"),
        legend(many.figures["effects-accuracy"]),
    )
    rows = _rows(axis)
    wanted = {
        f"rate: slow {ARROW} fast": (3, 2, 4.5, "main", True),
        f"norm: float32 {ARROW} float16": (-1, -3, 0.8, "main", False),
        "rate x norm": (-2, -2.7, -1.2, "interaction", True),
    }
    assert set(rows) == set(wanted)
    filled = _filled(axis)
    for name, (mean, low, high, kind, significant) in wanted.items():
        colour = colours[f"{kind} effect"]
        assert [x for x, y in points(axis, colour) if y == rows[name]] == [pytest.approx(mean)]
        (bar,) = [b for b in bars(axis, colour) if b[0][1] == rows[name]]
        assert (bar[0][0], bar[1][0]) == pytest.approx((low, high))
        (found,) = [full for (_, y), full in filled.items() if y == rows[name]]
        assert found == significant
    assert "percentage points" in axis.get_xlabel()
    (zero,) = [
        line
        for line in axis.lines
        if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2
    ]
    assert zero.get_xdata()[0] == 0


def test_effects_on_a_deviation_are_factors_around_1(many: Shown) -> None:
    axis = many.panel("effects-epoch-sd", "resnet8")
    assert [x for x, _ in points(axis)] == [2.5]
    assert axis.get_xscale() == "log" and "times" in axis.get_xlabel()
    (one,) = [
        line
        for line in axis.lines
        if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2
    ]
    assert one.get_xdata()[0] == 1


def test_arms_stand_at_the_epoch_of_their_switch(tmp_path: Path) -> None:
    made = study(tmp_path, Project(tmp_path).summarize("switch", ("resnet8",), 3, studies.SWITCH))
    shown = draw(made, (switch.sweep,))
    axis, colours = shown.panel("switch-epoch", "resnet8"), legend(shown.figures["switch-epoch"])
    switches = {"from-the-start": 0, "after-1": 1, "half-way": 2, "after-3": 3, "never": 4}
    assert set(colours) == set(switches)
    for arm, epoch in switches.items():
        wanted = 100 * shown.finished("resnet8", arm, "accuracy")
        mean, low, high = share_interval(wanted)
        found = points(axis, colours[arm])
        assert all(abs(x - epoch) < 0.3 for x, _ in found)
        assert sorted(y for _, y in found) == pytest.approx(sorted([*wanted, mean]))
        assert [y for _, y in points(axis, colours[arm], least=7)] == [pytest.approx(mean)]
        ((start, end),) = bars(axis, colours[arm])
        assert (start[1], end[1]) == pytest.approx((low, high))
    level = next(line.get_ydata()[0] for line in axis.lines if list(line.get_xdata()) == [0, 1])
    assert level == pytest.approx(100 * shown.finished("resnet8", "never", "accuracy").mean())
    assert axis.get_xlabel() == "epochs before the switch to 16 bit"
    assert axis.get_ylabel() == "test accuracy (%)"
    ticks = dict(
        zip((t.get_text() for t in axis.get_xticklabels()), axis.get_xticks(), strict=True)
    )
    assert ticks == {"0": 0, "1": 1, "2": 2, "3": 3, "never\n(4)": 4}


def test_all_arms_but_the_reference_have_classes(shown: Shown) -> None:
    told = set(legend(shown.figures["class-accuracy"])) & set(ARMS)
    assert told == set(ARMS) - {"float32"}
