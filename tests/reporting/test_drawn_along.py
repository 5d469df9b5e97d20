"""The figure of a question along its axis, of a made-up study: what is drawn is what the runs tell."""

from pathlib import Path

import drawn
import made_up_studies as studies
import numpy as np
import pytest
from made_up_project import Project, study
from scipy import stats

from sixteen.reporting.figures import along, series

LEVELS = ("3", "4", "6")
CLAIMS = [
    studies.claim(
        "equal", "It ends equal.", metric="accuracy", test="equivalence", margin=0.02,
        arms=["float16-3", "float32-3"],
    )
]  # fmt: skip


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> drawn.Shown:
    folder = tmp_path_factory.mktemp("along")
    told = {"arms": studies.ALONG, "along": studies.PLACES, "observe": None, "claims": CLAIMS}
    lost = {"diverged": ("resnet14", "float16-4", 1)}
    made = study(
        folder, Project(folder).summarize("along", ("resnet8", "resnet14"), 4, **told, **lost)
    )
    return drawn.draw(made, [along.along])


def test_no_line_is_laid_through_a_series_that_no_claim_asks_about(
    shown: drawn.Shown, tmp_path: Path
) -> None:
    """The figure along the axis shows it already, and on the scale of the question."""
    assert series.names(shown.study) == []
    line = {"id": "rises", "says": "It rises.", "source": "here", "only": None, "hardware": None}
    line |= {"test": "trend_greater", "metric": "accuracy", "series": "float16", "per": "epoch"}
    told = {"arms": studies.ALONG, "along": studies.PLACES, "observe": None, "claims": [line]}
    asked = study(tmp_path, Project(tmp_path).summarize("along", ("resnet8",), 4, **told))
    assert series.names(asked) == ["float16"]


@pytest.mark.parametrize("network", ["resnet8", "resnet14"])
def test_each_group_is_drawn_at_its_levels_with_its_interval(
    shown: drawn.Shown, network: str
) -> None:
    axis = shown.panel("along", network)
    assert [label.get_text() for label in axis.get_xticklabels()] == list(LEVELS)
    assert axis.get_xlabel() == "times as long"
    for line, group in zip(axis.lines, ("float32", "float16"), strict=False):
        for x, y, level in zip(line.get_xdata(), line.get_ydata(), LEVELS, strict=True):
            values = 100 * shown.finished(network, f"{group}-{level}", "accuracy")
            assert y == pytest.approx(values.mean())
            assert round(x) == LEVELS.index(level)
            _, low, high = drawn.share_interval(values)
            bars = drawn.bars(axis, line.get_color())
            assert [[x, pytest.approx(low)], [x, pytest.approx(high)]] in bars


def test_the_effect_is_the_paired_difference_from_the_first_group(shown: drawn.Shown) -> None:
    figure = shown.figures["along"]
    effects = [axis for axis in figure.axes if "difference" in axis.get_ylabel()]
    assert [axis.get_ylabel() for axis in effects] == 2 * [
        "difference from float32\n(percentage points)"
    ]
    for axis, network in zip(effects, ("resnet8", "resnet14"), strict=True):
        (line,) = (one for one in axis.lines if one.get_marker() != "None")
        for x, y, level in zip(line.get_xdata(), line.get_ydata(), LEVELS, strict=True):
            first, second = (
                100 * shown.finished(network, f"{group}-{level}", "accuracy")
                for group in ("float16", "float32")
            )
            pairs = (first - second).dropna()
            assert y == pytest.approx(pairs.mean())
            image = 100 / shown.study.runs["test_items"].max()  # the least spread that is believed
            half = stats.t.ppf(0.975, len(pairs) - 1) * max(pairs.std(), image) / len(pairs) ** 0.5
            low, high = pairs.mean() - half, pairs.mean() + half
            assert [[x, pytest.approx(low)], [x, pytest.approx(high)]] in drawn.bars(
                axis, line.get_color()
            )
        (band,) = (patch for patch in axis.patches if patch.get_alpha())
        assert np.ptp(
            band.get_path().get_extents(band.get_patch_transform()).intervaly
        ) == pytest.approx(4)


def test_what_diverged_is_marked_and_told(shown: drawn.Shown) -> None:
    axis = shown.panel("along", "resnet14")
    (crosses,) = (line for line in axis.lines if line.get_marker() == "x")
    assert list(crosses.get_xdata()) == [1]
    assert "float16 diverged at 4 (1)" in shown.texts["along"]
    assert not [
        line
        for line in shown.panel("along", "resnet8").lines
        if line.get_marker() == "x" and len(line.get_xdata())
    ]


def test_a_study_without_an_axis_says_so(tmp_path: Path) -> None:
    made = study(tmp_path, Project(tmp_path).summarize("none", ("resnet8",), 2, observe=None))
    assert "no axis that it draws along" in along.along(made).text
