"""Schedules of bits against the tables of arXiv:2403.02243 and of CPT, and against formulas written a second time."""

import math

import numpy as np
import pytest
from pydantic import ValidationError

from sixteen.precision.bits import Cyclic, Static, Window, bit_cost, height, of_steps
from sixteen.precision.entry import FLOAT32, Quantized, precision_of

PROFILES = {"C": "cosine", "L": "linear", "E": "exponential", "R": "rex"}
FORMS = {"R": "repeated", "T": "triangular-v", "TV": "triangular-v", "TH": "triangular-h"}
# Mean cost relative to static training with the most bits, for n = 8 and T = 64,000, with three digits.
RANGES = [(3, 8, 8), (3, 6, 6), (4, 8, 8), (4, 6, 6), (5, 8, 8)]
COSTS = {
    ("RR", "RTH"): [0.399, 0.497, 0.501, 0.644, 0.611],
    ("LR", "LT"): [0.628, 0.696, 0.695, 0.792, 0.766],
    ("CR", "CT"): [0.633, 0.700, 0.699, 0.793, 0.769],
    ("ETV",): [0.635, 0.701, 0.700, 0.794, 0.769],
    ("RTV",): [0.637, 0.702, 0.702, 0.794, 0.770],
    ("ER", "ETH"): [0.822, 0.863, 0.858, 0.912, 0.895],
}
# Of the Arxiv runs, T = 500 epochs of one step, n = 8: cost, and bits of the last step.
SHORT = {
    **{"RR": (0.388, 6), "RTH": (0.393, 6), "RTV": (0.636, 6), "CR": (0.625, 8), "CT": (0.630, 8)},
    **{"LR": (0.619, 8), "LT": (0.625, 8), "ER": (0.817, 8), "ETH": (0.823, 8), "ETV": (0.632, 8)},
}


def schedule(name: str, cycles: int = 8, start: float = 0) -> Cyclic:
    about = {"profile": PROFILES[name[0]], "form": FORMS[name[1:]], "cycles": cycles}
    return Cyclic.model_validate({"kind": "cyclic", "start": start, **about})


def relative(name: str, low: int, high: int, gradients: int, total: int) -> float:
    steps = of_steps(schedule(name), low, high, 0, 1, total)
    return bit_cost(steps, gradients) / bit_cost(np.full(1, high), gradients)


@pytest.mark.parametrize("name", [name for names in COSTS for name in names])
def test_costs_are_those_of_the_paper(name):
    costs = next(costs for names, costs in COSTS.items() if name in names)
    for (low, high, gradients), cost in zip(RANGES, costs, strict=True):
        # The table has three digits, some of which stand for exactly half of the last one.
        assert relative(name, low, high, gradients, 64_000) == pytest.approx(cost, abs=0.00055)


@pytest.mark.parametrize(("name", "told"), SHORT.items())
def test_short_runs_end_below_the_most_bits_as_those_of_the_authors(name, told):
    assert round(relative(name, 3, 8, 8, 500), 3) == told[0]
    assert of_steps(schedule(name), 3, 8, 0, 500, 1)[-1] == told[1]


@pytest.mark.parametrize(
    ("low", "high", "gradients", "saved"), [(3, 8, 8, 36.7), (3, 6, 6, 30.0), (5, 8, 8, 23.1)]
)
def test_saves_what_cyclic_precision_training_published(low, high, gradients, saved):
    cost = relative("CR", low, high, gradients, 64_000)
    assert 100 * (1 - cost) == pytest.approx(saved, abs=0.1)


def by_hand(name: str, z: float, falls: bool) -> float:
    """Height at the position z of a cycle: the table of formulas, for r = 1 and q_min = 0."""

    def f(u: float) -> float:
        return u / (0.1 + 0.9 * u)

    growth = {
        "C": 0.5 * (1 - math.cos(math.pi * z)),
        "L": z,
        "E": 1 - math.exp(-4 * z),
        "R": 1 - f(1 - z),
    }
    vertical = {"C": 1 - growth["C"], "L": 1 - z, "E": math.exp(-4 * z), "R": f(1 - z)}
    horizontal = {
        **{"C": vertical["C"], "L": vertical["L"]},
        **{"E": 1 - math.exp(-4 * (1 - z)), "R": 1 - f(z)},
    }
    if not falls:
        return growth[name[0]]
    return (horizontal if name.endswith("H") else vertical)[name[0]]


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.parametrize("cycles", [1, 2, 8])
def test_heights_are_those_of_the_formulas(name, cycles):
    total = 101
    length = total // cycles + 1
    found = height(schedule(name, cycles), total, 1)
    for step in range(total):
        falls = name[1] == "T" and (step // length) % 2 == 0
        wanted = by_hand(name, step % length / length, falls)
        assert found[step] == pytest.approx(wanted, abs=1e-12)


def test_bits_are_rounded_half_to_even():
    # 8 steps in one cycle of 9: heights 0, 1/9, ...; between 3 and 12 bits, each a whole number.
    steps = of_steps(schedule("LR", cycles=1), 3, 12, 0, 1, 8)
    assert list(steps) == [3, 4, 5, 6, 7, 8, 9, 10]
    # Half a bit up at every second one: 3.5 becomes 4, 4.5 becomes 4, 5.5 becomes 6.
    steps = of_steps(schedule("LR", cycles=1), 3, 8, 0, 1, 9)
    assert list(steps) == [3, 4, 4, 4, 5, 6, 6, 6, 7]


def test_a_static_schedule_has_the_most_bits_and_a_window_the_fewest_in_it():
    assert list(of_steps(Static(kind="static"), 3, 8, 4, 6, 2)) == [8, 8, 8, 8]
    window = Window(kind="window", start=1, epochs=2)
    # Epochs count from the beginning of the phase, whatever came before it.
    assert list(of_steps(window, 3, 8, 10, 14, 2)) == [8, 8, 3, 3, 3, 3, 8, 8]
    deficit = Window(kind="window", start=0, epochs=1)
    assert list(of_steps(deficit, 3, 8, 0, 2, 3)) == [3, 3, 3, 8, 8, 8]


def test_cycles_that_start_late_are_those_of_the_rest_of_the_phase():
    late = of_steps(schedule("CR", 2, start=3), 3, 8, 0, 10, 4)
    assert list(late[:12]) == [8] * 12
    assert list(late[12:]) == list(of_steps(schedule("CR", 2), 3, 8, 0, 7, 4))


def test_costs_count_products_of_forward_and_backward_bits():
    assert bit_cost(np.array([32]), 32) == FLOAT32.bit_cost(np.array([32])) == 1
    assert bit_cost(np.array([8]), 8) == 1 / 16
    assert bit_cost(np.array([4, 8]), 6) == ((16 + 48) + (64 + 96)) / 2 / 3072
    half = FLOAT32.model_copy(update={"compute": "float16"})
    assert half.bit_cost(np.array([32])) == 1 / 4


QUANTIZED = FLOAT32.plain() | {
    **{"low": 3, "high": 8, "gradients": 6, "ranges": "moving"},
    "bits": {"kind": "static"},
}


def test_an_entry_with_bits_is_quantized_and_knows_those_of_its_steps():
    entry = precision_of(QUANTIZED | {"bits": schedule("CR").plain()})
    assert isinstance(entry, Quantized)
    assert entry.most_bits == 8
    forward = entry.forward_bits(5, 10, 7)
    assert list(forward) == list(of_steps(schedule("CR"), 3, 8, 5, 10, 7))
    assert entry.bit_cost(forward) == bit_cost(forward, 6)
    assert list(FLOAT32.forward_bits(5, 6, 3)) == [32, 32, 32]
    assert precision_of(FLOAT32.plain()) == FLOAT32


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"low": 9}, "expected `low` to be at most `high`, 8 bits, came 9"),
        ({"low": 1}, "expected 2 to 16 bits, or 32"),
        ({"high": 17}, "expected 2 to 16 bits, or 32"),
        ({"gradients": 0}, "expected 2 to 16 bits, or 32"),
        ({"compute": "float16", "loss": "float16"}, "expected `compute: float32`"),
    ],
)
def test_refuses_bits_that_no_grid_has(changes, said):
    with pytest.raises(ValidationError, match=said):
        precision_of(QUANTIZED | changes)
