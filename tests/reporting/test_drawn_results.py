"""What the figures of accuracy and loss draw, against numbers worked out from the runs."""

import numpy as np
import pandas as pd
import pytest
from drawn import (
    ARMS,
    LOST,
    NETWORKS,
    SEEDS,
    Shown,
    bars,
    draw,
    legend,
    lines,
    make,
    points,
    share_interval,
)
from matplotlib.colors import to_hex

from sixteen.reporting.figures import curves, results


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    made = make(tmp_path_factory.mktemp("results"))
    rows = made.table("curves")
    for arm, share in {"float16": 0.02, "mixed": 0.005}.items():
        last = rows.index[(rows["arm"] == arm) & (rows["phase"] == 1)][-1]
        rows.loc[last, "nonfinite_gradients"] = share
    rows.to_csv(made.summary / "curves.csv", index=False)
    return draw(
        made,
        (
            results.final,
            results.quantization_error,
            curves.accuracy_curves,
            curves.loss_curves,
            curves.zero_gradients,
            curves.loss_scale,
        ),
    )


def _curves(shown: Shown, network: str, arm: str, column: str, phase: int) -> pd.DataFrame:
    """A column of curves.csv of the runs that finished: epochs by seeds."""
    rows = shown.study.table("curves").query("network == @network and arm == @arm")
    rows = rows[rows["phase"] == phase]
    if (network, arm) == LOST[:2] and phase == 1:
        rows = rows[rows["seed"] != LOST[2]]
    return rows.pivot(index="epoch", columns="seed", values=column).dropna(how="all")


@pytest.mark.parametrize("network", NETWORKS)
def test_each_run_stands_above_the_name_of_its_arm(shown: Shown, network: str) -> None:
    axis = shown.panel("final-accuracy", network)
    names = [text.get_text() for text in axis.get_xticklabels()]
    assert names == list(ARMS)
    for place, arm in enumerate(names):
        wanted = 100 * shown.finished(network, arm, "accuracy")
        assert len(set(wanted)) == len(wanted) > 2
        found = [y for x, y in points(axis) if x == place]
        assert sorted(found) == pytest.approx(sorted(wanted)), arm
    assert axis.get_ylabel() == "test accuracy (%)"


@pytest.mark.parametrize("network", NETWORKS)
def test_means_and_bars_are_of_the_runs_that_finished(shown: Shown, network: str) -> None:
    axis = shown.panel("final-accuracy", network)
    for place, arm in enumerate(ARMS):
        mean, low, high = share_interval(100 * shown.finished(network, arm, "accuracy"))
        (beside,) = [(x, y) for x, y in points(axis, least=7.5) if 0.1 < abs(x - place) < 0.4]
        assert beside[1] == pytest.approx(mean)
        colour = next(
            to_hex(line.get_color()) for line in axis.lines if list(line.get_ydata()) == [beside[1]]
        )
        ((_, first), (_, second)) = bars(axis, colour)[0]
        assert (first, second) == pytest.approx((low, high))
    assert "Large points: mean; bars: 95% interval" in shown.texts["final-accuracy"]


def test_a_panel_says_how_many_seeds_finished_and_which_arm_lost_one(shown: Shown) -> None:
    assert shown.panel("final-accuracy", "resnet8").get_title() == f"resnet8: n = {SEEDS}"
    told = shown.panel("final-accuracy", "resnet14").get_title()
    assert told == "resnet14: n = 4 / 3 / 4\n1 of float16 diverged"


def test_lines_join_the_runs_of_one_seed(shown: Shown) -> None:
    axis = shown.panel("final-accuracy", "resnet8")
    joined = [
        list(line.get_ydata())
        for line in axis.lines
        if line.get_marker() == "None" and len(line.get_xdata()) == len(ARMS)
    ]
    runs = shown.study.table("runs").query("network == 'resnet8'")
    wanted = 100 * runs.pivot(index="seed", columns="arm", values="accuracy")[list(ARMS)]
    assert np.array(sorted(joined)) == pytest.approx(np.array(sorted(wanted.to_numpy().tolist())))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    ("name", "column", "scale", "label"),
    [
        ("accuracy-curves", "test_accuracy", 100, "test accuracy (%)"),
        ("loss-curves", "loss", 1, "training loss (nats)"),
        ("zero-gradients", "zero_gradients", 100, "gradient values equal to zero (%)"),
    ],
)
def test_curves_are_means_over_seeds_that_finished(
    shown: Shown, network: str, name: str, column: str, scale: float, label: str
) -> None:
    axis, colours = shown.panel(name, network), legend(shown.figures[name])
    assert axis.get_ylabel().replace("\n", " ") == label
    assert axis.get_xlabel() == "epoch"
    for arm in ARMS:
        values = scale * _curves(shown, network, arm, column, 1)
        drawn = {tuple(x): y for x, y in lines(axis, colours[arm], thick=True)}
        assert drawn[tuple(values.index)] == pytest.approx(values.mean(axis=1).tolist()), arm
        thin = [y for _, y in lines(axis, colours[arm], thick=False) if len(y) == len(values)]
        each = [values[seed].tolist() for seed in values]
        assert all(any(y == pytest.approx(one) for y in thin) for one in each), arm


@pytest.mark.parametrize("network", NETWORKS)
def test_the_band_of_a_curve_is_the_interval_of_its_mean(shown: Shown, network: str) -> None:
    axis, colours = (
        shown.panel("accuracy-curves", network),
        legend(shown.figures["accuracy-curves"]),
    )
    for arm in ARMS:
        values = 100 * _curves(shown, network, arm, "test_accuracy", 1)
        bands = [
            made.get_paths()[0].vertices
            for made in axis.collections
            if to_hex(made.get_facecolor()[0]) == colours[arm]
        ]
        (band,) = [v for v in bands if v[:, 0].min() == values.index[0]]
        for epoch, row in values.iterrows():
            ends = band[band[:, 0] == epoch][:, 1]
            assert (ends.min(), ends.max()) == pytest.approx(share_interval(row)[1:])


def test_what_arms_have_in_common_is_drawn_once_and_said_to_be(shown: Shown) -> None:
    axis, colours = (
        shown.panel("accuracy-curves", "resnet8"),
        legend(shown.figures["accuracy-curves"]),
    )
    common = colours["before the switch, all arms"]
    values = 100 * _curves(shown, "resnet8", "float32", "test_accuracy", 0)
    drawn = {tuple(x): y for x, y in lines(axis, common, thick=True)}
    assert drawn[tuple(values.index)] == pytest.approx(values.mean(axis=1).tolist())
    for arm in ARMS:
        assert all(min(x) >= 3 for x, _ in lines(axis, colours[arm], thick=True))


def test_a_diverged_run_ends_in_a_cross_and_is_in_no_mean(shown: Shown) -> None:
    axis = shown.panel("accuracy-curves", LOST[0])
    rows = shown.study.table("curves").query("network == @LOST[0] and arm == @LOST[1]")
    last = rows[(rows["seed"] == LOST[2]) & (rows["phase"] == 1)].iloc[-1]
    crosses = [
        (line.get_xdata()[0], line.get_ydata()[0])
        for line in axis.lines
        if line.get_marker() == "x" and len(line.get_xdata())
    ]
    assert crosses == [pytest.approx((last["epoch"], 100 * last["test_accuracy"]))]


def test_losses_and_scales_are_on_logarithmic_axes(shown: Shown) -> None:
    assert {axis.get_yscale() for axis in shown.figures["loss-curves"].axes} == {"log"}
    assert shown.panel("accuracy-curves", "resnet8").get_yscale() == "linear"
    scale = shown.panel("loss-scale", "resnet8")
    assert (scale.get_yscale(), scale.get_ylabel()) == ("log", "loss scale")
    assert set(legend(shown.figures["loss-scale"])) >= {"mixed"}
    assert not {"float16", "float32"} & set(legend(shown.figures["loss-scale"]))


def test_an_arm_has_one_colour_in_all_figures_and_no_two_share_one(shown: Shown) -> None:
    told = [
        legend(shown.figures[name]) for name in ("accuracy-curves", "loss-curves", "zero-gradients")
    ]
    for arm in ARMS:
        assert len({colours[arm] for colours in told}) == 1
    assert len({told[0][arm] for arm in ARMS}) == len(ARMS)
    axis = shown.panel("final-accuracy", "resnet8")
    for place, arm in enumerate(ARMS):
        seen = {to_hex(line.get_color()) for line in axis.lines
                if len(line.get_xdata()) and set(np.ravel(line.get_xdata())) == {place}}  # fmt: skip
        assert seen == {told[0][arm]}


def test_errors_of_the_cast_stand_below_their_bounds_by_tensor(shown: Shown) -> None:
    rows = shown.study.table("quantization").query("network == 'resnet14'")
    axis = next(a for a in shown.figures["quantization-error"].axes if "resnet14" in a.get_title())
    mean = rows.groupby("tensor", sort=False)["relative_error"].mean()
    wanted = {i + 1: value for i, value in enumerate(mean) if value > 0}
    assert dict(points(axis)) == pytest.approx(wanted)
    bounds = {round((a[0] + b[0]) / 2): a[1] for a, b in bars(axis, "#1c2126")}
    size = rows["error_norm"] / rows["relative_error"]
    share = (rows["bound_norm"] / size).groupby(rows["tensor"], sort=False).mean().dropna()
    assert list(bounds.values()) == pytest.approx(share.tolist())
    assert axis.get_yscale() == "log" and "n = 4 seeds" in axis.get_title()


@pytest.mark.parametrize("network", NETWORKS)
def test_the_switch_is_marked_where_the_last_phase_begins(shown: Shown, network: str) -> None:
    axis = shown.panel("accuracy-curves", network)
    upright = [line.get_xdata()[0] for line in axis.lines if list(line.get_ydata()) == [0, 1]]
    assert upright == [3]
    assert "switch" in legend(shown.figures["accuracy-curves"])


def test_what_comes_after_the_switch_has_a_panel_of_its_own(shown: Shown) -> None:
    figure = shown.figures["accuracy-curves"]
    panels = [axis for axis in figure.axes if axis.get_title() == "after the switch"]
    assert len(panels) == len(NETWORKS)
    for axis, network in zip(panels, NETWORKS, strict=True):
        for arm, colour in legend(figure).items():
            for x, y in lines(axis, colour, thick=True) if arm in ARMS else ():
                values = 100 * _curves(shown, network, arm, "test_accuracy", 1)
                assert x == list(values.index)
                assert y == pytest.approx(values.mean(axis=1).tolist())
        assert not lines(axis, legend(figure)["before the switch, all arms"], thick=True)


def test_the_largest_share_of_gradients_that_are_not_finite_is_told_by_arm(shown: Shown) -> None:
    assert "0 % in float32, 2 % in float16, 0.5 % in mixed" in shown.texts["zero-gradients"]


def test_of_an_arm_that_kept_no_epoch_the_share_is_not_known(tmp_path) -> None:
    made = make(tmp_path)
    rows = made.table("curves")
    rows.loc[rows["arm"] == "float16", "nonfinite_gradients"] = np.nan
    rows.to_csv(made.summary / "curves.csv", index=False)
    caption = draw(made, (curves.zero_gradients,)).texts["zero-gradients"]
    assert "0 % in float32, not known in float16, 0 % in mixed" in caption
