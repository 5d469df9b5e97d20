import math

import numpy as np
import pytest
from scipy import stats

from sixteen.analysis.statistics import (
    Estimate,
    Region,
    decide,
    exponential,
    holm,
    interval_within,
    needed_n,
    paired_difference,
    paired_log_ratio,
    power,
    t_interval,
    two_sided_p,
)

WITHIN_ONE = Region(-1, 1, closed=True)
ABOVE_ZERO = Region(0, math.inf, closed=False)


def test_t_interval_agrees_with_scipy() -> None:
    values = [1.0, 2.5, 3.0, 7.0]
    estimate = t_interval(values, 0.9)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high))
    assert (estimate.mean, estimate.sd) == pytest.approx((3.375, np.std(values, ddof=1)))


def test_one_value_has_no_interval() -> None:
    assert t_interval([3.0], 0.95).mean == 3
    assert t_interval([3.0], 0.95).low is None
    assert t_interval([], 0.95).mean is None


def test_equal_values_have_an_interval_without_width() -> None:
    estimate = t_interval([0.1] * 3, 0.95)
    assert (estimate.sd, estimate.low, estimate.high) == (0, 0.1, 0.1)


def test_the_interval_of_a_mean_share_ends_before_all_and_nothing() -> None:
    shares = [0.99, 1.0, 1.0]
    assert t_interval(shares, 0.95).high > 1
    told = interval_within(shares, 0.95, (0, 1))
    # log odds of the mean, and its standard error over m (1 - m), by hand
    mean, error = np.mean(shares), np.std(shares, ddof=1) / math.sqrt(3)
    half = 4.302653 * error / (mean * (1 - mean))
    odds = np.exp(math.log(mean / (1 - mean)) + np.array([-half, half]))
    assert (told.low, told.high) == pytest.approx(tuple(odds / (1 + odds)), rel=1e-6)
    assert told.mean == pytest.approx(mean) and 0 < told.low < mean < told.high < 1
    mirrored = interval_within([1 - share for share in shares], 0.95, (0, 1))
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - told.high, 1 - told.low))


def test_the_interval_of_a_mean_cosine_is_fishers() -> None:
    cosines = [0.9, 0.97, 0.995, 0.999]
    told, plain = interval_within(cosines, 0.9, (-1, 1)), t_interval(cosines, 0.9)
    z, half = math.atanh(plain.mean), (plain.high - plain.mean) / (1 - plain.mean**2)
    assert (told.low, told.high) == pytest.approx((math.tanh(z - half), math.tanh(z + half)))


def test_far_from_its_ends_and_without_any_it_is_the_t_interval() -> None:
    shares = [0.5, 0.501, 0.502]
    told, plain = interval_within(shares, 0.95, (0, 1)), t_interval(shares, 0.95)
    assert (told.low, told.high) == pytest.approx((plain.low, plain.high), abs=1e-7)
    assert interval_within([3.0, 7.0], 0.95, None) == t_interval([3.0, 7.0], 0.95)


def test_what_rounding_put_beyond_an_end_is_on_it_and_no_spread_is_no_width() -> None:
    told = interval_within([1.0000001, 0.9999999, 0.9999], 0.95, (-1, 1))
    assert told.low < told.mean < told.high < 1
    assert interval_within([1.0, 1.0], 0.95, (0, 1)) == t_interval([1.0, 1.0], 0.95)
    assert interval_within([0.4], 0.95, (0, 1)).low is None


def test_the_interval_of_a_share_covers_as_often_as_it_says() -> None:
    """Accuracies of 5 seeds around 0.97, each counted on 355 items: the t interval would leave [0, 1] at times."""
    random = np.random.default_rng(0)
    rate = random.beta(0.97 * 300, 0.03 * 300, (4000, 5))
    shares = random.binomial(355, rate) / 355
    told = [interval_within(list(row), 0.95, (0, 1)) for row in shares]
    covered = np.mean([(e.low or 0) <= 0.97 <= (e.high or 1) for e in told])
    assert 0.94 < covered < 0.97


def test_pairing_removes_what_the_pairs_share() -> None:
    seeds = np.array([10.0, 20.0, 30.0, 40.0])
    shift = np.array([1.0, 1.1, 0.9, 1.0])
    estimate = paired_difference(seeds + shift, seeds, 0.95)
    assert estimate.mean == pytest.approx(1)
    assert estimate.high - estimate.low < 0.3


def test_ratio_is_the_geometric_mean_and_its_inverse_mirrors() -> None:
    first, second = [2.0, 8.0, 3.0], [1.0, 1.0, 2.0]
    ratio = exponential(paired_log_ratio(first, second, 0.95))
    inverse = exponential(paired_log_ratio(second, first, 0.95))
    assert ratio.mean == pytest.approx((2 * 8 * 1.5) ** (1 / 3))
    assert ratio.low == pytest.approx(1 / inverse.high)


@pytest.mark.parametrize("seed", range(30))
def test_decision_by_interval_is_the_two_one_sided_tests(seed) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(rng.uniform(-1.5, 1.5), 0.6, size=6)
    lower = stats.ttest_1samp(values, -1, alternative="greater").pvalue
    upper = stats.ttest_1samp(values, 1, alternative="less").pvalue
    supported = decide(t_interval(list(values), 0.9), WITHIN_ONE) == "supported"
    assert supported == (max(lower, upper) <= 0.05)


@pytest.mark.parametrize("seed", range(30))
def test_decision_by_interval_is_the_one_sided_t_test(seed) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(rng.uniform(-1, 1), 0.6, size=5)
    verdict = decide(t_interval(list(values), 0.9), ABOVE_ZERO)
    greater = stats.ttest_1samp(values, 0, alternative="greater").pvalue < 0.05
    less = stats.ttest_1samp(values, 0, alternative="less").pvalue < 0.05
    assert verdict == ("supported" if greater else "refuted" if less else "inconclusive")


@pytest.mark.parametrize(
    ("values", "region", "verdict"),
    [
        ([1.0, 1.0], WITHIN_ONE, "supported"),
        ([1.5, 1.5], WITHIN_ONE, "refuted"),
        ([0.0, 0.0], ABOVE_ZERO, "refuted"),
        ([0.1, 0.1], ABOVE_ZERO, "supported"),
        ([0.1], ABOVE_ZERO, "inconclusive"),
        ([], ABOVE_ZERO, "inconclusive"),
    ],
)
def test_values_without_spread_decide_exactly_and_a_single_one_never(
    values, region, verdict
) -> None:
    assert decide(t_interval(values, 0.9), region) == verdict


@pytest.mark.parametrize(
    ("n", "mean", "sd", "region"),
    [
        (6, 0.5, 0.6, ABOVE_ZERO),
        (4, -0.5, 0.5, ABOVE_ZERO),
        (5, 0.1, 0.8, WITHIN_ONE),
        (3, 0.0, 0.4, WITHIN_ONE),
        (12, 0.4, 0.7, WITHIN_ONE),
        (5, 1.6, 0.5, WITHIN_ONE),
        (5, -1.6, 0.5, WITHIN_ONE),
    ],
)
def test_power_is_the_share_of_simulated_studies_that_decide(n, mean, sd, region) -> None:
    samples = np.random.default_rng(0).normal(mean, sd, size=(100_000, n))
    half = stats.t.ppf(0.95, n - 1) * samples.std(axis=1, ddof=1) / math.sqrt(n)
    low, high = samples.mean(axis=1) - half, samples.mean(axis=1) + half
    if region.low < mean < region.high:
        decided = (low >= region.low) & (high <= region.high)
    else:
        decided = low > region.high if mean > region.high else high < region.low
    assert power(n, mean, sd, region, 0.9) == pytest.approx(decided.mean(), abs=0.006)


def pilot(mean: float) -> Estimate:
    return Estimate(3, mean, 1.0, mean - 2.5, mean + 2.5)


def test_needed_n_of_the_one_sided_t_test_is_the_textbook_value() -> None:
    # Cohen's d 0.5, one-sided alpha 0.05, power 0.8: 27 pairs (G*Power 3.1)
    assert needed_n(pilot(0.5), ABOVE_ZERO, 0.9, 0.8) == 27
    assert needed_n(pilot(-0.5), ABOVE_ZERO, 0.9, 0.8) == 27


@pytest.mark.parametrize("mean", [0.0, 0.6, -0.6, 1.4])
def test_needed_n_is_the_fewest_with_the_power(mean) -> None:
    n = needed_n(pilot(mean), WITHIN_ONE, 0.9, 0.8)
    assert power(n - 1, mean, 1, WITHIN_ONE, 0.9) < 0.8 <= power(n, mean, 1, WITHIN_ONE, 0.9)


def test_needed_n_is_found_up_to_the_largest_that_is_told() -> None:
    n = needed_n(pilot(0.0262), ABOVE_ZERO, 0.9, 0.8)
    assert n is not None and 8192 < n <= 10_000
    assert power(n - 1, 0.0262, 1, ABOVE_ZERO, 0.9) < 0.8 <= power(n, 0.0262, 1, ABOVE_ZERO, 0.9)


def test_an_effect_on_the_limit_is_never_decided() -> None:
    assert needed_n(pilot(1.0), WITHIN_ONE, 0.9, 0.8) is None
    assert needed_n(pilot(0.0), ABOVE_ZERO, 0.9, 0.8) is None


def test_power_of_many_pairs_is_found_although_the_density_is_narrow() -> None:
    normal = stats.norm.cdf((1 - 0.99) / (0.3 / 100) - stats.norm.ppf(0.95))
    assert power(10_000, 0.99, 0.3, WITHIN_ONE, 0.9) == pytest.approx(normal, abs=1e-3)


def test_p_is_that_of_the_paired_t_test() -> None:
    first, second = [1.0, 2.5, 3.0, 7.0], [1.5, 2.0, 1.0, 4.0]
    expected = stats.ttest_rel(first, second).pvalue
    assert two_sided_p(paired_difference(first, second, 0.95)) == pytest.approx(expected)
    assert two_sided_p(paired_difference(second, first, 0.95)) == pytest.approx(expected)


@pytest.mark.parametrize("values", [[], [1.0], [0.0, 0.0], [0.02, 0.02, 0.02]])
def test_values_without_spread_are_no_evidence(values) -> None:
    assert two_sided_p(t_interval(values, 0.95)) is None


def test_holm_is_the_textbook_example() -> None:
    # By hand: 4 x 0.005, 3 x 0.01, 2 x 0.03, and 0.04 raised to the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_what_could_not_be_tested_counts_in_the_family() -> None:
    assert holm([0.01, None, None]) == [pytest.approx(0.03), None, None]
