"""What the figures of theory beside measurement draw, against numbers worked out from the observations."""

import numpy as np
import pandas as pd
import pytest
from drawn import ARMS, LOST, NETWORKS, SEEDS, Shown, draw, legend, lines, make, points
from matplotlib.colors import to_hex

from sixteen.reporting.figures import exponents, theory, updates

SMALLEST = -24  # exponent of the smallest float16 number


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return draw(
        make(tmp_path_factory.mktemp("theory"), observe="last"),
        (
            theory.quantization,
            theory.gradient,
            theory.gradient_layers,
            theory.hessian,
            theory.descent,
            theory.remainder,
            updates.over_training,
            updates.layers,
            updates.against_reached,
            exponents.histogram,
            exponents.below,
            exponents.heat_map,
        ),
    )


def _observed(shown: Shown, table: str, network: str, arm: str) -> pd.DataFrame:
    rows = pd.read_csv(shown.study.summary / f"{table}.csv")
    return rows[(rows["network"] == network) & (rows["arm"] == arm)]


def _whole(shown: Shown, network: str, arm: str) -> pd.DataFrame:
    rows = _observed(shown, "observations", network, arm)
    return rows[rows["tensor"] == "all"]


def _finished(rows: pd.DataFrame) -> pd.DataFrame:
    keys = zip(rows["network"], rows["arm"], rows["seed"], strict=True)
    return rows[[key != LOST for key in keys]]


def _check_curve(shown: Shown, name: str, network: str, arm: str, values: pd.Series) -> None:
    """The thick line of an arm is the mean over the seeds that finished."""
    axis, colours = shown.panel(name, network), legend(shown.figures[name])
    rows = _finished(_whole(shown, network, arm))
    mean = values[rows.index].groupby(rows["epoch"]).mean()
    ((x, y),) = lines(axis, colours[arm], thick=True)
    assert dict(zip(x, y, strict=True)) == pytest.approx(mean.to_dict())


@pytest.mark.parametrize("network", NETWORKS)
def test_the_casting_error_is_drawn_below_its_bound_where_weights_are_float32(
    shown: Shown, network: str
) -> None:
    axis, colours = shown.panel("casting-error", network), legend(shown.figures["casting-error"])
    assert {"float32", "mixed", "bound"} <= set(colours) and "float16" not in colours
    for arm in ("float32", "mixed"):
        rows = _whole(shown, network, arm)
        _check_curve(shown, "casting-error", network, arm, rows["quantization_error"])
        bounds = rows.groupby("epoch")["quantization_bound"].mean()
        thin = lines(axis, colours[arm], thick=False)
        assert any(y == pytest.approx(bounds.tolist()) for _, y in thin)
    assert axis.get_yscale() == "log"


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("arm", ["float16", "mixed"])
def test_the_error_of_the_gradient_is_relative_to_the_float32_gradient(
    shown: Shown, network: str, arm: str
) -> None:
    rows = _whole(shown, network, arm)
    _check_curve(
        shown, "gradient-error", network, arm, rows["gradient_error"] / rows["gradient_norm"]
    )
    axis = shown.panel("gradient-error", network)
    assert axis.get_yscale() == "log"
    assert axis.get_ylabel().replace("\n", " ") == "relative error of the gradient"


def test_the_cosine_of_the_gradient_has_a_panel_of_its_own(shown: Shown) -> None:
    figure, colours = shown.figures["gradient-error"], legend(shown.figures["gradient-error"])
    panels = [axis for axis in figure.axes if axis.get_ylabel().startswith("cosine")]
    assert len(panels) == len(NETWORKS)
    for axis, network in zip(panels, NETWORKS, strict=True):
        assert axis.get_yscale() == "linear"
        for arm in ("float16", "mixed"):
            rows = _finished(_whole(shown, network, arm))
            mean = rows.groupby("epoch")["gradient_cosine"].mean()
            ((x, y),) = lines(axis, colours[arm], thick=True)
            assert dict(zip(x, y, strict=True)) == pytest.approx(mean.to_dict())


def test_the_error_of_a_tensors_gradient_is_that_at_the_switch(shown: Shown) -> None:
    axis = shown.panel("gradient-error-layers", "resnet14")
    colours = legend(shown.figures["gradient-error-layers"])
    for arm in ("float16", "mixed"):
        rows = _observed(shown, "observations", "resnet14", arm)
        rows = rows[(rows["tensor"] != "all") & (rows["epoch"] == rows["epoch"].min())]
        rows = rows.assign(ratio=rows["gradient_error"] / rows["gradient_norm"])
        mean = rows.groupby("tensor", sort=False)["ratio"].mean()
        wanted = dict(enumerate(mean, start=1))
        assert dict(points(axis, colours[arm])) == pytest.approx(wanted)
    assert axis.get_yscale() == "log"


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    ("name", "table", "x", "y", "across", "up"),
    [
        ("hessian", "observations", "hessian_product", "gradient_change", "Hessian", "measured change"),
        ("descent", "descent", "predicted_decrease", "actual_decrease", "predicted", "actual"),
    ],
)  # fmt: skip
def test_estimates_lie_across_and_measurements_up(
    shown: Shown, network: str, name: str, table: str, x: str, y: str, across: str, up: str
) -> None:
    axis, colours = shown.panel(name, network), legend(shown.figures[name])
    assert across in axis.get_xlabel() and up in axis.get_ylabel()
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    assert axis.get_xlim() == axis.get_ylim()
    for arm in set(ARMS) & set(colours):
        rows = _observed(shown, table, network, arm)
        rows = rows[rows["tensor"] == "all"] if "tensor" in rows else rows
        rows = rows[rows[y] > 0]
        wanted = sorted(zip(rows[x], rows[y], strict=True))
        assert np.array(sorted(points(axis, colours[arm]))) == pytest.approx(np.array(wanted))
    equal = [line for line in axis.lines if line.get_linestyle() != "None"]
    assert all(list(line.get_xdata()) == list(line.get_ydata()) for line in equal) and equal


def test_the_gap_of_the_hessian_is_the_norm_of_the_difference_over_the_change(shown: Shown) -> None:
    rows = pd.read_csv(shown.study.summary / "observations.csv").query("tensor == 'all'")
    rows = rows.dropna(subset=["gradient_change_gap"])
    gap = np.median(rows["gradient_change_gap"] / rows["gradient_change"])
    assert f"measured change: {100 * gap:.3g} %" in shown.texts["hessian"]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("arm", ARMS)
def test_the_remainder_is_the_predicted_minus_the_actual_decrease(
    shown: Shown, network: str, arm: str
) -> None:
    axis, colours = shown.panel("remainder", network), legend(shown.figures["remainder"])
    rows = _finished(_observed(shown, "descent", network, arm))
    mean = (rows["predicted_decrease"] - rows["actual_decrease"]).groupby(rows["epoch"]).mean()
    ((x, y),) = lines(axis, colours[arm], thick=True)
    assert dict(zip(x, y, strict=True)) == pytest.approx(mean.to_dict())
    assert axis.get_ylabel() == "remainder R (nats)"


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("arm", ARMS)
def test_lost_updates_are_shares_of_the_updates(shown: Shown, network: str, arm: str) -> None:
    rows = _whole(shown, network, arm)
    _check_curve(shown, "lost-updates", network, arm, 100 * rows["lost_updates"] / rows["updates"])
    assert shown.panel("lost-updates", network).get_ylabel() == "lost updates (%)"


@pytest.mark.parametrize("network", NETWORKS)
def test_the_map_of_lost_updates_names_its_tensors_and_epochs(shown: Shown, network: str) -> None:
    axis = shown.panel("lost-updates-layers", network)
    (arm,) = [arm for arm in ARMS if f"{network}, {arm}:" in axis.get_title()]
    assert arm == "float16"  # the only arm that stores 16 bits
    rows = _observed(shown, "observations", network, arm).query("tensor != 'all'")
    share = 100 * rows["lost_updates"] / rows["updates"]
    mean = share.groupby([rows["tensor"], rows["epoch"]]).mean()
    grid = np.asarray(axis.collections[0].get_array()).reshape(
        len(axis.get_yticklabels()), len(axis.get_xticklabels())
    )
    for i, tensor in enumerate(axis.get_yticklabels()):
        for j, epoch in enumerate(axis.get_xticklabels()):
            wanted = mean[tensor.get_text(), int(epoch.get_text())]
            assert grid[i, j] == pytest.approx(wanted)
    assert axis.get_xlabel() == "epoch" and f"n = {SEEDS} seeds" in axis.get_title()


@pytest.mark.parametrize("network", NETWORKS)
def test_lost_updates_lie_across_and_accuracy_up(shown: Shown, network: str) -> None:
    name = "lost-updates-accuracy"
    axis, colours = shown.panel(name, network), legend(shown.figures[name])
    assert axis.get_xlabel().startswith("lost updates (%)")
    assert axis.get_ylabel() == "test accuracy (%)"
    for arm in ARMS:
        x, y = (100 * shown.finished(network, arm, c) for c in ("lost_updates", "accuracy"))
        wanted = np.array(sorted(zip(x, y, strict=True)))
        assert np.array(sorted(points(axis, colours[arm]))) == pytest.approx(wanted)


def _exponents(shown: Shown, network: str, of: str, epoch: int) -> pd.DataFrame:
    rows = pd.read_csv(shown.study.summary / "exponents.csv")
    return rows.query("network == @network and of == @of and epoch == @epoch")


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("of", ["weights", "activations"])
def test_shares_by_exponent_are_of_all_values_zeros_included(
    shown: Shown, network: str, of: str
) -> None:
    title = f"{network}: gradients of {of}"
    axis = next(a for a in shown.figures["gradient-exponents"].axes if a.get_title() == title)
    colours = {t.get_text(): to_hex(line.get_color())
               for t, line in zip(axis.get_legend().get_texts(), axis.get_legend().legend_handles, strict=True)}  # fmt: skip
    assert list(colours) == ["epoch 3", "epoch 6"]
    for label, colour in colours.items():
        rows = _exponents(shown, network, of, int(label.split()[1]))
        total = rows["count"].sum()
        share = 100 * rows.dropna().groupby("exponent")["count"].sum() / total
        (line,) = [made for made in axis.lines if to_hex(made.get_color()) == colour]
        found = {x: y for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True) if y}
        assert found == pytest.approx(share.to_dict())
    assert axis.get_ylabel() == "share of values (%)"
    limits = sorted(line.get_xdata()[0] for line in axis.lines if len(set(line.get_xdata())) == 1)
    assert limits == [-24.5, -14.5]


@pytest.mark.parametrize("of", ["weights", "activations"])
def test_what_is_too_small_is_a_share_of_the_values_that_are_not_zero(
    shown: Shown, of: str
) -> None:
    figure = shown.figures["gradients-below"]
    title = f"resnet8: gradients of {of}"
    axis = next(a for a in figure.axes if a.get_title() == title)
    for label, colour in legend(figure).items():
        scale = int(label.removeprefix("scale ").replace(",", ""))
        (line,) = [made for made in axis.lines if to_hex(made.get_color()) == colour]
        for epoch, found in zip(line.get_xdata(), line.get_ydata(), strict=True):
            rows = _exponents(shown, "resnet8", of, int(epoch)).dropna()
            small = rows["count"][2.0 ** rows["exponent"] * scale < 2.0**SMALLEST].sum()
            assert found == pytest.approx(100 * small / rows["count"].sum())


@pytest.mark.parametrize("network", NETWORKS)
def test_the_map_of_exponents_is_of_the_gradients_of_weights_at_the_end(
    shown: Shown, network: str
) -> None:
    axis = shown.panel("gradient-exponents-layers", network)
    assert axis.get_title() == f"{network}, epoch 6"
    rows = _exponents(shown, network, "weights", 6)
    share = 100 * rows["count"] / rows.groupby("tensor")["count"].transform("sum")
    wanted = {
        key: s
        for key, s in zip(zip(rows["tensor"], rows["exponent"], strict=True), share, strict=True)
    }
    tensors = [label.get_text() for label in axis.get_yticklabels()]
    grid = np.asarray(axis.collections[0].get_array()).reshape(len(tensors), -1)
    first = rows["exponent"].min()
    for i, tensor in enumerate(tensors):
        for j in range(grid.shape[1]):
            assert grid[i, j] == pytest.approx(wanted.get((tensor, first + j), 0))
    named = {
        round(place): text.get_text()
        for place, text in zip(axis.get_xticks(), axis.get_xticklabels(), strict=True)
    }
    assert all(
        int(text.replace("\N{MINUS SIGN}", "-")) == first + place for place, text in named.items()
    )
    limits = [line.get_xdata()[0] for line in axis.lines]
    assert limits == [limit - first - 0.5 for limit in (-24, -14) if limit >= first]
