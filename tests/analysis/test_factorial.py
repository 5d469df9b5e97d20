import itertools
import math

import numpy as np
import pytest
from made_up import PRECISION, SGD, TASK
from pydantic import TypeAdapter

from sixteen.analysis.factorial import MEASURED, effects
from sixteen.errors import UserError
from sixteen.precision.entry import Precision
from sixteen.study.design import effects_of, settings_of
from sixteen.tasks.measured.parts.metrics import metrics_of
from sixteen.training.recipe import Recipe

METRICS = metrics_of(TASK)

DYNAMIC = {"kind": "dynamic", "start": 32768, "growth_interval": 2000, "factor": 2}
LEVELS = {
    "master_weights": (False, True),
    "loss_scale": (None, DYNAMIC),
    "learning_rate": (0.01, 0.05),
    "batch_norm": ("float32", "float16"),
    "averaging": (None, 0.99),
}
WORDS = {
    "master_weights": "master_weights: false -> true",
    "loss_scale": "loss_scale: none -> dynamic",
    "learning_rate": "learning_rate: 0.01 -> 0.05",
    "batch_norm": "batch_norm: float32 -> float16",
    "averaging": "averaging: none -> 0.99",
}


def settings(signs: list[tuple[int, ...]]) -> dict:
    """Arms at these levels (-1 or 1) of the first factors, all with the same batch."""
    return {
        f"arm{i}": {name: LEVELS[name][(sign + 1) // 2] for name, sign in zip(LEVELS, row)}  # noqa: B905
        | {"batch": 128}
        for i, row in enumerate(signs)
    }


def full(factors: int) -> list[tuple[int, ...]]:
    return list(itertools.product((-1, 1), repeat=factors))


def half() -> list[tuple[int, ...]]:
    """2^(5-1) of resolution V: the fifth factor is the product of the others."""
    return [(*row, math.prod(row)) for row in full(4)]


def measured(signs, truth: dict[tuple[str, ...], float], seeds=4, **changes) -> list[dict]:
    """Runs whose accuracy is a sum of effects, with what a seed adds to all arms and some noise."""
    rng = np.random.default_rng(0)
    rows = []
    for seed in range(seeds):
        for i, row in enumerate(signs):
            level = dict(zip(LEVELS, row))  # noqa: B905
            accuracy = 0.8 + seed / 100 + rng.normal(0, 1e-4)
            accuracy += sum(v / 2 * math.prod(level[f] for f in fs) for fs, v in truth.items())
            run = {"network": "resnet8", "arm": f"arm{i}", "seed": seed, "outcome": "finished"}
            others = dict.fromkeys(MEASURED)
            rows.append({**run, "test_items": 10_000, **others, "accuracy": accuracy})
    return rows


def by_effect(rows: list[dict], metric: str = "accuracy") -> dict[str, dict]:
    return {row["effect"]: row for row in rows if row["metric"] == metric}


@pytest.mark.parametrize(
    ("signs", "interactions"),
    [(full(3), 3), (half(), 10)],
    ids=["2^3", "2^(5-1)"],
)
def test_known_effects_are_recovered(signs, interactions) -> None:
    truth = {
        ("master_weights",): 0.04,
        ("learning_rate",): -0.02,
        ("master_weights", "loss_scale"): 0.01,
    }
    rows = by_effect(effects(measured(signs, truth), settings(signs), METRICS, 0.95))
    kinds = [row["kind"] for row in rows.values()]
    assert (kinds.count("main"), kinds.count("interaction")) == (len(signs[0]), interactions)
    expected = {
        WORDS["master_weights"]: 0.04,
        WORDS["learning_rate"]: -0.02,
        "master_weights x loss_scale": 0.01,
    }
    for name, row in rows.items():
        assert row["n"] == 4
        assert row["mean"] == pytest.approx(expected.get(name, 0), abs=3e-4)
        assert (row["p_holm"] < 0.01) == (name in expected)
        assert row["low"] < row["mean"] < row["high"]


def test_words_are_those_of_the_settings_whichever_arm_is_first() -> None:
    for signs in (half(), full(5)):
        names = [effect.name for effect in effects_of(settings(signs)) if effect.kind == "main"]
        assert names == list(WORDS.values())
    (effect,) = effects_of({"one": {"compute": "float32"}, "other": {"compute": "float16"}})
    assert (effect.name, effect.signs) == ("compute: float32 -> float16", (-1, 1))


def test_two_values_of_one_kind_are_told_apart() -> None:
    scales = ({"kind": "static", "factor": 128}, {"kind": "static", "factor": 1024})
    arms = {f"arm{i}": {"loss_scale": scale} for i, scale in enumerate(scales)}
    (effect,) = effects_of(arms)
    assert effect.name == "loss_scale: static factor 128 -> static factor 1024"


@pytest.mark.parametrize(("generator", "sign"), [(1, "+"), (-1, "-")])
def test_effects_that_a_fraction_cannot_tell_apart_are_named_together(generator, sign) -> None:
    fraction = [(a, b, generator * a * b) for a, b in full(2)]
    names = [effect.name for effect in effects_of(settings(fraction))]
    assert names == [
        f"master_weights: false -> true {sign} loss_scale x learning_rate",
        f"loss_scale: none -> dynamic {sign} master_weights x learning_rate",
        f"learning_rate: 0.01 -> 0.05 {sign} master_weights x loss_scale",
    ]


def test_seeds_in_which_an_arm_diverged_are_left_out() -> None:
    runs = measured(full(2), {("master_weights",): 0.04})
    runs[0]["outcome"] = "diverged"
    rows = by_effect(effects(runs, settings(full(2)), METRICS, 0.95))
    assert {row["n"] for row in rows.values()} == {3}
    assert rows[WORDS["master_weights"]]["mean"] == pytest.approx(0.04, abs=3e-4)


def test_an_arm_that_always_diverges_leaves_nothing_to_estimate() -> None:
    runs = measured(full(2), {})
    for run in runs:
        run["outcome"] = "diverged" if run["arm"] == "arm3" else "finished"
    rows = effects(runs, settings(full(2)), METRICS, 0.95)
    assert len(rows) == 3 * len(MEASURED)
    assert all(row["n"] == 0 and row["mean"] is None and row["p_holm"] is None for row in rows)


def test_a_metric_that_nobody_measured_has_rows_without_numbers() -> None:
    rows = effects(measured(full(2), {}), settings(full(2)), METRICS, 0.95)
    assert {row["n"] for row in by_effect(rows, "lost_updates").values()} == {0}


def test_effects_on_deviations_multiply() -> None:
    """A tenfold range would drown a factor of two in the noise of the largest, were they added."""
    rng = np.random.default_rng(1)
    runs = measured(full(3), {}, seeds=3)
    factors = {"master_weights": 0.5, "loss_scale": 1.0, "learning_rate": 10.0}
    for i, run in enumerate(runs):
        row = dict(zip(factors, full(3)[i % 8], strict=True))
        value = math.prod(f ** (row[name] / 2) for name, f in factors.items())
        run["loss_sd"] = value * math.exp(rng.normal(0, 0.1))
    rows = by_effect(effects(runs, settings(full(3)), METRICS, 0.95), "loss_sd")
    assert {row["scale"] for row in rows.values()} == {"ratio"}
    for name, factor in factors.items():
        row = rows[WORDS[name]]
        assert row["mean"] == pytest.approx(factor, rel=0.15)
        assert row["low"] < factor < row["high"]
    assert rows[WORDS["master_weights"]]["p_holm"] < 0.05


def test_accuracies_that_agree_vary_by_an_image() -> None:
    """Four arms that are all alike: half an image of each, squared and summed, is half an image's variance."""
    runs = measured(full(2), {})
    for run in runs:
        run |= {"accuracy": 0.9, "test_items": 100}
    for row in by_effect(effects(runs, settings(full(2)), METRICS, 0.95)).values():
        assert (row["mean"], row["p"]) == (pytest.approx(0), pytest.approx(1))
        assert row["sd"] == pytest.approx(0.01 / 2**0.5)


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        (settings(full(2)[:3]), "came master_weights with 2 arms at one value and 1 at the other"),
        (settings([(-1, -1), (1, 1)]), "master_weights and loss_scale, which always change"),
        (settings([(-1, -1), (-1, -1), (-1, 1), (1, 1), (1, 1), (1, -1)]), "aren't orthogonal"),
        (settings([(-1,), (-1,)]), "last phrases have the same settings"),
        (
            {name: {"learning_rate": rate} for name, rate in zip("abc", (1, 2, 3), strict=True)},
            "learning_rate with 3 values: 1, 2, 3",
        ),
    ],
)
def test_arms_that_are_no_design_are_refused(arms, message) -> None:
    with pytest.raises(UserError, match=f"expected arms .*{message}"):
        effects_of(arms)


def test_an_irregular_fraction_is_refused() -> None:
    """Plackett and Burman's 12 runs are balanced and orthogonal, but confound interactions in part."""
    row = [1, 1, -1, 1, 1, 1, -1, -1, -1, 1, -1]
    signs = [tuple(np.roll(row, i)[:5]) for i in range(11)] + [(-1,) * 5]
    with pytest.raises(UserError, match="partly confounded"):
        effects_of(settings(signs))


def test_settings_are_those_of_the_last_phrase() -> None:
    arms = {
        "plain": "trained-in-float32-by-sgd-until-2/quantized-to-float16/continued-in-float16-by-sgd-until-6",
        "mixed": "trained-in-float32-by-sgd-until-2/continued-in-mixed-by-sgd-until-6",
    }
    half = PRECISION | {"compute": "float16"}
    precisions = {"float32": PRECISION, "float16": half, "mixed": half | {"master_weights": True}}
    told = settings_of(
        arms,
        {name: Precision.model_validate(precision) for name, precision in precisions.items()},
        {"sgd": TypeAdapter(Recipe).validate_python(SGD)},
    )
    assert told["plain"] == half | SGD | {"until": 6}
    assert [effect.name for effect in effects_of(told)] == ["master_weights: false -> true"]


def test_arms_of_unequal_length_differ_in_how_long_they_train() -> None:
    arms = {f"until-{n}": f"trained-in-float32-by-sgd-until-{n}" for n in (2, 6)}
    precisions = {"float32": Precision.model_validate(PRECISION)}
    recipes = {"sgd": TypeAdapter(Recipe).validate_python(SGD)}
    (effect,) = effects_of(settings_of(arms, precisions, recipes))
    assert effect.name == "until: 2 -> 6"
