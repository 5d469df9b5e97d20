"""Claims on not being inferior, and on several arms together: against closed forms, other programs and simulation."""

import itertools
from typing import Any

import numpy as np
import pytest
from made_up import LEVELS, TASK
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from sixteen.analysis.claims import judge, judge_all
from sixteen.analysis.criterion import number
from sixteen.analysis.evidence import Evidence
from sixteen.errors import UserError
from sixteen.study.claim import Claim
from sixteen.tasks.measured.parts.metrics import metrics_of

METRICS = metrics_of("model_language") | metrics_of(TASK)
COST = {"static": 1.0, "er": 0.82, "cr": 0.63, "ct": 0.63, "rr": 0.40}
SCHEDULES = ["er", "cr", "ct", "rr"]

Values = dict[str, list[float]]


def evidence(
    networks: dict[str, Values], metric: str = "accuracy", main: str = "accuracy", **columns: Any
) -> Evidence:
    """Runs whose arms have the given values of a metric, a seed each; None is a run that diverged."""
    rows = []
    for network, arms in networks.items():
        for arm, values in arms.items():
            for seed, value in enumerate(values):
                row = {"network": network, "arm": arm, "seed": seed, "device": "cpu: a"}
                row |= {"outcome": "diverged" if value is None else "finished", metric: value}
                row |= {"bit_cost": 0.06 * COST.get(arm, 1.0), "test_items": 100_000}
                rows.append(row | columns)
    metrics = {main: METRICS[main]} | METRICS
    return Evidence(rows, [], [], [], dict.fromkeys(networks, 8), LEVELS, metrics, "image")


def claim(test: str, **fields: Any) -> Claim:
    head = {"id": "a-claim", "says": "It is so.", "source": "section 5", "metric": "accuracy"}
    head |= {"test": test, "only": None, "hardware": None}
    return TypeAdapter(Claim).validate_python(head | fields)


def noisy(mean: float, seeds: int = 6, sd: float = 0.002, seed: int = 0) -> np.ndarray:
    """Values of exactly this mean and standard deviation."""
    draw = np.random.default_rng([seed, round(1e6 * mean) % 2**31]).normal(size=seeds)
    return mean + sd * (draw - draw.mean()) / draw.std(ddof=1)


STATIC = list(noisy(0.8, sd=0.01))


def arms(**gaps: float) -> Values:
    """Arms whose accuracy differs so much from that of static, by the seed."""
    made = {name: list(np.array(STATIC) + noisy(gap)) for name, gap in gaps.items()}
    return {"static": list(STATIC), **made}


PAIR = {"arms": ["cr", "static"], "margin": 0.01}
SEVERAL = {"arms": [*SCHEDULES, "static"], "margin": 0.01, "least": 3}


@pytest.mark.parametrize(
    ("test", "gap", "verdict"),
    [
        ("not_less", 0.02, "supported"),
        ("not_less", -0.005, "supported"),  # less, but not by the margin
        ("not_less", -0.010, "inconclusive"),
        ("not_less", -0.02, "refuted"),
        ("not_more", -0.02, "supported"),
        ("not_more", 0.005, "supported"),
        ("not_more", 0.010, "inconclusive"),
        ("not_more", 0.02, "refuted"),
    ],
)
def test_not_inferior_is_up_to_the_margin_on_its_side_alone(test, gap, verdict) -> None:
    judged = judge(claim(test, **PAIR), evidence({"a": arms(cr=gap)}))
    assert judged["verdict"] == verdict
    assert judged["estimate"] == pytest.approx(100 * gap)
    sign = -1 if test == "not_less" else 1
    assert judged["margin"] == pytest.approx(sign)
    words = f"at {'least' if sign < 0 else 'most'} {sign} percentage points"
    assert words in judged["why"]
    assert (judged["needed_n"] is None) == (verdict != "inconclusive" or abs(gap) == 0.01)


def test_at_the_margin_an_inferior_arm_passes_as_often_as_alpha_says() -> None:
    draw, trials, passed = np.random.default_rng(1), 2000, 0
    for _ in range(trials):
        gaps = draw.normal(-0.01, 0.004, 5)
        given = evidence({"a": {"static": [0.8] * 5, "cr": list(0.8 + gaps)}})
        passed += judge(claim("not_less", **PAIR), given)["verdict"] == "supported"
    assert passed / trials == pytest.approx(LEVELS.alpha, abs=3 * (0.05 * 0.95 / trials) ** 0.5)


def test_what_would_be_told_of_an_inferior_arm_is_told_so_often() -> None:
    given = evidence({"a": arms(cr=-0.0095)})
    judged = judge(claim("not_less", **PAIR), given)
    assert judged["verdict"] == "inconclusive" and judged["needed_n"] > 6
    effect = judged["detectable"] / 100
    t = np.random.default_rng(0).normal(effect + 0.01, 0.002, (20_000, 6))
    seen = t.mean(1) - stats.t.ppf(0.95, 5) * t.std(1, ddof=1) / 6**0.5 > 0
    assert seen.mean() == pytest.approx(0.8, abs=0.01)
    told = f"a true difference of {number(100 * effect)} percentage points or more would be told"
    assert told in judged["why"]


def test_a_margin_on_perplexity_is_a_share_of_it() -> None:
    base = noisy(80.0, sd=2)
    for ratio, verdict in ((0.9, "supported"), (1.005, "supported"), (1.02, "refuted")):
        other = base * ratio * np.exp(noisy(0.0, sd=0.002, seed=4))
        given = evidence({"a": {"static": list(base), "cr": list(other)}}, "perplexity")
        judged = judge(claim("not_more", **PAIR, metric="perplexity"), given)
        assert (judged["verdict"], judged["unit"]) == (verdict, "times")
        assert judged["estimate"] == pytest.approx(ratio)
        assert "at most 1.01" in judged["why"]


@pytest.mark.parametrize(
    ("test", "lost", "verdict"),
    [
        ("not_less", "cr", "refuted"),
        ("not_less", "static", "supported"),
        ("not_more", "cr", "supported"),
        ("not_more", "static", "refuted"),
    ],
)
@pytest.mark.parametrize("main", ["accuracy", "perplexity"])
def test_the_arm_that_diverges_has_less_accuracy_and_more_perplexity(
    test, lost, verdict, main
) -> None:
    given = evidence(
        {"a": {"static": [0.8] * 5, "cr": [0.81] * 5} | {lost: [None] * 5}}, main, main
    )
    judged = judge(claim(test, **PAIR, metric=main), given)
    opposite = {"supported": "refuted", "refuted": "supported"}
    assert judged["verdict"] == (verdict if main == "accuracy" else opposite[verdict])


def holm_by_hand(p: list[float], alpha: float) -> int:
    """How many hypotheses Holm's step-down procedure rejects."""
    for i, value in enumerate(sorted(p)):
        if value > alpha / (len(p) - i):
            return i
    return len(p)


@pytest.mark.parametrize("seed", range(8))
def test_arms_are_counted_as_holms_procedure_counts_them(seed: int) -> None:
    draw = np.random.default_rng(seed)
    gaps = {name: draw.normal(draw.uniform(-0.02, 0.01), 0.004, 5) for name in SCHEDULES}
    base = draw.normal(0.8, 0.01, 5)
    values = {"static": list(base), **{name: list(base + gap) for name, gap in gaps.items()}}
    judged = judge(claim("several_not_less", **SEVERAL), evidence({"a": values}))
    holds, fails = (
        [stats.ttest_1samp(gap, -0.01, alternative=side).pvalue for gap in gaps.values()]
        for side in ("greater", "less")
    )
    assert judged["low"] == holm_by_hand(holds, 0.05)
    assert judged["high"] == len(SCHEDULES) - holm_by_hand(fails, 0.05)
    assert judged["estimate"] == sum(gap.mean() >= -0.01 for gap in gaps.values())
    wanted = "supported" if judged["low"] >= 3 else "refuted" if judged["high"] < 3 else None
    assert judged["verdict"] == (wanted or "inconclusive")


def test_of_arms_that_are_all_inferior_hardly_ever_one_is_proved() -> None:
    draw, trials, wrong = np.random.default_rng(2), 600, 0
    for _ in range(trials):
        gaps = draw.normal(-0.01, 0.004, (len(SCHEDULES), 5))
        made = {name: list(0.8 + gap) for name, gap in zip(SCHEDULES, gaps, strict=True)}
        given = evidence({"a": {"static": [0.8] * 5, **made}})
        wrong += judge(claim("several_not_less", **SEVERAL), given)["low"] > 0
    assert wrong / trials < 0.05 + 3 * (0.05 * 0.95 / trials) ** 0.5


@pytest.mark.parametrize(
    ("gaps", "verdict", "counts"),
    [
        ({"er": 0.0, "cr": 0.005, "ct": 0.0, "rr": -0.03}, "supported", (3, 3, 3)),
        ({"er": 0.0, "cr": -0.03, "ct": 0.0, "rr": -0.03}, "refuted", (2, 2, 2)),
        ({"er": 0.0, "cr": -0.0095, "ct": 0.0, "rr": -0.03}, "inconclusive", (2, 3, 3)),
        ({"er": 0.0, "cr": -0.0105, "ct": 0.0, "rr": -0.03}, "inconclusive", (2, 2, 3)),
    ],
)
def test_enough_arms_support_and_too_few_refute(gaps, verdict, counts) -> None:
    judged = judge(claim("several_not_less", **SEVERAL), evidence({"a": arms(**gaps)}))
    assert judged["verdict"] == verdict
    assert (judged["low"], judged["estimate"], judged["high"]) == counts
    assert (judged["needed_n"] is not None) == (verdict == "inconclusive")
    assert judged["unit"] == "arms" and judged["n"] == 6
    if judged["needed_n"]:
        assert f"{judged['needed_n']} seeds decide with power 0.8 each" in judged["why"]


def test_no_number_of_seeds_is_derived_from_a_spread_that_is_a_guess() -> None:
    """One arm is left undecided, and its seeds agree to less than a test item."""
    values = arms(er=0.0, cr=-0.0095, ct=0.0, rr=-0.03)
    judged = judge(claim("several_not_less", **SEVERAL), evidence({"a": values}, test_items=250))
    assert judged["verdict"] == "inconclusive" and judged["needed_n"] is None
    assert "seeds decide" not in judged["why"]


def test_an_arm_that_costs_as_much_does_not_count_however_good_it_is(monkeypatch) -> None:
    monkeypatch.setitem(COST, "er", 1.0)
    good = arms(er=0.02, cr=0.02, ct=0.02, rr=0.02)
    judged = judge(claim("several_not_less", **SEVERAL | {"least": 4}), evidence({"a": good}))
    assert (judged["verdict"], judged["high"]) == ("refuted", 3)
    assert "not cheaper: er" in judged["why"]


def test_an_arm_that_diverged_is_left_open_and_the_others_decide() -> None:
    good = arms(er=0.0, cr=0.0, ct=0.0, rr=0.0)
    good["rr"][2] = None
    given = evidence({"a": good})
    judged = judge(claim("several_not_less", **SEVERAL), given)
    assert (judged["verdict"], judged["low"], judged["high"]) == ("supported", 3, 4)
    assert judged["left_out"] == ["rr seed 2 (diverged)"]
    every = judge(claim("several_not_less", **SEVERAL | {"least": 4}), given)
    assert (every["verdict"], every["needed_n"]) == ("inconclusive", None)
    good["rr"] = [None] * 6  # p = 1/64 of a sign test: it is the worse one
    judged = judge(claim("several_not_less", **SEVERAL | {"least": 4}), evidence({"a": good}))
    assert judged["high"] == 4  # but not at a level for four tests
    good |= {"cr": [None] * 6, "ct": [None] * 6, "er": [None] * 6}
    for name in good:
        good[name] = good[name] * 2
    judged = judge(claim("several_not_less", **SEVERAL), evidence({"a": good}))
    assert (judged["verdict"], judged["high"]) == ("refuted", 0)


def test_a_study_may_lack_schedules_but_not_the_reference_nor_too_many() -> None:
    few = arms(er=0.0, cr=0.0, ct=0.0)
    assert judge(claim("several_not_less", **SEVERAL), evidence({"a": few}))["verdict"] == (
        "supported"
    )
    for missing in ("ct", "static"):
        with pytest.raises(UserError, match="'static' with at least 3 of er, cr, ct, rr, and the"):
            left = {name: of for name, of in few.items() if name != missing}
            judge(claim("several_not_less", **SEVERAL), evidence({"a": left}))


def tau_by_hand(x: list[float], y: list[float]) -> float:
    """Kendall's tau-b from its definition."""
    pairs = [
        (np.sign(a - b), np.sign(c - d))
        for (a, c), (b, d) in itertools.combinations(zip(x, y, strict=True), 2)
    ]
    different = [sum(pair[i] != 0 for pair in pairs) for i in (0, 1)]
    return sum(a * b for a, b in pairs) / (different[0] * different[1]) ** 0.5


RANKED = {"arms": ["static", *SCHEDULES]}


@pytest.mark.parametrize(
    ("test", "slope", "verdict"),
    [
        ("rank_correlation_greater", 0.1, "supported"),
        ("rank_correlation_greater", -0.1, "refuted"),
        ("rank_correlation_less", -0.1, "supported"),
        ("rank_correlation_less", 0.1, "refuted"),
        ("rank_correlation_greater", 0.0, "inconclusive"),
    ],
)
def test_a_rank_correlation_is_one_tau_a_seed(test, slope, verdict) -> None:
    draw = np.random.default_rng(3)
    values = {a: list(0.8 + slope * COST[a] + draw.normal(0, 0.01, 5)) for a in RANKED["arms"]}
    judged = judge(claim(test, **RANKED), evidence({"a": values}))
    cost = [COST[arm] for arm in RANKED["arms"]]
    taus = [tau_by_hand(cost, [values[a][seed] for a in RANKED["arms"]]) for seed in range(5)]
    wanted = stats.ttest_1samp(taus, 0).confidence_interval(0.9)
    assert judged["verdict"] == verdict
    assert judged["estimate"] == pytest.approx(np.mean(taus))
    if np.std(taus, ddof=1) > 0.2:
        assert (judged["low"], judged["high"]) == pytest.approx((wanted.low, wanted.high))
    assert "over static, er, cr, ct, rr is" in judged["why"]


def test_ranks_that_agree_in_every_seed_still_have_the_spread_of_two_arms_that_change_places() -> (
    None
):
    values = {
        arm: [0.7 + 0.1 * COST[arm] + s / 100 for s in range(5)] for arm in ("static", "er", "rr")
    }
    judged = judge(claim("rank_correlation_greater", arms=list(values)), evidence({"a": values}))
    half = stats.t.ppf(0.95, 4) * (2 / 3) / 5**0.5
    assert (judged["estimate"], judged["low"]) == pytest.approx((1, 1 - half))
    assert judged["verdict"] == "supported"
    assert "agree to less than two arms that change places" in judged["why"]
    short = {arm: of[:3] for arm, of in values.items()}
    judged = judge(claim("rank_correlation_greater", arms=list(values)), evidence({"a": short}))
    assert judged["verdict"] == "inconclusive"


def test_no_effect_is_told_to_be_seen_beyond_a_correlation_of_one() -> None:
    values = {arm: list(noisy(0.8, seeds=2, seed=i)) for i, arm in enumerate(RANKED["arms"])}
    judged = judge(claim("rank_correlation_greater", **RANKED), evidence({"a": values}))
    assert judged["detectable"] is None
    many = {arm: list(noisy(0.8, seeds=30, seed=i)) for i, arm in enumerate(RANKED["arms"])}
    judged = judge(claim("rank_correlation_greater", **RANKED), evidence({"a": many}))
    assert 0 < judged["detectable"] < 1
    assert f"a true value of {number(judged['detectable'])} (Kendall's tau)" in judged["why"]


def test_a_seed_in_which_one_arm_diverged_or_all_are_alike_is_not_ranked() -> None:
    values = {a: [0.8 + 0.1 * COST[a] + s / 1000 for s in range(6)] for a in RANKED["arms"]}
    values["rr"][1] = None
    for arm in values:
        values[arm][2] = 0.5
    judged = judge(claim("rank_correlation_greater", **RANKED), evidence({"a": values}))
    assert (judged["verdict"], judged["n"]) == ("inconclusive", 4)
    assert judged["left_out"] == [
        "rr seed 1 (diverged)",
        "seed 2 (all arms alike, so that there are no ranks)",
    ]


def series(slope: float, at: tuple[float, ...] = (0, 0.5, 2, 10), sd: float = 0.004) -> Values:
    """Arms named by a number, with accuracies on a line through it."""
    draw = np.random.default_rng(5)
    seeds = draw.normal(0.8, 0.02, 5)
    return {
        f"deficit-{f'{x:g}'.replace('.', '_')}": list(seeds + slope * x + draw.normal(0, sd, 5))
        for x in at
    }


DEFICIT = {"series": "deficit", "per": "epoch"}


@pytest.mark.parametrize(
    ("test", "slope", "verdict"),
    [
        ("trend_less", -0.004, "supported"),
        ("trend_less", 0.004, "refuted"),
        ("trend_greater", 0.004, "supported"),
        ("trend_greater", -0.004, "refuted"),
        ("trend_less", 0.0, "inconclusive"),
    ],
)
def test_a_trend_is_the_mean_slope_of_the_seeds(test, slope, verdict) -> None:
    made = series(slope)
    shuffled = {name: made[name] for name in sorted(made, reverse=True)} | {"deficit-x": STATIC}
    judged = judge(claim(test, **DEFICIT), evidence({"a": shuffled}))
    slopes = [
        100 * np.polyfit([0, 0.5, 2, 10], [of[seed] for of in made.values()], 1)[0]
        for seed in range(5)
    ]
    wanted = stats.ttest_1samp(slopes, 0).confidence_interval(0.9)
    assert judged["verdict"] == verdict
    assert (judged["estimate"], judged["low"], judged["high"]) == pytest.approx(
        (np.mean(slopes), wanted.low, wanted.high)
    )
    assert judged["unit"] == "percentage points per epoch"
    assert judged["arms"] == list(made)  # in the order of their numbers
    assert (judged["needed_n"] is not None) == (verdict == "inconclusive")


def test_the_growth_of_a_perplexity_is_a_share_of_it() -> None:
    made = {name: list(80 * np.exp(np.array(of) - 0.8)) for name, of in series(0.03).items()}
    given = evidence({"a": made}, "perplexity")
    judged = judge(claim("trend_greater", **DEFICIT, metric="perplexity"), given)
    assert (judged["verdict"], judged["unit"]) == ("supported", "% per epoch (in logarithms)")
    logs = [
        100 * np.polyfit([0, 0.5, 2, 10], [np.log(of[seed]) for of in made.values()], 1)[0]
        for seed in range(5)
    ]
    assert judged["estimate"] == pytest.approx(np.mean(logs))
    assert "growth of the test perplexity over deficit-0, " in judged["why"]


def test_a_slope_is_not_believed_to_be_steadier_than_rounded_accuracies_let_it_be() -> None:
    """Of 50 items an accuracy is rounded to 2 points: slopes of seeds that agree vary by that all the same."""
    made = {f"deficit-{x}": [0.8 - x / 50] * 5 for x in (0, 1, 2, 3)}
    judged = judge(claim("trend_less", **DEFICIT), evidence({"a": made}, test_items=50))
    half = stats.t.ppf(0.95, 4) / 5**0.5 * 2 / (2 * 5) ** 0.5
    assert (judged["low"], judged["high"]) == pytest.approx((-2 - half, -2 + half))
    draw = np.random.default_rng(0)
    rounded = draw.uniform(-0.5, 0.5, (20_000, 4)) * 2
    slopes = np.polyfit([0, 1, 2, 3], rounded.T, 1)[0]
    assert slopes.std() < half * 5**0.5 / stats.t.ppf(0.95, 4)  # no less than rounding brings


def test_a_trend_needs_three_arms_of_a_name_and_a_number() -> None:
    for absent in (
        series(0.0, (0, 2)),
        {"deficit": [0.8], "deficit-a": [0.8], "x-deficit-2": [0.8]},
    ):
        with pytest.raises(
            UserError, match="compares at least 3 arms like deficit-2, and the study"
        ):
            judge(claim("trend_less", **DEFICIT), evidence({"a": absent}))


def test_several_networks_are_told_as_of_other_claims() -> None:
    both = evidence({"a": series(-0.004), "b": series(0.004)})
    judged = judge(claim("trend_less", **DEFICIT), both)
    assert judged["verdict"] == "refuted"
    assert [part["verdict"] for part in judged["per_network"]] == ["supported", "refuted"]


@pytest.mark.parametrize("test", ["rank_correlation_greater", "trend_less", "several_not_less"])
def test_what_is_timed_of_two_arms_is_not_looked_at_in_several(test: str) -> None:
    of = {"trend_less": DEFICIT, "several_not_less": SEVERAL}.get(test, RANKED)
    with pytest.raises(UserError, match="measured of two arms in turns"):
        judge(
            claim(test, **of, metric="step_seconds"),
            evidence({"a": arms(er=0, cr=0, ct=0, rr=0) | series(0)}),
        )


@pytest.mark.parametrize(
    ("test", "fields"),
    [
        ("not_less", {"arms": ["a", "b", "c"], "margin": 0.01}),
        ("several_not_less", {"arms": ["a", "b"], "margin": 0.01, "least": 1}),
        ("rank_correlation_less", {"arms": ["a", "b"]}),
        ("trend_less", {"series": "deficit"}),
    ],
)
def test_a_claim_has_the_arms_that_its_test_needs(test: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        claim(test, **fields)


EFFECTS = {"arms": ["half-there", "full-there", "half-here", "full-here"], "margin": 0.01}


@pytest.mark.parametrize(
    ("here", "there", "verdict"),
    [
        (-0.03, -0.03, "supported"),
        (0.0, 0.002, "supported"),
        (0.0, 0.01, "inconclusive"),
        (-0.01, 0.01, "refuted"),
        (0.01, -0.01, "refuted"),
    ],
)
def test_effects_are_equal_where_their_difference_is_whatever_they_are(
    here, there, verdict
) -> None:
    base, moved = noisy(0.8, sd=0.01), noisy(0.7, sd=0.01, seed=9)  # another level there
    made = {"full-here": base, "half-here": base + here, "full-there": moved}
    made["half-there"] = moved + noisy(there)
    given = evidence({"a": {name: list(values) for name, values in made.items()}})
    judged = judge(claim("equal_effects", **EFFECTS), given)
    assert judged["verdict"] == verdict
    assert judged["estimate"] == pytest.approx(100 * (there - here))
    assert "difference of two effects on the test accuracy" in judged["why"]
    assert "within ±1 percentage points" in judged["why"]


def test_effects_that_agree_to_the_item_have_the_spread_of_four_items() -> None:
    values = dict.fromkeys(EFFECTS["arms"], [0.5] * 4)
    judged = judge(claim("equal_effects", **EFFECTS), evidence({"a": values}, test_items=100))
    spread = 2**0.5 / 100 * stats.t.ppf(0.95, 3) / 2
    assert judged["high"] == pytest.approx(100 * spread)
    assert (
        judged["verdict"] == "inconclusive" and "which is taken for their spread" in judged["why"]
    )


def test_a_run_that_diverged_leaves_equal_effects_open() -> None:
    values = {name: [0.5, 0.51, 0.5, 0.51] for name in EFFECTS["arms"]}
    values["half-there"] = [None, 0.51, 0.5, 0.51]
    judged = judge(claim("equal_effects", **EFFECTS), evidence({"a": values}))
    assert judged["verdict"] == "inconclusive" and "half-there seed 0 (diverged)" in judged["why"]


@pytest.mark.parametrize(
    ("loss", "cyclic", "verdict"),
    [
        (-0.05, 0.0, "supported"),
        (0.0, 0.0, "inconclusive"),  # nothing loses here, so that it says nothing that cr doesn't
        (0.0, -0.05, "refuted"),  # a loss that is seen needs no other one
    ],
)
def test_that_an_arm_does_as_well_says_nothing_where_none_is_seen_to_lose(
    loss: float, cyclic: float, verdict: str
) -> None:
    check = claim("less", id="few-lose", arms=["er", "static"])
    needing = claim("not_less", needs="few-lose", **PAIR)
    given = evidence({"a": arms(er=loss, cr=cyclic), "b": arms(er=-0.05, cr=cyclic)})
    judged, _ = judge_all([needing, check], given)
    assert judged["verdict"] == verdict
    assert [part["verdict"] for part in judged["per_network"]] == [
        verdict,
        "refuted" if cyclic else "supported",
    ]
    assert ("few-lose inconclusive" in judged["why"]) == (verdict == "inconclusive")


def test_seeds_of_the_check_are_those_that_are_needed() -> None:
    check = claim("less", id="few-lose", arms=["er", "static"])
    given = evidence({"a": arms(er=-0.001, cr=0.0)})
    needing = claim("not_less", needs="few-lose", **PAIR)
    judged, seen = judge_all([needing, check], given)
    assert seen["verdict"] == judged["verdict"] == "inconclusive"
    assert seen["needed_n"] and judged["needed_n"] == seen["needed_n"]


@pytest.mark.parametrize(("cyclic", "asks"), [(-0.0085, "check"), (-0.0095, "claim")])
def test_of_a_claim_and_its_check_the_one_that_needs_more_seeds_is_told(cyclic, asks) -> None:
    check = claim("less", id="few-lose", arms=["er", "static"])
    given = evidence({"a": arms(er=-0.001, cr=cyclic)})
    alone = judge(claim("not_less", **PAIR), given)["needed_n"]
    judged, seen = judge_all([claim("not_less", needs="few-lose", **PAIR), check], given)
    assert judged["verdict"] == "inconclusive" and "few-lose inconclusive" in judged["why"]
    assert (seen["needed_n"] > alone) == (asks == "check")
    assert judged["needed_n"] == max(alone, seen["needed_n"])
