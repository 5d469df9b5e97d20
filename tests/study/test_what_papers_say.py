"""What the papers claim and print, said a second time from the papers themselves and held against papers/*.yaml."""

import re
from pathlib import Path
from typing import Any

import pytest

from sixteen.analysis.claims import judge
from sixteen.analysis.evidence import Evidence
from sixteen.study.claim import Claim, Exact
from sixteen.study.load import load
from sixteen.tasks.measured.parts.metrics import TIMED, metrics_of

# A line a claim: study's claims, id, and the claim as a formula. Shares are shares: 0.01 is a point.
SAID = {
    "2311.18587": """
        continuous16 accuracy-maintained     | accuracy: |float16 - float32| <= 0.01
        continuous16 slight-gain             | accuracy: float16 > float32
        continuous16 starts-lower-ends-equal | first_epoch_accuracy: float16 < float32, then accuracy: |float16 - float32| <= 0.01
        continuous16 more-variable           | epoch_sd: float16 > float32
        continuous16 less-time-resnet156     | step_seconds: float16 <= 0.673 float32 within 5 %, resnet156, gpu
        continuous16 less-memory-state       | state_bytes: float16 < float32
        continuous16 less-memory-peak        | peak_bytes: float16 < float32, gpu
        continuous16 quantization-bounded    | bounded: float16
        time less-time-resnet156             | step_seconds: float16 <= 0.673 float32 within 5 %, resnet156, gpu
        time less-memory-peak                | peak_bytes: float16 < float32, gpu
        switch half-way                      | accuracy: |half-way - restarted-half-way| <= 0.01
    """,
    "2305.10947": """
        standalone16 matches-float32       | accuracy: |float16 - float32| <= 0.01
        standalone16 matches-mixed         | accuracy: |float16 - mixed| <= 0.01
        standalone16 faster-than-float32   | step_seconds: float16 < float32, gpu
        standalone16 faster-than-mixed     | step_seconds: float16 < mixed, gpu
        standalone16 tolerance-of-the-cast | lemma: cast
        standalone16 tolerance-of-training | lemma: float16
        switch from-scratch                | accuracy: |from-the-start - never| <= 0.01
    """,
    "1710.03740": """
        mixed classification-needs-no-scale | accuracy: |mixed-unscaled - float32| <= 0.01
        mixed mixed-matches                 | accuracy: |mixed-scaled - float32| <= 0.01
        mixed scale-8-is-enough             | accuracy: |mixed-static8 - float32| <= 0.01
        mixed scale-is-needed               | accuracy: mixed-unscaled < mixed-scaled
        mixed master-weights-are-needed     | accuracy: float16-scaled < mixed-scaled
        mixed updates-are-lost              | lost_updates: float16-scaled > mixed-scaled
        mixed less-memory                   | training_bytes: mixed-scaled < float32
    """,
    "2403.02243": """
        schedules fewest-bits-lose                   | accuracy: static-low < static
        schedules most-bits-match-float32            | accuracy: static >= float32 - 0.01
        schedules cyclic-matches-static              | accuracy: cr >= static - 0.01
        schedules many-match-static                  | accuracy: 5 of {ten} >= static - 0.01 at less cost
        schedules accuracy-follows-cost              | accuracy: rises with the cost of {ten}
        schedules large-savings-lose-rr              | accuracy: rr < static
        schedules large-savings-lose-rth             | accuracy: rth < static
        schedules repeated-or-triangular-cosine      | accuracy: |cr - ct| <= 0.01
        schedules repeated-or-triangular-linear      | accuracy: |lr - lt| <= 0.01
        schedules repeated-or-triangular-exponential | accuracy: |er - eth| <= 0.01
        schedules repeated-or-triangular-rex         | accuracy: |rr - rth| <= 0.01
        schedules-nodes fewest-bits-lose                   | accuracy: static-low < static
        schedules-nodes most-bits-match-float32            | accuracy: static >= float32 - 0.01
        schedules-nodes cyclic-matches-static              | accuracy: cr >= static - 0.01
        schedules-nodes many-match-static                  | accuracy: 5 of {ten} >= static - 0.01 at less cost
        schedules-nodes accuracy-follows-cost              | accuracy: rises with the cost of {ten}
        schedules-nodes large-savings-hold-rr              | accuracy: rr >= static - 0.01
        schedules-nodes large-savings-hold-rth             | accuracy: rth >= static - 0.01
        schedules-nodes repeated-or-triangular-cosine      | accuracy: |cr - ct| <= 0.01
        schedules-nodes repeated-or-triangular-linear      | accuracy: |lr - lt| <= 0.01
        schedules-nodes repeated-or-triangular-exponential | accuracy: |er - eth| <= 0.01
        schedules-nodes repeated-or-triangular-rex         | accuracy: |rr - rth| <= 0.01
        schedules-perplexity fewest-bits-lose        | perplexity: static-low > static
        schedules-perplexity most-bits-match-float32 | perplexity: static <= float32 + 0.01
        schedules-perplexity cyclic-matches-static   | perplexity: cr <= static + 0.01
        schedules-perplexity many-match-static       | perplexity: 5 of {ten} <= static + 0.01 at less cost
        schedules-perplexity perplexity-follows-cost | perplexity: falls with the cost of {ten}
        schedules-perplexity large-savings-lose-rr   | perplexity: rr > static
        schedules-perplexity large-savings-lose-rth  | perplexity: rth > static
        schedules-boxes fewest-bits-lose         | average_precision: static-low < static
        schedules-boxes most-bits-match-float32  | average_precision: static >= float32 - 0.01
        schedules-boxes cyclic-matches-static    | average_precision: cr >= static - 0.01
        schedules-boxes many-match-static        | average_precision: 5 of {ten} >= static - 0.01 at less cost
        schedules-boxes precision-follows-cost   | average_precision: rises with the cost of {ten}
        schedules-boxes large-savings-lose-rr    | average_precision: rr < static
        schedules-boxes large-savings-lose-rth   | average_precision: rth < static
        deficit early-deficit-damages            | accuracy: falls along deficit
        deficit-perplexity early-deficit-damages | perplexity: rises along deficit
        onset delay-avoids-damage | accuracy: rises along onset
        cycles eight-against-two  | accuracy: cycles-8 >= cycles-2 - 0.01
        cycles eight-against-32   | accuracy: cycles-8 >= cycles-32 - 0.01
        restart restarting-repairs              | accuracy: restarted > decayed
        restart damage-remains-after-restart    | accuracy: restarted < full-restarted
        restart damage-remains                  | accuracy: decayed < full-decayed
        ranges corrected-ranges-change-nothing  | accuracy: |moving - corrected| <= 0.01
        aggregation fewest-bits-lose        | accuracy: static-low < static
        aggregation most-bits-match-float32 | accuracy: static >= float32 - 0.01
        meeting goes-on-in-16-bit | accuracy: float16 >= float32 - 0.01
        meeting goes-on-in-8-bit  | accuracy: static >= float32 - 0.01
        meeting goes-on-in-cycles | accuracy: cr >= float32 - 0.01
    """.replace("{ten}", "cr lr er rr ct lt eth etv rth rtv"),
    "ours": """
        switch warm-start-is-better | accuracy: half-way > from-the-start
        longer equal-at-once            | accuracy: |float16-1 - float32-1| <= 0.01
        longer equal-twice-as-long      | accuracy: |float16-2 - float32-2| <= 0.01
        longer equal-four-times-as-long | accuracy: |float16-4 - float32-4| <= 0.01
        continued goes-on-in-16-bit     | accuracy: |float16 - float32| <= 0.01
        learning-rate float16-at-0-01   | accuracy: |float16-0_01 - float32-0_01| <= 0.01
        learning-rate float16-at-0-1    | accuracy: |float16-0_1 - float32-0_1| <= 0.01
        learning-rate float16-at-0-003  | accuracy: |float16-0_003 - float32-0_003| <= 0.01
        learning-rate bfloat16-at-0-01  | accuracy: |bfloat16-0_01 - float32-0_01| <= 0.01
        learning-rate bfloat16-at-0-003 | accuracy: |bfloat16-0_003 - float32-0_003| <= 0.01
        learning-rate bfloat16-at-0-1   | accuracy: |bfloat16-0_1 - float32-0_1| <= 0.01
        rate-schedules equal-with-a-constant-rate | accuracy: |float16-constant - float32-constant| <= 0.01
        rate-schedules equal-with-steps    | accuracy: |float16-step - float32-step| <= 0.01
        rate-schedules equal-with-a-cosine | accuracy: |float16-cosine - float32-cosine| <= 0.01
        rate-schedules equal-with-warm-up  | accuracy: |float16-warm-up - float32-warm-up| <= 0.01
        batch-size equal-with-small-batches | accuracy: |float16-32 - float32-32| <= 0.01
        batch-size equal-with-large-batches | accuracy: |float16-256 - float32-256| <= 0.01
        formats float16-by-sgd   | accuracy: |float16-sgd - float32-sgd| <= 0.01
        formats bfloat16-by-sgd  | accuracy: |bfloat16-sgd - float32-sgd| <= 0.01
        formats float16-by-adam  | accuracy: |float16-adam - float32-adam| <= 0.01
        formats bfloat16-by-adam | accuracy: |bfloat16-adam - float32-adam| <= 0.01
        tail equal-without-a-tail | accuracy: |tail-0 - float32| <= 0.01
        tail tail-helps           | accuracy: rises along tail
        hardware jax-as-tensorflow | accuracy: |float32-jax-1 - float32-tensorflow-1| <= 0.01
        hardware jax-as-tensorflow-in-16-bit | accuracy: |float16-jax-1 - float16-tensorflow-1| <= 0.01
        hardware same-effect-by-jax-and-tensorflow | accuracy: |(float16-jax-1 - float32-jax-1) - (float16-tensorflow-1 - float32-tensorflow-1)| <= 0.01
        hardware-threads jax-as-tensorflow | accuracy: |float32-jax-1 - float32-tensorflow-1| <= 0.01
        hardware-threads jax-as-tensorflow-in-16-bit | accuracy: |float16-jax-1 - float16-tensorflow-1| <= 0.01
        hardware-threads same-effect-by-jax-and-tensorflow | accuracy: |(float16-jax-1 - float32-jax-1) - (float16-tensorflow-1 - float32-tensorflow-1)| <= 0.01
        hardware-threads two-threads-of-tensorflow | accuracy: |float32-tensorflow-2 - float32-tensorflow-1| <= 0.01
        hardware-threads two-threads-of-jax | accuracy: |float32-jax-2 - float32-jax-1| <= 0.01
        hardware-threads two-threads-of-tensorflow-in-16-bit | accuracy: |float16-tensorflow-2 - float16-tensorflow-1| <= 0.01
        hardware-threads two-threads-of-jax-in-16-bit | accuracy: |float16-jax-2 - float16-jax-1| <= 0.01
        hardware-threads same-effect-by-two-threads-of-tensorflow | accuracy: |(float16-tensorflow-2 - float32-tensorflow-2) - (float16-tensorflow-1 - float32-tensorflow-1)| <= 0.01
        hardware-threads same-effect-by-two-threads-of-jax | accuracy: |(float16-jax-2 - float32-jax-2) - (float16-jax-1 - float32-jax-1)| <= 0.01
    """,
}
FORMULAS = {
    tuple(line.partition("|")[0].split()): line.partition("|")[2].strip()
    for text in SAID.values()
    for line in text.strip().splitlines()
}
# arXiv:2305.10947, Table 5: accuracy (%) of float16, float32 and mixed, seconds of each, and how many times faster
# float16 is than float32, as printed.
TABLE = """
    alexnet     76.0±0.3 75.8±0.3 75.9±0.3   96  174  150 1.8
    vgg16       83.7±0.3 83.9±0.2 83.8±0.2  377  857  455 2.2
    vgg19       83.8±0.2 83.9±0.3 83.9±0.2  416  937  492 2.2
    resnet32    80.9±0.3 80.9±0.4 80.9±0.3  413  551  483 1.3
    resnet56    81.6±0.4 81.4±0.6 81.5±0.6  677  905  795 1.3
    resnet110   81.8±0.4 81.4±0.5 81.8±0.5 1256 1712 1486 1.3
    densenet121 72.1±0.3 72.6±0.4 73.0±0.3  539  720  641 1.3
    densenet169 71.7±0.5 72.3±0.3 72.1±0.3  724  966  812 1.3
    xception    75.9±0.4 76.3±0.3 76.3±0.4  324  611  412 1.9
    mobilenetv2 69.4±1.1 70.0±1.2 70.0±1.1  353  588  411 1.7
    vit8        71.0±0.3 71.3±0.3 71.2±0.3  316  423  410 1.3
    vit12       71.1±0.3 71.4±0.3 71.5±0.3  425  663  629 1.6
"""
METRICS = (
    metrics_of("model_language") | metrics_of("detect_objects") | metrics_of("classify_images")
)
# How a formula says a test: what may be less but for a margin, what rises or falls over several arms.
SEVERAL = {
    r"(\S+) >= (\S+) - ([\d.]+)": "not_less",
    r"(\S+) <= (\S+) \+ ([\d.]+)": "not_more",
    r"(\d+) of (.+) >= (\S+) - ([\d.]+) at less cost": "several_not_less",
    r"(\d+) of (.+) <= (\S+) \+ ([\d.]+) at less cost": "several_not_more",
    r"\|\((\S+) - (\S+)\) - \((\S+) - (\S+)\)\| <= ([\d.]+)": "equal_effects",
    r"rises with the cost of (.+)": "rank_correlation_greater",
    r"falls with the cost of (.+)": "rank_correlation_less",
    r"rises along (\S+)": "trend_greater",
    r"falls along (\S+)": "trend_less",
}


PROJECT = load(Path(__file__).parents[2])


def _claims() -> dict[tuple[str, str], Claim]:
    return {
        (name, claim.id): claim
        for paper in PROJECT.papers.values()
        for name, claims in paper.claims.items()
        for claim in claims
    }


def _said_of_several(told: str) -> list[Any] | None:
    """Test, how many arms at least, arms or series, and margin of a formula of SEVERAL; None for another one."""
    for pattern, test in SEVERAL.items():
        if found := re.fullmatch(pattern, told):
            parts = list(found.groups())
            if test.startswith("not_"):
                return [test, (parts[0], parts[1]), float(parts[2])]
            if test == "equal_effects":
                return [test, tuple(parts[:4]), float(parts[4])]
            if test.startswith("several"):
                return [test, int(parts[0]), (*parts[1].split(), parts[2]), float(parts[3])]
            return [test, parts[0] if "trend" in test else tuple(parts[0].split())]
    return None


def _compared(formula: str) -> tuple[str, str]:
    """The two arms of a formula, as it orders them."""
    told = formula.rpartition(":")[2].partition(",")[0]
    names = [word.strip("|") for word in told.split() if word.strip("|")[0].isalpha()]
    first, second = [name for name in names if name not in ("then", "within")][:2]
    return first, second


def test_that_schedules_do_as_well_needs_the_check_that_the_fewest_bits_lose() -> None:
    """No difference says nothing where even the fewest bits aren't seen to lose; what loses by itself is seen."""
    as_well = re.compile(r" static [-+] 0.01|\|\w+ - \w+\| <= 0.01")
    sets = {name for name, id in FORMULAS if name.startswith("schedules")}
    said = {k for k, formula in FORMULAS.items() if k[0] in sets and as_well.search(formula)}
    needing = {key for key, claim in _claims().items() if claim.needs == "fewest-bits-lose"}
    assert needing == said and len(said) == 6 + 8 + 2 + 2
    assert all(claim.needs is None for key, claim in _claims().items() if key not in said)


def _seeds(arm: str, other: str, values: list[float], metric: str) -> Evidence:
    """Five seeds, or turns, in which an arm has these values of a metric, and another one has 0.5."""
    runs, times = [], []
    for seed, value in enumerate(values):
        for name, number in ((arm, value), (other, 0.5)):
            row = {
                "network": "resnet156",
                "arm": name,
                "device": "NVIDIA A100",
                "test_items": 10_000,
            }
            row |= {"outcome": "finished"} | dict.fromkeys(METRICS, 0.5)
            runs.append({**row, "seed": seed, metric: number})
            against = other if name == arm else arm
            times.append({**row, "turn": seed, "against": against, metric: number})
    layers = {"resnet156": 152}
    return Evidence(runs, times, [], [], layers, PROJECT.statistics, METRICS, "image")


def test_every_claim_is_said_here_and_none_beside() -> None:
    assert set(_claims()) == set(FORMULAS)
    for name, text in SAID.items():
        told = {tuple(line.partition("|")[0].split()) for line in text.strip().splitlines()}
        found = PROJECT.papers[name].claims
        assert told == {(key, claim.id) for key, claims in found.items() for claim in claims}


@pytest.mark.parametrize("key", FORMULAS, ids=" ".join)
def test_a_claim_compares_what_the_paper_compares(key: tuple[str, str]) -> None:
    claim, formula = _claims()[key], FORMULAS[key]
    of, _, told = formula.partition(": ")
    assert claim.only == ("resnet156" if "resnet156" in formula else None)
    assert claim.hardware == ("gpu" if formula.endswith("gpu") else None)
    if isinstance(claim, Exact):
        assert (claim.test, claim.arms[0]) == (of, told)
        return
    if said := _said_of_several(told):
        keys = ("least", "arms", "series", "margin")
        held = [claim.test, *(getattr(claim, key) for key in keys if hasattr(claim, key))]
        assert held == said and claim.metric == of
        return
    metrics = [part.partition(":")[0].strip() for part in formula.split(", then ")]
    assert [getattr(claim, "start_metric", claim.metric), claim.metric][-len(metrics) :] == metrics
    if "|" in told:
        assert getattr(claim, "margin", None) == float(told.rpartition("<= ")[2].partition(",")[0])
        assert set(claim.arms) == set(_compared(formula))
    if "<= 0.673" in told:
        assert (claim.value, claim.tolerance) == (1 - 0.327, 0.05)


@pytest.mark.parametrize(
    "key", [k for k, text in FORMULAS.items() if " < " in text or " > " in text]
)
def test_the_numbers_of_the_paper_support_a_claim_and_the_opposite_refutes_it(
    key: tuple[str, str],
) -> None:
    claim, formula = _claims()[key], FORMULAS[key].partition(", then ")[0]
    metric, (first, second) = formula.partition(":")[0], _compared(formula)
    more, less = [0.60, 0.62, 0.61, 0.63, 0.60], [0.40, 0.38, 0.39, 0.41, 0.40]
    as_told, opposite = (more, less) if " > " in formula else (less, more)
    for values, verdict in ((as_told, "supported"), (opposite, "refuted")):
        assert judge(claim, _seeds(first, second, values, metric))["verdict"] == verdict


@pytest.mark.parametrize(
    "key", [k for k, text in FORMULAS.items() if "along" in text or "cost of" in text]
)
def test_what_rises_is_found_to_rise_and_the_opposite_refutes_it(key: tuple[str, str]) -> None:
    claim, rises = _claims()[key], "rises" in FORMULAS[key]
    arms = [f"{claim.series}-{i}" for i in (0, 2, 8)] if hasattr(claim, "series") else claim.arms
    for slope, verdict in ((0.01, "supported"), (-0.01, "refuted")):
        runs = [
            {"network": "a", "arm": arm, "seed": seed, "outcome": "finished", "device": "cpu"}
            | {"test_items": 10_000, "bit_cost": 0.01 * (1 + i)}
            | {claim.metric: 0.5 + (slope if rises else -slope) * i + seed * 0.001 * (i % 2)}
            for seed in range(5)
            for i, arm in enumerate(arms)
        ]
        given = Evidence(runs, [], [], [], {"a": 8}, PROJECT.statistics, METRICS, "image")
        assert judge(claim, given)["verdict"] == verdict


def test_the_time_of_the_paper_meets_its_own_claim() -> None:
    claim = _claims()["continuous16", "less-time-resnet156"]
    for ratio, verdict in ((1 / 1.486, "supported"), (0.72, "refuted"), (1 / 0.673, "refuted")):
        values = [0.5 * ratio * (1 + noise) for noise in (-0.002, 0.001, 0, 0.002, -0.001)]
        judged = judge(claim, _seeds("float16", "float32", values, "step_seconds"))
        assert judged["verdict"] == verdict, ratio
    assert "step_seconds" in TIMED


def _printed() -> dict[str, list[str]]:
    return {line.split()[0]: line.split()[1:] for line in TABLE.strip().splitlines()}


def test_the_published_table_holds_the_numbers_of_the_paper() -> None:
    table = PROJECT.papers["2305.10947"].tables["standalone16"]
    printed, arms = _printed(), ("float16", "float32", "mixed")
    assert list(table.accuracy) == list(table.seconds) == list(printed)
    for network, cells in printed.items():
        for arm, accuracy, seconds in zip(arms, cells[:3], cells[3:6], strict=True):
            mean, spread = table.accuracy[network][arm]
            assert f"{mean}±{spread}" == accuracy
            assert table.seconds[network][arm] == float(seconds)
        times = table.seconds[network]
        # Printed times are rounded, and the paper rounds 1.34 and 2.25 down.
        assert times["float32"] / times["float16"] == pytest.approx(float(cells[6]), abs=0.08)


def test_the_published_table_agrees_with_the_means_that_the_paper_prints() -> None:
    table = PROJECT.papers["2305.10947"].tables["standalone16"]
    gaps = [by["float16"][0] - by["float32"][0] for by in table.accuracy.values()]
    assert round(sum(gaps) / len(gaps), 1) == -0.2
    for arm, faster in (("float32", 1.6), ("mixed", 1.3)):
        ratios = [by[arm] / by["float16"] for by in table.seconds.values()]
        assert round(sum(ratios) / len(ratios), 1) == faster


def test_settings_are_what_the_papers_state() -> None:
    ours, standalone = (PROJECT.papers[name].settings for name in ("2311.18587", "2305.10947"))
    assert (ours["batch"], standalone["batch"]) == ("128", "256")
    assert "learning rate 0.01" in ours["optimizer"] and "100" in ours["epochs"]
    assert "learning rate 0.01, momentum 0.9 (none for ViT)" in standalone["optimizer"]
    assert (standalone["epochs"], standalone["augmentation"]) == ("100", "none")
    for silent in ("seeds", "hardware", "momentum", "augmentation"):
        assert ours[silent] == "not stated"
    for silent in ("seeds", "hardware"):
        assert standalone[silent] == "not stated"
    assert PROJECT.papers["1710.03740"].settings["seeds"] == "not stated"
    schedules = PROJECT.papers["2403.02243"]
    assert schedules.settings["results of each schedule"] == "not found" and not schedules.tables
    assert (
        "ResNet-74" in schedules.settings["images"]
        and "64,000 steps" in schedules.settings["length"]
    )
    cited = {name: paper.cited for name, paper in PROJECT.papers.items() if name != "ours"}
    assert cited == {name: f"arXiv:{name}" for name in cited}
