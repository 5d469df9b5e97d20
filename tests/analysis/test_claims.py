import sys
from dataclasses import replace

import numpy as np
import pytest
from made_up import LEVELS, TASK
from pydantic import TypeAdapter, ValidationError

from sixteen.analysis.claims import judge
from sixteen.analysis.criterion import number
from sixteen.analysis.evidence import Evidence
from sixteen.errors import UserError
from sixteen.study.claim import Claim
from sixteen.tasks.measured.parts.metrics import metrics_of

METRICS = metrics_of(TASK)

# Differences float16 - float32 of the accuracy (shares) by seed, for claims with a margin of 0.01.
EQUIVALENT = [0.001, -0.001, 0.002, 0.0, -0.002]
DIFFERENT = [-0.05, -0.052, -0.049, -0.051, -0.05]
NOISY = [0.03, -0.03, 0.02, -0.02, 0.01]
BETTER = [0.03, 0.031, 0.029, 0.03, 0.032]


def evidence(networks: dict[str, list[float]], metric: str = "accuracy", **columns) -> Evidence:
    """Runs, or timings for a clock, whose float16 arm differs by the given numbers, or has the given ratios to 1."""
    rows, times = [], []
    for network, effects in networks.items():
        for seed, effect in enumerate(effects):
            base = 1.0 if METRICS[metric].kind == "ratio" else 0.8 + seed / 100
            other = effect if METRICS[metric].kind == "ratio" else base + effect
            usual = {name: 1.0 for name in METRICS}
            usual |= {"network": network, "seed": seed, "outcome": "finished", "device": "cpu: a"}
            usual |= {"test_items": 10_000}
            usual |= columns
            pair = {"float32": base, "float16": other}
            if METRICS[metric].clock:
                turn = {"network": network, "turn": seed, "device": usual["device"]}
                turns = zip(pair.items(), reversed(pair), strict=True)
                times += [{**turn, "arm": k, "against": o, metric: v} for (k, v), o in turns]
                pair = dict.fromkeys(pair, 1.0)
            rows += [{**usual, "arm": arm, metric: value} for arm, value in pair.items()]
    layers = {network: int(network.removeprefix("resnet")) for network in networks}
    return Evidence(rows, times, [], [], layers, LEVELS, METRICS, "image")


FIELDS = {  # beside those of every claim
    "equivalence": {"margin"},
    "starts_lower_ends_equal": {"margin", "start_metric"},
    "ratio_at_most": {"value", "tolerance"},
}


def claim(test: str, metric: str | None = "accuracy", **fields) -> Claim:
    """A claim; of the fields that several tests share a parameter each takes those that it has."""
    head = {"id": "a-claim", "says": "It is so.", "source": "section 5", "test": test}
    head |= {"arms": ["float16", "float32"], "metric": metric, "only": None, "hardware": None}
    foreign = {"margin", "start_metric", "value", "tolerance"} - FIELDS.get(test, set())
    own = {name: value for name, value in fields.items() if name not in foreign}
    return TypeAdapter(Claim).validate_python({**head, **own})


def spoil(given: Evidence, arm: str, key: int, **values) -> Evidence:
    """Change the row of an arm at a seed, and where it was timed at a turn."""
    for row in [*given.runs, *given.times]:
        if (row["arm"], row.get("seed", row.get("turn"))) == (arm, key):
            row.update(values)
    return given


@pytest.mark.parametrize(
    ("test", "effects", "verdict"),
    [
        ("equivalence", EQUIVALENT, "supported"),
        ("equivalence", DIFFERENT, "refuted"),
        ("equivalence", BETTER, "refuted"),
        ("equivalence", NOISY, "inconclusive"),
        ("greater", BETTER, "supported"),
        ("greater", DIFFERENT, "refuted"),
        ("greater", NOISY, "inconclusive"),
        ("less", DIFFERENT, "supported"),
        ("less", BETTER, "refuted"),
        ("less", NOISY, "inconclusive"),
    ],
)
def test_verdicts_on_differences(test, effects, verdict) -> None:
    judged = judge(claim(test, margin=0.01), evidence({"resnet8": effects}))
    assert judged["verdict"] == verdict
    assert (judged["needed_n"] is not None) == (verdict == "inconclusive")
    assert judged["basis"] == "tested"


@pytest.mark.parametrize(
    ("test", "ratios", "verdict"),
    [
        ("ratio_at_most", [0.60, 0.61, 0.60, 0.62], "supported"),
        ("ratio_at_most", [0.673, 0.68, 0.67, 0.675], "supported"),  # the paper's own number, met
        ("ratio_at_most", [0.80, 0.81, 0.79, 0.80], "refuted"),
        ("ratio_at_most", [0.5, 0.9, 0.6, 0.7], "inconclusive"),
        ("ratio_greater", [1.5, 1.6, 1.4], "supported"),
        ("ratio_greater", [0.5, 0.6, 0.55], "refuted"),
        ("ratio_greater", [0.5, 2.0, 1.1], "inconclusive"),
    ],
)
def test_verdicts_on_ratios(test, ratios, verdict) -> None:
    given = evidence({"resnet8": ratios}, "step_seconds")
    judged = judge(claim(test, "step_seconds", value=0.673, tolerance=0.05), given)
    assert judged["verdict"] == verdict
    assert judged["unit"] == "times"


def test_numbers_are_in_the_unit_that_is_named() -> None:
    judged = judge(claim("equivalence", margin=0.01), evidence({"resnet8": [0.001, 0.003]}))
    assert judged["unit"] == "percentage points"
    assert judged["estimate"] == pytest.approx(0.2)
    assert judged["margin"] == pytest.approx(1)
    half = 6.3138 * 0.1  # t(0.95, 1 degree of freedom) times the standard error
    assert (judged["low"], judged["high"]) == pytest.approx((0.2 - half, 0.2 + half), abs=1e-4)
    assert judged["confidence"] == pytest.approx(0.9)
    assert "over 2 seeds" in judged["why"].lower()
    assert "0.2 percentage points" in judged["why"]


def test_too_few_seeds_decide_nothing_and_it_says_how_many_would() -> None:
    one = judge(claim("equivalence", margin=0.01), evidence({"resnet8": [0.0]}))
    assert (one["verdict"], one["n"], one["needed_n"]) == ("inconclusive", 1, 2)
    three = judge(claim("greater"), evidence({"resnet8": [0.01, -0.005, 0.01]}))
    assert three["verdict"] == "inconclusive"
    assert three["needed_n"] > 3
    assert f"{three['needed_n']} seeds decide" in three["why"]


def test_what_could_have_been_seen_is_told_and_is_just_seen() -> None:
    """The least true effect that this test finds with power 0.8, where it found none, at the spread of the seeds."""
    draw, t = np.random.default_rng(0), 2.1318  # t(0.95, 4 degrees of freedom)
    sd = np.std(NOISY, ddof=1)
    for test, sign, limit in (("greater", 1, 0), ("less", -1, 0), ("equivalence", 1, 0.01)):
        judged = judge(claim(test, margin=0.01), evidence({"resnet8": NOISY}))
        effect = judged["detectable"] / 100
        values = draw.normal(effect, sd, (20_000, 5))
        error = values.std(axis=1, ddof=1) / 5**0.5
        seen = (sign * values.mean(axis=1) - t * error > limit).mean()
        assert seen == pytest.approx(0.8, abs=0.01)
        told = f"a true difference of {number(abs(100 * effect))} percentage points or more"
        assert told in judged["why"]
    decided = judge(claim("greater"), evidence({"resnet8": BETTER}))
    assert decided["detectable"] is None and "would be told" not in decided["why"]
    within = judge(claim("equivalence", margin=0.01), evidence({"resnet8": EQUIVALENT}))
    assert within["verdict"] == "supported" and within["detectable"] > 1


def test_what_one_of_two_tests_could_have_seen_is_told_with_its_level() -> None:
    """An equivalence is refuted at the level of all tests at once, so that more is needed to be seen beside it."""
    level = "with power 0.8 at the level of 2 tests at once"
    wanted = claim("starts_lower_ends_equal", start_metric="first_epoch_accuracy", margin=0.01)
    given = evidence({"resnet8": NOISY}, first_epoch_accuracy=0.5)
    for seed, value in enumerate([0.40, 0.41, 0.42, 0.40, 0.39]):
        spoil(given, "float16", seed, first_epoch_accuracy=value)
    both, alone = judge(wanted, given), judge(claim("equivalence", margin=0.01), given)
    assert both["detectable"] > alone["detectable"]
    assert level in both["why"] and level not in alone["why"]
    assert "with power 0.8" in alone["why"]


def test_a_ratio_that_could_have_been_seen_is_on_the_side_of_the_claim() -> None:
    given = evidence({"resnet8": [0.5, 2.0, 1.1]}, "loss_sd")
    more, less = (judge(claim(f"ratio_{side}", "loss_sd"), given) for side in ("greater", "less"))
    assert more["detectable"] > 1 > less["detectable"]
    assert more["detectable"] == pytest.approx(1 / less["detectable"])
    assert f"a true ratio of {number(more['detectable'])} or more would be told" in more["why"]


def test_an_end_of_a_ratio_that_no_float_holds_is_the_largest_one() -> None:
    """Of two seeds of which one stood still."""
    given = evidence({"resnet8": [1e-150, 1e150]}, "loss_sd")
    judged = judge(claim("ratio_greater", "loss_sd"), given)
    assert judged["verdict"] == "inconclusive" and judged["low"] == 0
    assert judged["high"] == pytest.approx(sys.float_info.max)


def test_substitutes_are_said_and_no_number_of_seeds_stands_on_them() -> None:
    """Deviations of accuracies that never moved stand at a floor, as does a spread below one image."""
    given = evidence({"resnet8": [0.02, 0.01, 0.03]}, "epoch_sd", test_items=100)
    for seed in (0, 1):
        spoil(given, "float16", seed, epoch_sd=0.0)
        spoil(given, "float32", seed, epoch_sd=0.003)
    judged = judge(claim("ratio_greater", "epoch_sd"), given)
    floor = number(100 * 0.01 / 6**0.5)
    assert "4 of 6 deviations are less than what whole test items bring" in judged["why"]
    assert f"stand at that: {floor} percentage points" in judged["why"]
    alike = judge(claim("greater"), evidence({"resnet8": [0.0, 0.0, 0.001]}, test_items=360))
    for record in (judged, alike):
        assert (record["verdict"], record["needed_n"]) == ("inconclusive", None)
        assert "how many seeds would decide can't be said" in record["why"]
    assert judged["detectable"] is None
    assert alike["detectable"] > 0  # an image is more than the spread that was seen
    for seeds in (1, 3):  # all stand at the floor: no interval, or no spread
        still = evidence({"resnet8": EQUIVALENT[:seeds]}, epoch_sd=0.0, test_items=100)
        judged = judge(claim("ratio_greater", "epoch_sd"), still)
        assert f"{2 * seeds} of {2 * seeds} deviations are less" in judged["why"]
        assert f"stand at that: {floor} percentage points" in judged["why"]
    honest = judge(claim("greater"), evidence({"resnet8": [0.01, -0.005, 0.01]}, test_items=360))
    assert honest["needed_n"] is not None and "can't be said" not in honest["why"]


def test_a_counted_ratio_without_spread_decides_exactly_and_it_says_so() -> None:
    given = evidence({"resnet8": [0.5] * 3}, "state_bytes")
    judged = judge(claim("ratio_at_most", "state_bytes", value=1.0, tolerance=0), given)
    assert judged["verdict"] == "supported"
    assert "without spread" in judged["why"]
    assert judged["basis"] == "counted"


def test_accuracies_that_all_agree_vary_by_one_image() -> None:
    """Three seeds that agree to the image are equivalent within a margin of several, and neither more nor less."""
    alike = evidence({"resnet8": [0.0] * 3}, test_items=360)
    equal = judge(claim("equivalence", margin=0.01), alike)
    half = (
        2.91999 / 3**0.5 * 100 / 360
    )  # t(0.95, 2 degrees of freedom) times the standard error of an image
    assert equal["verdict"] == "supported"
    assert (equal["low"], equal["high"]) == pytest.approx((-half, half), abs=1e-4)
    assert "taken for their spread" in equal["why"]
    assert judge(claim("equivalence", margin=0.004), alike)["verdict"] == "inconclusive"
    for test in ("greater", "less"):
        judged = judge(claim(test), alike)
        assert judged["verdict"] == "inconclusive"


def test_more_agreement_is_never_less_evidence() -> None:
    """An sd below an image is not believed, whether it is zero or nearly."""
    widths = []
    for effects in ([0.0, 0.0, 0.0], [0.0, 0.0, 1 / 360], [0.0, 2 / 360, -1 / 360], [0.02, 0, 0]):
        judged = judge(
            claim("equivalence", margin=0.01), evidence({"resnet8": effects}, test_items=360)
        )
        widths.append(judged["high"] - judged["low"])
    assert widths == sorted(widths)


@pytest.mark.parametrize("value", [0.5, 2.0])
def test_a_measured_ratio_without_spread_decides_nothing(value) -> None:
    for test in ("ratio_greater", "ratio_less"):
        judged = judge(claim(test, "loss_sd"), evidence({"resnet8": [value] * 3}, "loss_sd"))
        assert judged["verdict"] == "inconclusive"
        assert "no spread" in judged["why"]


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [([0.5] * 3, "supported"), ([1.0] * 3, "refuted"), ([2.0] * 3, "refuted")],
)
def test_less_is_less_than_equal(ratios, verdict) -> None:
    given = evidence({"resnet8": ratios}, "state_bytes")
    assert judge(claim("ratio_less", "state_bytes"), given)["verdict"] == verdict


def test_diverged_seeds_are_left_out_and_named() -> None:
    given = spoil(evidence({"resnet8": EQUIVALENT}), "float16", 2, outcome="diverged", accuracy=0.1)
    judged = judge(claim("equivalence", margin=0.01), given)
    assert (judged["verdict"], judged["n"]) == ("inconclusive", 4)
    assert "not counted: float16 seed 2 (diverged), and the runs that are left" in judged["why"]


def test_no_seed_that_finished_decides_nothing() -> None:
    given = evidence({"resnet8": EQUIVALENT}, outcome="diverged")
    judged = judge(claim("greater"), given)
    assert (judged["verdict"], judged["n"], judged["estimate"]) == ("inconclusive", 0, None)


def test_seeds_of_one_arm_alone_are_not_paired() -> None:
    given = evidence({"resnet8": EQUIVALENT})
    given.runs.remove(given.runs[-2])
    judged = judge(claim("greater"), given)
    assert judged["n"] == 4
    assert judged["left_out"] == ["float32 seed 4 (not run)"]


def test_a_ratio_to_zero_is_left_out() -> None:
    given = spoil(evidence({"resnet8": [1.5, 1.6, 1.4]}, "loss_sd"), "float32", 0, loss_sd=0.0)
    judged = judge(claim("ratio_greater", "loss_sd"), given)
    assert judged["n"] == 2
    assert "float32 seed 0 (zero" in judged["why"]
    assert judged["needed_n"] is None  # those that are left are a selection


def test_a_deviation_is_at_least_that_of_rounding_to_images() -> None:
    """A seed whose accuracy never moves is evidence of steadiness, not one to leave out."""
    given = evidence({"resnet8": [0.02] * 3}, "epoch_sd", test_items=100)
    for seed, value in enumerate([0.04, 0.05, 0.06]):
        spoil(given, "float32", seed, epoch_sd=value)
        spoil(given, "float16", seed, epoch_sd=0.0)
    judged = judge(claim("ratio_greater", "epoch_sd"), given)
    assert (judged["verdict"], judged["n"], judged["left_out"]) == ("refuted", 3, [])
    assert judged["estimate"] == pytest.approx((0.25 * 0.2 / 6) ** (1 / 3) / 6**0.5)


def test_supported_only_if_it_is_at_every_network() -> None:
    both = evidence({"resnet8": EQUIVALENT, "resnet14": EQUIVALENT})
    judged = judge(claim("equivalence", margin=0.01), both)
    assert (judged["verdict"], judged["network"]) == ("supported", "all")
    mixed = evidence({"resnet8": EQUIVALENT, "resnet14": NOISY})
    judged = judge(claim("equivalence", margin=0.01), mixed)
    assert judged["verdict"] == "inconclusive"
    assert [r["verdict"] for r in judged["per_network"]] == ["supported", "inconclusive"]
    assert judged["needed_n"] == judged["per_network"][1]["needed_n"]


def test_refuted_by_one_network_if_it_is_clear_enough_for_several() -> None:
    clear = evidence({"resnet8": EQUIVALENT, "resnet14": DIFFERENT})
    assert judge(claim("equivalence", margin=0.01), clear)["verdict"] == "refuted"
    # One-sided p = 0.046: significant for one network, not for one of two (0.025).
    below = [-0.01, -0.012, -0.003]
    alone = judge(claim("greater"), evidence({"resnet8": below}))
    of_two = judge(claim("greater"), evidence({"resnet8": below, "resnet14": BETTER}))
    assert alone["verdict"] == "refuted"
    assert of_two["verdict"] == "inconclusive"
    assert of_two["per_network"][0]["verdict"] == "refuted"


def test_refuted_by_all_networks_at_the_level_of_one() -> None:
    below = [-0.01, -0.012, -0.003]  # one-sided p = 0.046 at each
    judged = judge(claim("greater"), evidence({"resnet8": below, "resnet14": below}))
    assert judged["verdict"] == "refuted"


def test_the_level_of_several_tests_is_told_of_what_is_tested_alone() -> None:
    networks = {"resnet8": EQUIVALENT, "resnet14": EQUIVALENT}
    told = "One alone refutes at the level of 2 tests at once, all together do at that of one."
    assert told in judge(claim("equivalence", margin=0.01), evidence(networks))["why"]
    counted = evidence({name: [1.0, 1.0] for name in networks}, "bit_cost")
    judged = judge(claim("ratio_less", "bit_cost"), counted)
    assert judged["basis"] == "counted" and "at once" not in judged["why"]


def test_seeds_that_would_refute_are_counted_at_the_level_of_several_tests() -> None:
    """A mean outside the margin can only refute, and one of two networks needs more seeds for that."""
    outside = [0.03, -0.01, 0.02, 0.015]
    alone = judge(claim("equivalence", margin=0.01), evidence({"resnet8": outside}))
    both = judge(
        claim("equivalence", margin=0.01), evidence({"resnet8": outside, "resnet14": EQUIVALENT})
    )
    assert (alone["verdict"], both["verdict"]) == ("inconclusive", "inconclusive")
    assert both["needed_n"] > alone["needed_n"]


def test_starts_lower_ends_equal_needs_both() -> None:
    wanted = claim("starts_lower_ends_equal", start_metric="first_epoch_accuracy", margin=0.01)
    given = evidence({"resnet8": EQUIVALENT}, first_epoch_accuracy=0.5)
    judged = judge(wanted, given)
    assert judged["verdict"] == "inconclusive"  # the same start in each seed
    assert judged["metric"] == "test accuracy after the first epoch"  # what decides is shown
    assert judged["estimate"] == 0
    for seed, value in enumerate([0.40, 0.41, 0.42, 0.40, 0.39]):
        spoil(given, "float16", seed, first_epoch_accuracy=value)
    assert judge(wanted, given)["verdict"] == "supported"
    ends_lower = evidence({"resnet8": DIFFERENT}, first_epoch_accuracy=0.5)
    for seed, value in enumerate([0.40, 0.41, 0.42, 0.40, 0.39]):
        spoil(ends_lower, "float16", seed, first_epoch_accuracy=value)
    judged = judge(wanted, ends_lower)
    assert judged["verdict"] == "refuted"
    assert judged["metric"] == "test accuracy"
    assert judged["estimate"] == pytest.approx(-5.04)  # that of the end


def test_a_claim_of_two_tests_is_refuted_by_one_at_half_the_level() -> None:
    wanted = claim("starts_lower_ends_equal", start_metric="first_epoch_accuracy", margin=0.01)
    given = evidence({"resnet8": EQUIVALENT[:3]}, first_epoch_accuracy=0.5)
    for seed, gain in enumerate([0.01, 0.012, 0.003]):  # starts higher, one-sided p = 0.046
        spoil(given, "float16", seed, first_epoch_accuracy=0.5 + gain)
    judged = judge(wanted, given)
    assert judged["verdict"] == "inconclusive"
    assert "2 tests at once" in judged["why"]


def test_a_claim_about_a_network_that_is_absent_is_open_and_shows_the_deepest() -> None:
    given = evidence({"resnet14": [0.6, 0.61], "resnet8": [0.9, 0.9]}, "step_seconds")
    about = claim(
        "ratio_at_most", "step_seconds", value=0.673, tolerance=0, only="resnet156", hardware="gpu"
    )
    judged = judge(about, given)
    assert (judged["verdict"], judged["network"], judged["estimate"]) == (
        "inconclusive",
        "resnet156",
        None,
    )
    assert "holds no resnet156" in judged["why"]
    assert [r["network"] for r in judged["per_network"]] == ["resnet14"]
    assert judged["per_network"][0]["estimate"] == pytest.approx(0.605, abs=1e-3)


def test_a_claim_about_one_network_reads_no_other() -> None:
    given = evidence({"resnet8": BETTER, "resnet156": DIFFERENT})
    judged = judge(claim("greater", only="resnet156"), given)
    assert (judged["verdict"], judged["network"]) == ("refuted", "resnet156")


@pytest.mark.parametrize(
    ("test", "diverged", "verdict"),
    [
        ("less", "float16", "supported"),
        ("less", "float32", "refuted"),
        ("greater", "float16", "refuted"),
        ("greater", "float32", "supported"),
        ("equivalence", "float16", "refuted"),
        ("equivalence", "float32", "refuted"),
    ],
)
def test_an_arm_that_diverges_alone_is_the_less_accurate_one(test, diverged, verdict) -> None:
    for lost, decided in ((5, True), (4, False), (3, False)):
        given = evidence({"resnet8": EQUIVALENT})
        for seed in range(lost):
            spoil(given, diverged, seed, outcome="diverged", accuracy=None)
        judged = judge(claim(test, margin=0.01), given)
        assert judged["verdict"] == (verdict if decided else "inconclusive")  # p = 1/32, 1/16, 1/8
        seeds = [lost, 0] if diverged == "float16" else [0, lost]
        told = f"In {seeds[0]} of 5 seeds float16 diverged alone, in {seeds[1]} float32"
        assert told in judged["why"]


def test_an_arm_that_diverges_everywhere_refutes_at_every_network() -> None:
    given = evidence({"resnet8": EQUIVALENT, "resnet14": EQUIVALENT})
    for run in given.runs:
        if run["arm"] == "float16":
            run.update(outcome="diverged", accuracy=None)
    assert judge(claim("equivalence", margin=0.01), given)["verdict"] == "refuted"


def test_divergence_of_both_arms_tells_them_not_apart() -> None:
    given = evidence({"resnet8": EQUIVALENT})
    for arm in ("float16", "float32"):
        for seed in range(4):
            spoil(given, arm, seed, outcome="diverged", accuracy=None)
    assert judge(claim("equivalence", margin=0.01), given)["verdict"] == "inconclusive"


@pytest.mark.parametrize(("test", "arm"), [("less", "float16"), ("greater", "float32")])
def test_what_is_left_of_diverged_arms_refutes_nothing(test, arm) -> None:
    """Two seeds in which the arm said to be worse did well are no evidence where it diverged in three."""
    well = 0.4 if test == "less" else -0.4
    given = evidence({"resnet8": [well, well + 0.001, 0, 0, 0]})
    for seed in (2, 3, 4):
        spoil(given, arm, seed, outcome="diverged", accuracy=None)
    assert judge(claim(test), given)["verdict"] == "inconclusive"


@pytest.mark.parametrize(
    "about", [{"metric": "loss_sd"}, {"hardware": "gpu"}], ids=["metric", "hardware"]
)
def test_divergence_says_nothing_about_other_metrics_or_other_hardware(about: dict) -> None:
    given = evidence({"resnet8": [-0.5] * 5}, about.get("metric", "accuracy"))
    for seed in range(5):
        spoil(given, "float16", seed, outcome="diverged", accuracy=None)
    assert judge(claim("less", **about), given)["verdict"] == "inconclusive"


def test_other_hardware_decides_nothing_about_a_claim_of_gpus() -> None:
    about = claim("ratio_at_most", "step_seconds", value=1.0, tolerance=0, hardware="gpu")
    ratios = {"resnet8": [0.6, 0.61, 0.62]}
    on_cpu = judge(about, evidence(ratios, "step_seconds"))
    on_gpu = judge(about, evidence(ratios, "step_seconds", device="NVIDIA A100"))
    assert (on_cpu["verdict"], on_gpu["verdict"]) == ("inconclusive", "supported")
    assert on_cpu["estimate"] == on_gpu["estimate"]
    undecided = judge(about, evidence({"resnet8": [0.6, 1.4]}, "step_seconds"))
    assert undecided["needed_n"] is None and "decide" not in undecided["why"]
    assert "cpu: a" in on_cpu["hardware_note"]
    assert on_gpu["hardware_note"] is None
    mixed = spoil(evidence(ratios, "step_seconds", device="A100"), "float16", 0, device="H100")
    assert "different devices" in judge(about, mixed)["hardware_note"]


def casts(*within: str) -> Evidence:
    rows = [
        {"network": "resnet8", "arm": "float16", "seed": "0"}
        | {"tensor": f"layer{i}", "error_norm": "0.5", "bound_norm": "1.0", "within_bound": value}
        for i, value in enumerate(within)
    ]
    given = evidence({"resnet8": EQUIVALENT})
    return replace(given, quantization=rows)


def test_bounded_is_exact_and_names_the_tensors_that_are_not() -> None:
    about = claim("bounded", None)
    good = judge(about, casts("True", "True"))
    assert (good["verdict"], good["n"], good["estimate"]) == ("supported", 2, 0.5)
    assert good["basis"] == "checked"
    bad = judge(about, casts("True", "False"))
    assert bad["verdict"] == "refuted"
    assert "layer1 (seed 0)" in bad["why"]
    assert judge(about, casts())["verdict"] == "inconclusive"
    many = judge(about, casts(*["False"] * 7))
    assert "layer4 (seed 0) and 2 more" in many["why"] and "layer5" not in many["why"]


def test_a_cast_to_an_infinite_weight_is_out_of_bounds_by_no_number() -> None:
    given = casts("True", "False")
    given.quantization[1]["error_norm"] = ""
    judged = judge(claim("bounded", None), given)
    assert (judged["verdict"], judged["estimate"], judged["n"]) == ("refuted", None, 2)


def predictions(*rows: tuple[str, str, int, int, int]) -> Evidence:
    columns = ("arm", "kind", "certified", "agree", "violations")
    compared = [
        {"network": "resnet8", "seed": 0, "n": 200, **dict(zip(columns, row, strict=True))}
        for row in rows
    ]
    given = evidence({"resnet8": EQUIVALENT})
    return replace(given, tolerance=compared)


def test_a_lemma_is_refuted_by_one_image_and_tells_how_tight_it_is() -> None:
    about = claim("lemma", None)
    cast, trained = ("float16", "cast", 190, 200, 0), ("float16", "trained", 50, 180, 0)
    good = judge(about, predictions(cast, trained))
    assert (good["verdict"], good["n"], good["estimate"]) == ("supported", 200, 95)
    assert "after the cast 95 % are certified and 100 % agree, of 200" in good["why"]
    assert "at the end of training 25 % are certified and 90 % agree, of 200" in good["why"]
    assert good["brief"] == "95 % certified, 100 % agree, 0 violations"
    assert judge(about, predictions(trained))["estimate"] == 25
    bad = judge(about, predictions(cast, ("float16", "trained", 50, 180, 1)))
    assert bad["verdict"] == "refuted"
    assert judge(about, predictions())["verdict"] == "inconclusive"
    others = predictions(("bfloat16", "cast", 0, 0, 5))
    assert judge(about, others)["verdict"] == "inconclusive"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"metric": "acuracy"}, "expected a metric in claim 'a-claim', came 'acuracy'"),
        ({"arms": ("float8", "float32")}, "claim 'a-claim' compares the arm 'float8'"),
    ],
)
def test_a_claim_that_cannot_be_read_is_refused(wrong, message) -> None:
    with pytest.raises(UserError, match=message):
        judge(claim("greater").model_copy(update=wrong), evidence({"resnet8": EQUIVALENT}))


def test_a_test_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"'bigger' .* does not match any of the expected"):
        claim("bigger")


@pytest.mark.parametrize("metric", ["train_seconds", "seconds_per_epoch", "reach_seconds"])
def test_a_clock_that_is_not_measured_alone_is_refused(metric) -> None:
    timed = evidence({"resnet8": [0.5, 0.51]}, "step_seconds")
    for given in (timed, replace(timed, times=[])):
        with pytest.raises(UserError, match=f"'a-claim', came '{metric}'.*from compile_seconds"):
            judge(claim("ratio_less", metric), given)


def test_a_claim_on_time_is_paired_by_turn() -> None:
    """A machine that slows down within a timing takes both arms along; the clocks of runs say the opposite."""
    given = evidence({"resnet8": [0.5, 0.6, 0.55]}, "step_seconds", step_seconds=None)
    for turn, drift in enumerate([1.0, 3.0, 9.0]):
        for arm, value in (("float32", 1.0), ("float16", [0.5, 0.6, 0.55][turn])):
            spoil(given, arm, turn, step_seconds=drift * value)
    judged = judge(claim("ratio_less", "step_seconds"), given)
    assert (judged["verdict"], judged["n"]) == ("supported", 3)
    assert judged["estimate"] == pytest.approx((0.5 * 0.6 * 0.55) ** (1 / 3))
    assert "over 3 turns" in judged["why"].lower()


@pytest.mark.parametrize(
    "metric", ["step_seconds", "items_per_second", "peak_bytes", "energy_joules"]
)
def test_clocks_of_training_runs_decide_no_claim(metric) -> None:
    given = evidence({"resnet8": EQUIVALENT, "resnet14": EQUIVALENT})
    for seed, value in enumerate([0.5, 0.51, 0.52, 0.5, 0.53]):
        spoil(given, "float16", seed, **{metric: value})
    judged = judge(claim("ratio_less", metric), given)
    assert (judged["verdict"], judged["n"], judged["needed_n"]) == ("inconclusive", 0, None)
    for record in judged["per_network"]:
        assert record["why"].startswith("This study times nothing, and the clocks of training runs")
    timed = evidence({"resnet8": [0.5, 0.51]}, metric)
    other = replace(given, times=timed.times)
    judged = judge(claim("ratio_less", metric), other)
    assert [r["verdict"] for r in judged["per_network"]] == ["supported", "inconclusive"]
    assert (
        "doesn't time float16 and float32 in turns at resnet14" in judged["per_network"][1]["why"]
    )


def test_a_turn_against_another_arm_is_no_pair() -> None:
    """Each pair of arms takes turns of its own, perhaps on another day."""
    given = evidence({"resnet8": [0.5, 0.51]}, "step_seconds")
    other = [{**row, "against": "mixed", "step_seconds": 7.0} for row in given.times]
    judged = judge(claim("ratio_less", "step_seconds"), replace(given, times=given.times + other))
    assert (judged["verdict"], judged["n"]) == ("supported", 2)


def test_memory_that_is_the_same_at_every_turn_decides() -> None:
    given = evidence({"resnet8": [0.5, 0.5]}, "peak_bytes")
    judged = judge(claim("ratio_less", "peak_bytes"), given)
    assert (judged["verdict"], judged["basis"]) == ("supported", "tested")
    same = evidence({"resnet8": [0.5, 0.5]}, "step_seconds")
    assert judge(claim("ratio_less", "step_seconds"), same)["verdict"] == "inconclusive"


def test_largest_batches_are_known_as_exactly_as_they_were_tried() -> None:
    """Turns begin at what the one before found, so that they agree whatever the steps are."""
    ratios = {(1000, 1.02): "inconclusive", (1000, 1.125): "supported", (8, 1.125): "inconclusive"}
    for (batch, ratio), verdict in ratios.items():
        given = evidence({"resnet8": [ratio] * 3}, "largest_batch")
        for row in given.times:
            row["largest_batch"] *= batch
        judged = judge(claim("ratio_greater", "largest_batch"), given)
        assert judged["verdict"] == verdict
        assert "steps in which it was tried" in judged["why"]


def test_what_is_checked_one_by_one_is_counted_over_all_networks() -> None:
    one = casts("True", "True", "True").quantization
    rows = one + [{**row, "network": "resnet14"} for row in one[:2]]
    given = evidence({"resnet8": EQUIVALENT, "resnet14": EQUIVALENT[:2]})
    assert judge(claim("bounded", None), replace(given, quantization=rows))["n"] == 5
    assert judge(claim("greater"), given)["n"] == 2  # seeds aren't added up


def test_what_is_not_one_is_not_told_as_one() -> None:
    told = [number(value) for value in (1.0045, 0.99962, -1.0027, 1.0, 1 + 1e-15, 1.006)]
    assert told == ["1.0045", "0.99962", "-1.0027", "1", "1", "1.01"]


def test_what_adding_up_leaves_of_zero_is_told_as_zero():
    assert [number(value) for value in (-4.44e-15, 1e-9, -0.25)] == ["0", "1e-09", "-0.25"]
