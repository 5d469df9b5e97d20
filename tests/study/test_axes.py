"""Axes fill the braces of arms; a factorial is axes with two levels."""

import pytest

from sixteen.errors import UserError
from sixteen.study.axes import Factorial, expand, fill, places

SWITCH = "trained-in-float32-by-sgd-until-{at}/continued-in-float16-by-sgd-until-100"


def test_an_axis_makes_an_arm_of_each_value():
    arms = expand({"never": "trained-...", "after-{at}": SWITCH}, {"at": (5, 25)}, None)
    assert arms == {
        "never": {"never": "trained-..."},
        "after-{at}": {
            "after-5": SWITCH.replace("{at}", "5"),
            "after-25": SWITCH.replace("{at}", "25"),
        },
    }


def test_values_may_have_names_and_an_empty_one_leaves_its_word_out():
    axes = {"scale": {"": None, "scaled": "brisk"}, "rate": {"slow": 1e-05, "fast": 0.1}}
    [arms] = expand({"{scale}-{rate}": "scale {scale} rate {rate}"}, axes, None).values()
    assert arms == {
        "slow": "scale none rate 0.00001",
        "fast": "scale none rate 0.1",
        "scaled-slow": "scale brisk rate 0.00001",
        "scaled-fast": "scale brisk rate 0.1",
    }


def test_numbers_and_words_are_spelled_so_that_snakemake_does_not_split_them():
    assert fill("{x}", {"x": (True, None, 1e-7, 3, "adam")}) == [
        "true",
        "none",
        "0.0000001",
        "3",
        "adam",
    ]


@pytest.mark.parametrize("factors", [3, 4, 5])
def test_the_half_of_a_design_is_the_fraction_of_highest_resolution(factors):
    """Its defining relation is the product of all factors: each arm has an odd number of second levels."""
    names = "abcdefg"[:factors]
    template = "-".join(f"{{{name}}}" for name in names)
    axes = {name: {"": 0, name: 1} for name in names}
    half = expand({template: template}, axes, Factorial(arms=template, fraction="half"))[template]
    full = expand({template + "-x": template}, axes, None)[template + "-x"]
    assert len(half) == len(full) // 2 == 2 ** (factors - 1)
    levels = [list(map(int, text.split("-"))) for text in half.values()]
    assert all(sum(row) % 2 == 1 for row in levels)
    for i in range(factors):  # balanced
        assert sum(row[i] for row in levels) == len(levels) // 2


@pytest.mark.parametrize(
    ("templates", "axes", "factorial", "expected"),
    [
        ({"a": "{b}"}, {}, None, "braces that name an axis"),
        ({"a": "{b}"}, {"b": (1, 2)}, None, "'a' twice"),
        ({"a-{b}": "{b}", "a-1": "x"}, {"b": (1, 2)}, None, "'a-1' twice"),
        ({"{b}": "{b}"}, {"b": {"": 1, "c": 2}}, None, "an arm with a name"),
        (
            {"{b}": "{b}"},
            {"b": (1, 2, 3)},
            Factorial(arms="{b}", fraction="half"),
            "axes of two levels",
        ),
    ],
)
def test_what_makes_no_arms_is_refused(templates, axes, factorial, expected):
    with pytest.raises(UserError, match=expected):
        expand(templates, axes, factorial)


def test_more_arms_than_anybody_means_are_refused():
    axes = {f"a{i}": tuple(range(10)) for i in range(9)}
    template = "-".join(f"{{{name}}}" for name in axes)
    with pytest.raises(UserError, match="at most 10,000 combinations, came 1,000,000,000"):
        expand({template: template}, axes, None)


def test_arms_along_an_axis_are_told_by_the_rest_of_their_names():
    templates = {"never": "a", "float32-{rate}-{scale}": "b", "fast-{rate}": "c"}
    axes = {"rate": (0.01, 1), "scale": {"": None, "scaled": "brisk"}}
    assert places(templates, axes, None, "rate") == {
        "float32-0_01": ("float32", "0.01"),
        "float32-0_01-scaled": ("float32-scaled", "0.01"),
        "float32-1": ("float32", "1"),
        "float32-1-scaled": ("float32-scaled", "1"),
        "fast-0_01": ("fast", "0.01"),
        "fast-1": ("fast", "1"),
    }


def test_an_axis_that_no_arm_has_in_its_name_is_refused():
    with pytest.raises(
        UserError, match="expected an axis that arms have in their names, came 'rate'"
    ):
        places({"float32": "{rate}"}, {"rate": (1, 2)}, None, "rate")
