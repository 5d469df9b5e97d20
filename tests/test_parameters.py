"""params.yaml: what it may not say is refused, with the place and what was expected there."""

from pathlib import Path

import pytest
import yaml

from sixteen import parameters
from sixteen.errors import UserError

TOP = Path(__file__).parents[1]
SCHEMA = TOP / parameters.SCHEMA
DYNAMIC = {"kind": "dynamic", "start": 32768, "growth_interval": 100, "factor": 2}
ADAM = {"optimizer": "adam", "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-4}


@pytest.fixture
def real():
    """The project's own parameters."""
    return yaml.safe_load((TOP / "params.yaml").read_text())


def refusal(changed):
    with pytest.raises(UserError) as caught:
        parameters.check(changed, SCHEMA)
    return str(caught.value)


def test_the_projects_own_parameters_are_accepted():
    assert parameters.load(TOP / "params.yaml", SCHEMA)["targets"]["demo"]


def test_an_unknown_key_is_refused_by_name(real):
    real["recipes"]["sgd"]["learning_rat"] = 0.1
    assert "recipes/sgd" in refusal(real) and "learning_rat" in refusal(real)


def test_a_missing_value_is_refused_since_nothing_has_a_default(real):
    del real["recipes"]["sgd"]["momentum"]
    assert "recipes/sgd" in refusal(real) and "momentum" in refusal(real)


def test_a_wrong_type_is_refused(real):
    real["recipes"]["sgd"]["epochs"] = "50"
    assert "recipes/sgd/epochs" in refusal(real)


@pytest.mark.parametrize(("key", "section"), [("dataset", "datasets"), ("claims", "claims")])
def test_a_study_may_only_name_what_the_file_defines(real, key, section):
    real["studies"]["continuous16-demo"][key] = "nowhere"
    assert "'nowhere'" in refusal(real) and f"`{section}`" in refusal(real)


def test_a_sentence_may_only_name_known_precisions(real):
    real["studies"]["continuous16-demo"]["arms"]["other"] = "trained-in-float8-by-sgd"
    assert "'float8'" in refusal(real) and "arms/other" in refusal(real)


def test_a_target_may_only_name_known_studies(real):
    real["targets"]["all"].append("nothing")
    assert "targets/all" in refusal(real)


def test_a_missing_file_says_where_to_run(tmp_path):
    with pytest.raises(UserError, match="top of the project"):
        parameters.load(tmp_path / "params.yaml", SCHEMA)


def test_broken_yaml_is_one_sentence(tmp_path):
    (tmp_path / "params.yaml").write_text("a: [1\nb: 2")
    with pytest.raises(UserError, match="no valid YAML") as caught:
        parameters.load(tmp_path / "params.yaml", SCHEMA)
    assert "\n" not in str(caught.value)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "params.yaml").write_text("")
    with pytest.raises(UserError):
        parameters.load(tmp_path / "params.yaml", SCHEMA)


def test_an_unknown_study_lists_the_known_ones(real):
    with pytest.raises(UserError, match="continuous16-demo"):
        parameters.study_of(real, "nope")


def test_a_key_that_stands_twice_is_refused(tmp_path):
    text = (TOP / "params.yaml").read_text().replace("  resnet14:", "  resnet8:")
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(UserError, match="'resnet8' stands twice"):
        parameters.load(tmp_path / "params.yaml", SCHEMA)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(real, value):
    real["recipes"]["sgd"]["learning_rate"] = value
    assert "learning_rate" in refusal(real)


def test_a_seed_with_a_point_is_refused(real):
    real["studies"]["continuous16"]["seeds"] = [0, 1.0]
    assert "1.0 is not of type 'integer'" in refusal(real)


def test_a_batch_with_a_point_is_refused(real):
    real["recipes"]["sgd"]["batch"] = 32.0
    assert "32.0 is not of type 'integer'" in refusal(real)


def test_quantization_to_32_bit_is_refused(real):
    arms = real["studies"]["continuous16"]["arms"]
    arms["float16"] = arms["float16"].replace("quantized-to-float16", "quantized-to-float32")
    assert "stores 16-bit weights" in refusal(real)


def test_going_on_in_16_bit_without_a_cast_is_refused(real):
    arms = real["studies"]["continuous16"]["arms"]
    arms["float16"] = arms["float16"].replace("/quantized-to-float16", "")
    assert "expected weights in float16" in refusal(real)


def test_batch_norm_in_16_bit_needs_a_cast_as_well(real):
    arms = real["studies"]["continuous16"]["arms"]
    arms["float16"] = "trained-in-float32-by-sgd/continued-in-mixed_unscaled_norm16-by-sgd"
    assert "expected batch norm in float16" in refusal(real)


@pytest.mark.parametrize(
    ("key", "value"),
    [("metric", "acuracy"), ("only", "resnet9"), ("arms", ["float16", "float16"]), ("margin", -1)],
)
def test_a_claim_that_cannot_be_decided_is_refused(real, key, value):
    real["claims"]["continuous16"][0][key] = value
    assert "claims/continuous16" in refusal(real)


def test_an_alpha_that_leaves_no_interval_is_refused(real):
    real["statistics"]["alpha"] = 0.6
    assert "statistics/alpha" in refusal(real)


@pytest.mark.parametrize(
    ("section", "name", "change", "expected"),
    [
        ("recipes", "sgd", {"optimizer": "lion"}, "'lion' is not one of"),
        ("recipes", "adam", {"momentum": 0.9}, "expected the keys beta_1, beta_2, epsilon for the"),
        ("recipes", "adam", {"epsilon": 0}, "recipes/adam/epsilon"),
        ("recipes", "sgd", {"averaging": {"momentum": 1}}, "recipes/sgd/averaging"),
        ("recipes", "sgd", {"observe": {"every": 0, "cast_to": "float16"}}, "recipes/sgd/observe"),
        ("precisions", "float32", {"master_weights": True}, "which needs no masters"),
        ("precisions", "float16", {"batch_norm": "bfloat16"}, "expected float32 or the format of"),
        ("precisions", "float32", {"loss": "float16"}, "expected float32 or the format of"),
        ("precisions", "mixed_static8", {"loss_scale": {"kind": "static", "factor": 0}}, "loss_scale"),
        ("precisions", "mixed_static8", {"loss_scale": {"kind": "static", "factor": 1e5}}, "to 65504), came 100000"),
        ("precisions", "mixed_static8", {"loss_scale": {"kind": "static", "factor": 1e-9}}, "that float16 can hold"),
        ("precisions", "bfloat16", {"loss_scale": {"kind": "static", "factor": 1e39}}, "that float32 can hold"),
        ("precisions", "mixed_brisk", {"loss_scale": DYNAMIC | {"start": 1e39}}, "loss_scale/start"),
        ("precisions", "mixed_brisk", {"loss_scale": DYNAMIC | {"factor": 1.0000000001}}, "loss_scale/factor"),
        ("precisions", "mixed_brisk", {"loss_scale": DYNAMIC | {"factor": 1e35}}, "loss_scale/factor"),
        ("networks", "densenet-small", {"blocks": [1]}, "to be four numbers"),
        ("networks", "xception", {"blocks": [1, 1, 1, 1]}, "expected `blocks: null` for Xception"),
        ("networks", "alexnet", {"width": 0.001}, "leaves at least one filter"),
        ("networks", "xception", {"name": "VGG99"}, "'VGG99' is not one of"),
        ("networks", "vgg16", {"depth": 17}, "17 is not one of"),
        ("networks", "vit8", {"depth": 8}, "networks/vit8"),
    ],
)  # fmt: skip
def test_an_entry_that_makes_no_sense_is_refused(real, section, name, change, expected):
    real[section][name] |= change
    told = refusal(real)
    assert expected in told and name in told


@pytest.mark.parametrize(
    ("precision", "recipe", "expected"),
    [
        ("bfloat16", ADAM, "expected beta_2 below 1 in bfloat16"),
        ("float16", ADAM | {"beta_2": 0.9999}, "expected beta_2 below 1 in float16"),
        ("float16", ADAM | {"beta_1": 0.9999}, "expected beta_1 below 1 in float16"),
        ("bfloat16", {"averaging": {"momentum": 0.999}}, "expected averaging/momentum below 1 in bfloat16"),
        ("float16", {"learning_rate": 1e-8}, "expected learning_rate to be a number in float16"),
        ("float32", {"learning_rate": 1e300}, "expected learning_rate to be a number in float32"),
        ("float32", ADAM | {"epsilon": 1e-50}, "expected epsilon to be a number in float32"),
        ("float32", ADAM | {"optimizer": "adamw", "weight_decay": 1e39}, "expected weight_decay to be a number"),
    ],
)  # fmt: skip
def test_a_recipe_that_its_precision_cannot_hold_is_refused(real, precision, recipe, expected):
    """Rounded to the format of the weights it would train nothing, and say nothing."""
    made = real["recipes"]["sgd"] | recipe
    if "optimizer" in recipe:
        del made["momentum"]
    real["recipes"]["tried"] = made
    real["studies"]["continuous16"]["arms"]["tried"] = f"trained-in-{precision}-by-tried"
    told = refusal(real)
    assert expected in told and "arms/tried" in told


@pytest.mark.parametrize("precision", ["float32", "float16", "mixed_float16"])
def test_the_recipes_for_adam_are_accepted_where_they_work(real, precision):
    real["studies"]["continuous16"]["arms"]["adam"] = f"trained-in-{precision}-by-adamw"
    parameters.check(real, SCHEMA)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"recipes": {"resnet9": {}}}, "'resnet9'"),
        ({"recipes": {"resnet8": {"short-sgd": "nothing"}}}, "'nothing'"),
        ({"recipes": {"resnet8": {"sgd": "short-sgd"}}}, "a recipe that an arm names"),
        ({"published": "nothing"}, "'nothing'"),
        ({"factorial": ["float32", "float16", "a", "b"]}, "came 'a'"),
    ],
)
def test_what_a_study_may_have_besides_must_exist(real, change, expected):
    real["studies"]["continuous16-demo"] |= change
    assert expected in refusal(real)


def test_an_entry_may_take_over_another_and_change_a_key(tmp_path):
    recipes = parameters.load(TOP / "params.yaml", SCHEMA)["recipes"]
    assert recipes["short-sgd"] == recipes["sgd"] | {"batch": 32, "epochs": 10}


def test_a_design_that_cannot_tell_its_factors_apart_is_refused(real):
    study = real["studies"]["mixed-demo"]
    study["factorial"] = ["float32", "mixed-dynamic", "mixed-unscaled", "float16-scaled"]
    assert "mixed-demo/factorial" in refusal(real)
