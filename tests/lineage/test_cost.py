"""What bits cost, told before anything runs."""

from pathlib import Path

import pytest

from sixteen.lineage.cost import costs, told
from sixteen.lineage.items import Items
from sixteen.precision.bits import bit_cost, of_steps
from sixteen.study.load import load

PROJECT = load(Path(__file__).parents[2])


def found(study, train, shape):
    entry = PROJECT.studies[study]
    return costs(PROJECT, entry, Items(train, 100, 10, shape))


def test_an_arm_costs_what_its_bits_cost_over_all_steps():
    spent = found("schedules-images-demo", 1500, (10, 10, 3))
    schedule = PROJECT.bits["rex-repeated"]
    forward = of_steps(schedule, 3, 8, 0, 12, 1500 // 32)
    assert spent["rr"] == 12 * bit_cost(forward, 8)
    assert spent["float32"] == 12 and spent["static"] == 12 / 16
    assert min(spent, key=spent.__getitem__) == "static-low"


def test_phases_count_by_their_epochs():
    spent = found("deficit-demo", 500, (64,))
    low, high = (4 + 2 * 2 * 8) / 3072, 1 / 16
    assert spent["deficit-100"] == pytest.approx(100 * low + 400 * high)
    assert spent["deficit-100"] > spent["deficit-0"]  # it comes on top


def test_a_whole_graph_is_one_step_an_epoch_so_that_short_runs_end_below_the_most_bits():
    """The mean costs of the authors' 500 epochs on OGBN-Arxiv, see the tests of schedules."""
    spent = found("schedules-nodes", 90_941, (128,))
    assert spent["rr"] / spent["static"] == pytest.approx(0.388, abs=5e-4)
    assert spent["lr"] / spent["static"] == pytest.approx(0.619, abs=5e-4)


def test_a_text_has_as_many_steps_as_windows():
    spent = found("schedules-language-demo", 200_000, (35,))
    forward = of_steps(PROJECT.bits["rex-repeated"], 3, 8, 0, 8, 200_000 // 20 // 35)
    assert spent["rr"] == 8 * bit_cost(forward, 8)


def test_a_study_without_grids_has_no_such_cost():
    assert found("continuous16-demo", 1437, (8, 8, 1)) == {} and told({}) == []


def test_costs_are_told_beside_float32_and_the_first_arm():
    lines = told({"static": 0.625, "float32": 10.0, "rr": 0.3125})
    assert [line.split() for line in lines if "float32:" not in line][-4:] == [
        ["arm", "epochs", "of", "static"],
        ["static", "0.625", "1.000"],
        ["float32", "10", "16.000"],
        ["rr", "0.3125", "0.500"],
    ]
