"""Numbers as tables and sentences show them."""

import pytest

from sixteen.reporting.numbers import alike, estimates, signed

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([97, 96.75], ["97.00", "96.75"]),
        ([1, 0.999, 1], ["1.000", "0.999", "1.000"]),
        ([0.1878, -0.0939, 0.7361], ["0.1878", "\N{MINUS SIGN}0.0939", "0.7361"]),
        ([12, 420], ["12", "420"]),
        ([1234.5, 3], ["1,234", "3"]),
        ([2.5, NAN], ["2.5", "\N{EN DASH}"]),
        ([3e-7, 1], ["3e\N{MINUS SIGN}07", "1"]),
        ([], []),
    ],
)
def test_numbers_beside_each_other_have_the_same_decimals(
    values: list[float], shown: list[str]
) -> None:
    assert alike(values) == shown


def test_an_estimate_has_its_interval_and_n_where_there_are_any() -> None:
    told = estimates([(3, 97.0, 96.25, 97.75), (1, 96.5, NAN, NAN), (0, NAN, NAN, NAN)])
    told = [text.replace("\N{NO-BREAK SPACE}", " ") for text in told]
    assert told == ["97.00 [96.25, 97.75], n = 3", "96.50, n = 1", "\N{EN DASH}"]


def test_a_hyphen_is_a_minus_only_before_a_number_that_it_belongs_to() -> None:
    text = "-0.36 to -1, 1e-05, ±-2 (-3), 2^-24; resnet-8, seeds 1-3, 2026-11-24, rate-0.1, float16-scaled, x - 1"
    assert signed(text) == (
        "−0.36 to −1, 1e−05, ±−2 (−3), 2^−24; resnet-8, seeds 1-3, 2026-11-24, rate-0.1, float16-scaled, x - 1"  # noqa: RUF001
    )
