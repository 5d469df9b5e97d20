"""What the figures of time and memory draw, against numbers worked out from runs and turns."""

import re

import numpy as np
import pandas as pd
import pytest
from drawn import ARMS, LOST, NETWORKS, Shown, bars, draw, interval, legend, make, points
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from sixteen.reporting.figures import cost, curves, memory, reach, timed

STATE = {
    "weight_bytes": "weights",
    "master_bytes": "float32 master weights",
    "gradient_bytes": "gradients",
    "optimizer_bytes": "optimizer state",
}
UNITS = {"GB": 1e9, "MB": 1e6, "kB": 1e3, "bytes": 1}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    made = make(tmp_path_factory.mktemp("cost"))
    # Seeds that take unequal times, one that never gets there, one that is there at once.
    seconds = {
        "float32": [10.0, 14.0, 17.5, 11.0],
        "float16": [9.0, None, 4.0, 5.5],
        "mixed": [0.0, 8.0, 7.0, 3.0],
    }
    rows = [
        (network, arm, seed, 5, value, "timed")
        for network in NETWORKS
        for arm, values in seconds.items()
        for seed, value in enumerate(values)
        if (network, arm, seed) != LOST
    ]
    ratios = made.table("differences")
    other = ratios["metric"] == "seconds_per_epoch"  # as it is, it agrees with the training time
    ratios.loc[other, ["mean", "low", "high"]] *= 1.1
    ratios.to_csv(made.summary / "differences.csv", index=False)
    columns = ["network", "arm", "seed", "epoch", "seconds", "clock"]
    pd.DataFrame(rows, columns=columns).to_csv(made.summary / "reach.csv", index=False)
    return draw(
        made,
        (
            lambda study: cost.speed(study, "float16", "float32"),
            lambda study: cost.speed(study, "mixed", "float32"),
            timed.step_times,
            memory.memory,
            memory.largest_batch,
            reach.equal_accuracy,
            curves.loss_curves,
        ),
    )


def _rows(axis: Axes) -> dict[str, float]:
    """Heights of the rows of a figure by what stands beside them."""
    names = [text.get_text().replace("\n", " ") for text in axis.get_yticklabels()]
    return dict(zip(names, axis.get_yticks(), strict=True))


def _geometric(ratios: pd.Series) -> tuple[float, float, float]:
    mean, low, high = interval(np.log(ratios))
    return float(np.exp(mean)), float(np.exp(low)), float(np.exp(high))


def _check_row(axis: Axes, place: float, ratios: pd.Series) -> None:
    found = sorted(x for x, y in points(axis) if 0.1 < y - place < 0.4)
    assert found == pytest.approx(sorted(ratios))
    mean, low, high = _geometric(ratios)
    (line,) = [
        made for made in axis.lines if made.get_markersize() >= 8 and made.get_ydata()[0] == place
    ]
    assert line.get_xdata()[0] == pytest.approx(mean)
    ((first, y), (last, _)) = next(
        bar for bar in bars(axis, to_hex(line.get_color())) if bar[0][1] == place
    )
    assert (first, y, last) == pytest.approx((low, place, high))


@pytest.mark.parametrize("arm", ["float16", "mixed"])
def test_training_times_are_ratios_to_the_reference_by_seed(shown: Shown, arm: str) -> None:
    (axis,) = shown.figures[f"speed-{arm}"].axes
    rows = _rows(axis)
    for network in NETWORKS:
        first, second = (shown.finished(network, a, "train_seconds") for a in (arm, "float32"))
        ratios = (first / second).dropna()
        _check_row(axis, rows[f"{network}, n = {len(ratios)}"], ratios)
    assert axis.get_xlabel() == (
        f"training time {arm} / float32, without compilation (below 1: faster)"
    )
    assert axis.get_xscale() == "log"


def test_the_papers_numbers_stand_on_lines_of_their_own(shown: Shown) -> None:
    for name in ("speed-float16", "step-times"):
        (axis,) = shown.figures[name].axes
        rows = _rows(axis)
        told = {"resnet156, paper": 0.673, "every network, paper": 0.9}
        for label, value in told.items():
            found = [line.get_xdata()[0] for line in axis.lines
                     if line.get_marker() == "D" and line.get_ydata()[0] == rows[label]]  # fmt: skip
            assert found == [value]
        assert {t.get_text() for t in axis.texts} >= {"0.673", "0.9"}
    assert not any("paper" in label for label in _rows(shown.figures["speed-mixed"].axes[0]))


@pytest.mark.parametrize("arm", ["float16"])
def test_step_times_are_ratios_of_the_arm_to_the_reference_by_turn(shown: Shown, arm: str) -> None:
    (axis,) = shown.figures["step-times"].axes
    times = pd.read_csv(shown.study.summary / "times.csv")
    for network in NETWORKS:
        mine = times[(times["network"] == network) & times["against"].isin([arm, "float32"])]
        mine = mine[mine["arm"].isin([arm, "float32"])].set_index("turn")
        by = {name: group["step_seconds"] for name, group in mine.groupby("arm")}
        place = _rows(axis)[f"{network}, {arm} / float32, n = {len(by[arm])}"]
        _check_row(axis, place, by[arm] / by["float32"])
    assert axis.get_xlabel().startswith("time of a training step, arm / reference")


def test_arms_have_the_colours_that_they_have_elsewhere(shown: Shown) -> None:
    colours = legend(shown.figures["loss-curves"])
    for arm in ("float16", "mixed"):
        axis = shown.figures[f"speed-{arm}"].axes[0]
        large = [line for line in axis.lines if line.get_markersize() >= 8]
        assert {to_hex(line.get_color()) for line in large} == {colours[arm]}
    axis = shown.panel("time-to-accuracy", "resnet8")
    for place, arm in enumerate(ARMS):
        assert {colour for colour in colours.values() if points(axis, colour)} <= set(
            colours[a] for a in ARMS
        )
        assert all(abs(x - place) < 0.2 for x, _ in points(axis, colours[arm]))


@pytest.mark.parametrize("network", NETWORKS)
def test_bars_of_memory_are_the_bytes_of_each_arm(shown: Shown, network: str) -> None:
    axis, colours = shown.panel("memory", network), legend(shown.figures["memory"])
    (unit,) = re.findall(r"\((\w+)\)", axis.get_ylabel())
    assert [text.get_text() for text in axis.get_xticklabels()] == list(ARMS)
    boxes = [patch for patch in axis.patches if isinstance(patch, Rectangle)]
    runs = pd.read_csv(shown.study.summary / "runs.csv").query("network == @network")
    for place, arm in enumerate(ARMS):
        one = runs[runs["arm"] == arm].iloc[0]
        wanted = {words: one[column] for column, words in STATE.items()}
        wanted["activations of a batch"] = one["activation_bytes"] * one["batch"]
        mine = [box for box in boxes if box.get_x() < place < box.get_x() + box.get_width()]
        found = {
            words: next(b.get_height() for b in mine if to_hex(b.get_facecolor()) == colour)
            for words, colour in colours.items()
        }
        assert {name: height * UNITS[unit] for name, height in found.items()} == pytest.approx(
            wanted
        )
        tops = sorted((box.get_y(), box.get_y() + box.get_height()) for box in mine)
        assert [low for low, _ in tops][1:] == pytest.approx([high for _, high in tops][:-1])
        total = sum(wanted.values()) / UNITS[unit]
        first = runs[runs["arm"] == "float32"].iloc[0]
        share = one["training_bytes"] / first["training_bytes"]
        assert f"{total:.3g}\n({share:.2g})" in {text.get_text() for text in axis.texts}


def test_peaks_of_memory_are_drawn_seed_by_seed(shown: Shown) -> None:
    runs = pd.read_csv(shown.study.summary / "runs.csv").query("network == 'resnet8'")
    axis = next(
        a for a in shown.figures["memory"].axes if a.get_ylabel().startswith("peak of the process")
    )
    (unit,) = re.findall(r"\((\w+)\)", axis.get_ylabel())
    looks = legend(shown.figures["loss-curves"]).values()
    for place, arm in enumerate(ARMS):
        found = sorted(y for x, y in points(axis) if x == place)
        wanted = runs.loc[runs["arm"] == arm, "peak_bytes"] / UNITS[unit]
        assert found == pytest.approx(sorted(wanted))
        level = [a[1] for colour in looks for a, b in bars(axis, colour) if a[0] < place < b[0]]
        assert level == [pytest.approx(wanted.mean())]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_largest_batch_is_what_is_left_over_an_items_activations(
    shown: Shown, network: str
) -> None:
    axis, colours = shown.panel("largest-batch", network), legend(shown.figures["largest-batch"])
    runs = pd.read_csv(shown.study.summary / "runs.csv").query("network == @network")
    assert {name for label in colours for name in label.split(", ")} == set(ARMS)
    for label, colour in colours.items():
        for arm in label.split(", "):
            one = runs[runs["arm"] == arm].iloc[0]
            state = sum(one[column] for column in STATE)
            (line,) = [line for line in axis.lines if to_hex(line.get_color()) == colour]
            found = dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
            assert {8, 80} <= set(found)
            for gib, batch in found.items():
                assert batch == (gib * 2**30 - state) // one["activation_bytes"]
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("memory (GiB)", "images in a batch")


@pytest.mark.parametrize("network", NETWORKS)
def test_time_to_accuracy_is_drawn_for_the_runs_that_reached_it(shown: Shown, network: str) -> None:
    axis = shown.panel("time-to-accuracy", network)
    rows = pd.read_csv(shown.study.summary / "reach.csv").query("network == @network")
    assert [text.get_text() for text in axis.get_xticklabels()] == list(ARMS)
    looks = legend(shown.figures["loss-curves"]).values()
    for place, arm in enumerate(ARMS):
        seconds = rows.loc[rows["arm"] == arm, "seconds"].dropna()
        small = sorted(y for x, y in points(axis) if -0.2 < x - place < 0)
        assert small == sorted(seconds)
        ((x, mean),) = [(x, y) for x, y in points(axis) if 0 < x - place < 0.2]
        (ends,) = [(a[1], b[1]) for colour in looks for a, b in bars(axis, colour) if a[0] == x]
        assert (mean, *ends) == pytest.approx(interval(seconds))
    assert axis.get_ylabel() == "training time (s)"
    counts = {"resnet8": "n = 4 / 3 / 4", "resnet14": "n = 4 / 2 / 4"}
    assert axis.get_title() == f"{network}: {counts[network]}"
    told = shown.texts["time-to-accuracy"]
    assert "2 of 23 never did" in told and "2 began at or above it" in told
