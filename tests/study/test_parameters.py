"""params.yaml and papers/: what they may not say is refused, with the place, what was expected and what came."""

import copy
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from sixteen.errors import UserError
from sixteen.study import reading, schema
from sixteen.study.load import load, parse
from sixteen.study.paper import Paper

TOP = Path(__file__).parents[2]
PAPERS = {
    path.stem: reading.checked(Paper, reading.read(path), str(path))
    for path in (TOP / "papers").glob("*.yaml")
}
DYNAMIC = {"kind": "dynamic", "start": 32768, "growth_interval": 100, "factor": 2}
ADAM = {"optimizer": "adam", "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-4}


@pytest.fixture
def real():
    """The project's own parameters, as its file holds them."""
    return copy.deepcopy(reading.read(TOP / "params.yaml"))


@pytest.fixture
def project(tmp_path):
    """A folder with the project's own parameters and papers."""
    shutil.copyfile(TOP / "params.yaml", tmp_path / "params.yaml")
    shutil.copytree(TOP / "papers", tmp_path / "papers")
    return tmp_path


def refusal(changed):
    with pytest.raises(UserError) as caught:
        parse(changed, PAPERS)
    return str(caught.value)


def refusal_or_nothing(changed):
    try:
        parse(changed, PAPERS)
    except UserError as error:
        return str(error)
    return ""


def test_the_projects_own_parameters_are_accepted(project):
    assert load(project).targets["demo"]


def test_the_schemas_of_editors_are_current():
    """Made from the types; `python -m sixteen.study.schema` writes them anew."""
    for name, text in schema.schemas().items():
        assert (TOP / "workflow/schemas" / name).read_text() == text
    for path in [TOP / "params.yaml", *(TOP / "papers").glob("*.yaml")]:
        said = path.read_text().splitlines()[0].partition("$schema=")[2]
        assert (path.parent / said).resolve().is_file()


def test_times_are_measured_for_a_claim(real):
    real["studies"]["mixed-demo"]["time"] = {"turns": 2, "steps": 10}
    assert "studies/mixed-demo/time: expected a claim on what is measured alone" in refusal(real)


def test_editors_accept_the_files_and_mark_what_is_wrong(real):
    jsonschema = pytest.importorskip("jsonschema", reason="Jupyter brings it")
    told = {name: json.loads(text) for name, text in schema.schemas().items()}
    params = jsonschema.Draft202012Validator(told["params.schema.json"])
    assert not list(params.iter_errors(real))
    for path in (TOP / "papers").glob("*.yaml"):
        paper = jsonschema.Draft202012Validator(told["paper.schema.json"])
        assert not list(paper.iter_errors(reading.read(path)))
    for change in ({"recipes": {"sgd": {}}}, {"networks": {"A b": {}}}, {"more": 1}):
        assert list(params.iter_errors(real | change))


def test_an_unknown_key_is_refused_by_name(real):
    real["recipes"]["sgd"]["learning_rat"] = 0.1
    assert "params.yaml, recipes/sgd/learning_rat: expected no such key, came 0.1" in refusal(real)


def test_a_missing_value_is_refused_since_nothing_has_a_default(real):
    del real["recipes"]["sgd"]["momentum"]
    assert "recipes/sgd/momentum: expected this key, found none" in refusal(real)


def test_all_mistakes_are_told_at_once(real):
    real["recipes"]["sgd"]["batch"] = 32.0
    real["networks"]["resnet8"]["depth"] = 7
    real["studies"]["mixed"]["seeds"] = [0, True]
    real["threads"] = "1"
    told = refusal(real).splitlines()
    assert told == [
        "params.yaml, threads: expected a whole number, came '1'",
        "params.yaml, networks/resnet8/depth: expected a number of at least 8, came 7",
        "params.yaml, recipes/sgd/batch: expected a whole number, came 32.0",
        "params.yaml, studies/mixed/seeds/1: expected a whole number, came True",
    ]


def test_all_names_that_nothing_defines_are_told_at_once(real):
    real["studies"]["mixed"]["dataset"] = "nowhere"
    real["studies"]["switch"]["networks"] = ["resnet9"]
    real["targets"]["all"] = ["nothing"]
    assert len(refusal(real).splitlines()) == 3


def test_one_wrong_name_is_told_a_few_times_however_often_it_is_used(real):
    real["precisions"]["flaot32"] = real["precisions"].pop("float32")
    first, second, third, more = refusal(real).splitlines()
    assert all("expected a name under `precisions`" in line for line in (first, second, third))
    assert "studies/continuous16-demo/arms/float32: " in first and first.endswith("came 'float32'")
    arms = [
        text
        for study in real["studies"].values()
        for text in study["arms"].values()
        if "-in-float32" in text
    ]
    told = re.fullmatch(r"\.\.\. and (\d+) more like this", more)
    assert told and int(told[1]) >= len(arms) - 3


def test_of_many_kinds_of_mistakes_the_first_are_told(real):
    for number, study in enumerate(real["studies"].values()):
        study["dataset"] = f"nothing-{number}"
    lines = refusal(real).splitlines()
    assert len(lines) == 13
    assert lines[0].endswith("came 'nothing-0'")
    more = len(real["studies"]) - 12
    assert lines[-1] == f"... and {more} more of other kinds, to be told when these are mended"


@pytest.mark.parametrize(
    ("key", "value", "section"),
    [
        ("dataset", "nowhere", "`datasets`"),
        ("claims", "nowhere", "a set of claims of 2311.18587"),
        ("papers", ["nowhere"], "`papers/`"),
        ("networks", ["nowhere"], "`networks`"),
    ],
)
def test_a_study_may_only_name_what_is_defined(real, key, value, section):
    real["studies"]["continuous16-demo"][key] = value
    assert "'nowhere'" in refusal(real) and section in refusal(real)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trained-in-float8-by-sgd-until-1", "'float8'"),
        ("trained-in-float32-by-lion-until-1", "'lion'"),
        ("trained-in-float32-by-sgd-with-rate-1-until-1", "came 'rate'"),
        ("trained-in-float32-by-sgd-with-batch-big-until-1", "expected a whole number, came 'big'"),
        ("trained-in-float32-by-sgd-with-schedule-zigzag-until-1", "`schedules`"),
        ("trained-in-float32-with-loss-float16-by-sgd-until-1", "expected `loss` in float32"),
        ("trained-in-mixed-with-loss_scale-huge-by-sgd-until-1", "`loss_scales`"),
        ("trained-in-{nothing}-by-sgd-until-1", "braces that name an axis"),
        ("trained-in-float32-by-sgd-with-batch-0x_-until-1", "expected a whole number, came '0x_'"),
        ("trained-in-float32-by-sgd-with-learning_rate-2001-13-45-until-1", "expected a number, came"),
        ("trained-in-float32-by-sgd-until-99999999999", "expected a phrase like"),
        ("trained-in-float32-by-sgd-until-100001", "expected at most 100,000 epochs, came 100,001"),
        ("trained-in-" + "a-" * 2000 + "by-sgd-until-1", "at most 255 bytes"),
        ("trained-in-mixed-with-loss_scale-" + "very-" * 40 + "small-by-sgd-until-1", "`loss_scales`"),
    ],
)  # fmt: skip
def test_a_sentence_may_only_say_what_can_be_trained(real, text, expected):
    real["studies"]["continuous16-demo"]["arms"]["other"] = text
    told = refusal(real)
    assert expected in told and "studies/continuous16-demo" in told and "\n" not in told


def test_a_phrase_too_long_for_a_folder_is_refused(real):
    name = "-".join(["averylongword"] * 5)
    real["precisions"][name] = real["precisions"]["float32"]
    real["recipes"]["a" * 80] = real["recipes"]["sgd"]
    text = (
        f"trained-in-{name}-by-{'a' * 80}-with-learning_rate-0.123456789-and-averaging-0.123456789"
    )
    text += "-and-momentum-0.123456789-and-l2-0.123456789-until-1"
    real["studies"]["continuous16-demo"]["arms"]["other"] = text
    assert "phrases of at most 255 bytes" in refusal(real)


@pytest.mark.parametrize("name", ["$a$", "A", "a/b", "a b", "-a", "a.b"])
def test_an_arm_has_a_name_that_tables_and_figures_can_show(real, name):
    arms = real["studies"]["continuous16-demo"]["arms"]
    arms[name] = arms["float16"]
    assert "expected an arm with a name of small letters and digits" in refusal(real)


def test_an_axis_that_nothing_is_varied_along_is_refused(real):
    real["studies"]["continuous16-demo"]["axes"] = {"rate": [0.01, 0.1]}
    assert "came rate, which none does: write {rate} where it belongs" in refusal(real)


def test_a_target_may_only_name_known_studies(real):
    real["targets"]["all"].append("nothing")
    assert "targets/all" in refusal(real)


@pytest.mark.parametrize("name", ["all", "demo", "train", "prepare", "publish", "index"])
def test_a_study_may_not_be_called_as_a_rule(real, name):
    real["studies"][name] = real["studies"]["mixed"]
    assert f"studies/{name}: expected a name that no rule has" in refusal(real)


@pytest.mark.parametrize("section", ["networks", "datasets", "studies", "recipes"])
@pytest.mark.parametrize("name", ["tiny\n", "Tiny", "-tiny", "a" * 81, "tiny=1"])
def test_a_name_is_small_letters_and_digits_to_its_end(real, section, name):
    real[section][name] = next(iter(real[section].values()))
    assert f"params.yaml, {section}/" in refusal(real)


@pytest.mark.parametrize("word", ["in", "by", "to", "until", "with", "and"])
def test_names_in_phrases_may_not_hold_the_words_that_join_phrases(real, word):
    real["recipes"][f"sgd-{word}-more"] = real["recipes"]["sgd"]
    assert f"recipes/sgd-{word}-more" in refusal(real)


def test_a_missing_file_says_where_to_run(tmp_path):
    with pytest.raises(UserError, match="top of the project"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: [1\nb: 2", "no valid YAML"),
        (b"# caf\xe9\n", "expected text in UTF-8"),
        ("threads: 1".encode("utf-16"), "expected text in UTF-8"),
        (b"\x00\xff\x01", "expected"),
        (b"[" * 2000, "levels of nesting"),
        (b"threads: " + b"9" * 5000, "expected|valid YAML"),
        (b"1: 2", "expected text as a key in line 1, came 1"),
        (b"threads: 2026-01-01", "came datetime.date"),
        (b"", "expected named values, came None"),
        (b"- 1", "expected named values"),
        (b"a: 1\na: 2", "'a' stands twice"),
        (b"threads: !!python/object:os.system {}", "no valid YAML"),
        (b"a: &a [*a]", "expected|nesting"),
        (b"#" * 2**21, "at most 1,048,576 bytes"),
    ],
)
def test_a_file_that_holds_no_parameters_is_one_sentence(tmp_path, content, expected):
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(UserError, match=expected) as caught:
        load(tmp_path)
    told = str(caught.value)
    assert "\n" not in told and "params.yaml" in told and len(told) < 400


def test_an_unknown_study_lists_the_known_ones(project):
    with pytest.raises(UserError, match="continuous16-demo"):
        load(project).study("nope")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(real, value):
    real["recipes"]["sgd"]["learning_rate"] = value
    assert "recipes/sgd/learning_rate: expected a finite number" in refusal(real)


@pytest.mark.parametrize("seeds", [[0, 1.0], [0, True], [0, 0], [-1], []])
def test_seeds_are_different_whole_numbers(real, seeds):
    real["studies"]["continuous16"]["seeds"] = seeds
    told = refusal(real)
    assert "studies/continuous16/seeds" in told
    assert ("at least 1 of them" in told) == (seeds == [])


@pytest.mark.parametrize(("key", "value"), [("threads", 10**9), ("checkpoint_epochs", 10**30)])
def test_numbers_without_sense_are_refused(real, key, value):
    real[key] = value
    assert f"params.yaml, {key}: expected a number of at most" in refusal(real)


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
    arms["float16"] = (
        "trained-in-float32-by-sgd-until-1/continued-in-mixed-with-batch_norm-float16-by-sgd-until-2"
    )
    assert "expected batch norm in float16" in refusal(real)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"metric": "acuracy"}, "expected `metric` to be one of accuracy"),
        (
            {"metric": "train_seconds"},
            "a clock that is measured alone (compile_seconds, step_seconds",
        ),
        ({"arms": ["float16"]}, "arms: expected at least 2 of them"),
        ({"arms": ["float16", "float8"]}, "compares the arm 'float8'"),
        ({"margin": -1}, "margin: expected a number above 0, came -1"),
        ({"margin": 1e9}, "expected a `margin` of at most 1, since accuracy is a share"),
        ({"value": 1}, "value: expected no such key"),
        ({"test": "looks-good"}, "test: expected one of 'bounded'"),
        ({"hardware": "abacus"}, "hardware: expected 'gpu'"),
    ],
)
def test_a_claim_that_cannot_be_decided_is_refused(project, change, expected):
    path = project / "papers/2311.18587.yaml"
    paper = reading.read(path)
    paper["claims"]["continuous16"][0] |= change
    path.write_text(yaml.safe_dump(paper))
    with pytest.raises(UserError) as caught:
        load(project)
    assert expected in str(caught.value) and "accuracy-maintained" in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"test": "trend_less", "series": "deficit", "per": "epoch", "metric": "accuracy"},
            "compares at least 3 arms like deficit-2, and the study has only float32, float16",
        ),
        (
            {"test": "rank_correlation_less", "arms": ["a", "b", "c"], "metric": "accuracy"},
            "compares at least 3 of the arms a, b, c, and the study has only",
        ),
        (
            {"test": "trend_less", "series": "deficit", "per": "epoch", "metric": "step_seconds"},
            "compares at least 3 arms",
        ),
        (
            {
                "test": "not_more",
                "arms": ["float16", "float32"],
                "metric": "epoch_sd",
                "margin": 1.5,
            },
            "expected a `margin` below 1, since epoch_sd is compared by ratio, came 1.5",
        ),
    ],
)
def test_a_claim_on_arms_that_a_study_lacks_is_refused(project, fields, expected):
    path = project / "papers/2311.18587.yaml"
    paper = reading.read(path)
    head = {"id": "new", "says": "So.", "source": "Here.", "only": None, "hardware": None}
    paper["claims"]["continuous16"][0] = head | fields
    path.write_text(yaml.safe_dump(paper))
    with pytest.raises(UserError) as caught:
        load(project)
    assert expected in str(caught.value) and "'new'" in str(caught.value)


def test_an_arm_of_a_claim_that_no_study_has_is_refused(project):
    """Of several arms a study may lack some, so that a slip of the pen would leave one out without a word."""
    path = project / "papers/2403.02243.yaml"
    told = yaml.safe_load(path.read_text())
    several = next(c for c in told["claims"]["schedules"] if len(c.get("arms", ())) > 4)
    several["arms"][0] = "cosine-repeeted"
    path.write_text(yaml.safe_dump(told))
    with pytest.raises(
        UserError, match=r"expected arms of studies .*, came 'cosine-repeeted', which"
    ):
        load(project)


@pytest.mark.parametrize("needs", ["fewest-bits-loose", "cyclic-matches-static"])
def test_a_claim_that_needs_one_that_is_not_there_is_refused(project, needs):
    path = project / "papers/2403.02243.yaml"
    told = yaml.safe_load(path.read_text())
    next(c for c in told["claims"]["schedules"] if "needs" in c)["needs"] = needs
    path.write_text(yaml.safe_dump(told))
    with pytest.raises(UserError, match=rf"that needs no other .*, came '{needs}'"):
        load(project)


def test_what_is_timed_is_no_metric_of_a_series(project):
    path = project / "papers/2305.10947.yaml"
    paper = reading.read(path)
    paper["claims"]["standalone16"][0] = {
        **{"id": "new", "says": "So.", "source": "Here.", "only": None, "hardware": None},
        **{"test": "rank_correlation_less", "metric": "step_seconds"},
        "arms": ["float32", "float16", "mixed"],
    }
    path.write_text(yaml.safe_dump(paper))
    with pytest.raises(
        UserError, match="came 'step_seconds', which is measured of two arms in turns"
    ):
        load(project)


def test_two_claims_of_one_id_are_refused(project):
    path = project / "papers/2311.18587.yaml"
    paper = reading.read(path)
    paper["claims"]["continuous16"] *= 2
    path.write_text(yaml.safe_dump(paper))
    with pytest.raises(UserError, match="expected each once, came 'accuracy-maintained' 2 times"):
        load(project)


@pytest.mark.parametrize(
    ("level", "value"), [("alpha", 0.6), ("alpha", 1e-300), ("confidence", 1e-300), ("power", 0.1)]
)
def test_a_level_that_leaves_no_interval_is_refused(real, level, value):
    real["statistics"][level] = value
    assert f"statistics/{level}" in refusal(real)


@pytest.mark.parametrize(
    ("section", "name", "change", "expected"),
    [
        ("recipes", "sgd", {"optimizer": "lion"}, "recipes/sgd/optimizer: expected one of 'sgd'"),
        ("recipes", "adam", {"momentum": 0.9}, "recipes/adam/momentum: expected no such key"),
        ("recipes", "adam", {"epsilon": 0}, "recipes/adam/epsilon: expected a number above 0"),
        ("recipes", "sgd", {"averaging": 1}, "recipes/sgd/averaging: expected a number below 1"),
        ("recipes", "sgd", {"clip_norm": 0}, "recipes/sgd/clip_norm: expected a number above 0"),
        ("recipes", "sgd", {"schedule": "zigzag"}, "a name under `schedules`"),
        ("schedules", "steps", {"at": []}, "schedules/steps/at: expected at least 1 of them"),
        ("schedules", "cosine", {"epochs": 0}, "schedules/cosine/epochs: expected a number of at least 1"),
        ("precisions", "float32", {"master_weights": True}, "which needs no masters"),
        ("precisions", "float16", {"batch_norm": "bfloat16"}, "in float32 or in the format of"),
        ("precisions", "float32", {"loss": "float16"}, "in float32 or in the format of"),
        ("precisions", "float32", {"compute": "float8"}, "compute: expected 'float32', 'float16' or 'bfloat16'"),
        ("precisions", "mixed", {"loss_scale": "huge"}, "a name under `loss_scales`"),
        ("loss_scales", "static8", {"factor": 0}, "loss_scales/static8/factor"),
        ("loss_scales", "brisk", {"start": 1e39}, "can grow in float32"),
        ("loss_scales", "brisk", {"factor": 1.0000000001}, "can grow in float32"),
        ("loss_scales", "brisk", {"factor": 1e35}, "can grow in float32"),
        ("networks", "densenet-small", {"blocks": [1]}, "expected at least 4 of them"),
        ("networks", "xception", {"blocks": [1, 1, 1, 1]}, "expected `blocks: null` for Xception"),
        ("networks", "alexnet", {"width": 0.001}, "leaves at least one filter"),
        ("networks", "xception", {"name": "VGG99"}, "expected 'DenseNet121', 'DenseNet169'"),
        ("networks", "vgg16", {"depth": 17}, "expected 16 or 19, came 17"),
        ("networks", "vit8", {"depth": 8}, "networks/vit8/depth: expected no such key"),
        ("networks", "vit8", {"patch": 33}, "expected patches that fit"),
        ("datasets", "cifar10", {"url": "https://host/;touch PWNED;"}, "datasets/cifar10/url"),
        ("datasets", "cifar10", {"url": "https://host/a?b=c&d"}, "datasets/cifar10/url"),
        ("datasets", "cifar10", {"url": "https://host/.."}, "datasets/cifar10/url"),
        ("datasets", "cifar10", {"url": "https://host/"}, "datasets/cifar10/url"),
        ("datasets", "cifar10", {"sha256": "0" * 64 + "\n"}, "datasets/cifar10/sha256"),
        ("datasets", "cifar10-jpeg", {"height": 10**9}, "datasets/cifar10-jpeg/height"),
        ("networks", "resnet8", {"depth": 10**9 + 2}, "networks/resnet8/depth: expected a number of at most"),
        ("networks", "resnet8", {"width": 10**12}, "networks/resnet8/width: expected a number of at most"),
        ("networks", "vit8", {"heads": 10**9}, "networks/vit8/heads: expected a number of at most"),
        ("networks", "alexnet", {"width": 1e9}, "networks/alexnet/width: expected a number of at most"),
    ],
)  # fmt: skip
def test_an_entry_that_makes_no_sense_is_refused(real, section, name, change, expected):
    real[section][name] |= change
    assert expected in refusal(real)


@pytest.mark.parametrize(
    ("precision", "scale", "expected"),
    [
        ("mixed", {"kind": "static", "factor": 1e5}, "to 65504), came 100000"),
        ("mixed", {"kind": "static", "factor": 1e-9}, "that float16 can hold"),
        ("bfloat16", {"kind": "static", "factor": 1e39}, "that float32 can hold"),
    ],
)
def test_a_scale_that_its_precision_cannot_hold_is_refused(real, precision, scale, expected):
    real["loss_scales"]["tried"] = scale
    real["precisions"][precision]["loss_scale"] = "tried"
    assert expected in refusal(real) and f"precisions/{precision}" in refusal(real)


@pytest.mark.parametrize(
    ("precision", "recipe", "expected"),
    [
        ("bfloat16", ADAM, "expected beta_2 below 1 in bfloat16"),
        ("float16", ADAM | {"beta_2": 0.9999}, "expected beta_2 below 1 in float16"),
        ("float16", ADAM | {"beta_1": 0.9999}, "expected beta_1 below 1 in float16"),
        ("bfloat16", {"averaging": 0.999}, "expected averaging below 1 in bfloat16"),
        ("float16", {"learning_rate": 1e-8}, "expected learning_rate to be a number in float16"),
        ("float32", {"learning_rate": 1e300}, "expected learning_rate to be a number in float32"),
        ("float32", {"clip_norm": 1e-60}, "expected clip_norm to be a number in float32"),
        ("float16", {"l2": 1e6}, "expected l2 to be a number in float16"),
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
    real["studies"]["continuous16"]["arms"]["tried"] = f"trained-in-{precision}-by-tried-until-1"
    told = refusal(real)
    assert expected in told and "arms/tried" in told


@pytest.mark.parametrize("precision", ["float32", "float16", "mixed-with-loss_scale-dynamic"])
def test_the_recipes_for_adam_are_accepted_where_they_work(real, precision):
    real["studies"]["continuous16"]["arms"]["adam"] = f"trained-in-{precision}-by-adamw-until-1"
    parse(real, PAPERS)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"recipes": {"resnet9": {}}}, "'resnet9'"),
        ({"recipes": {"resnet8": {"short-sgd": "nothing"}}}, "'nothing'"),
        ({"recipes": {"resnet8": {"sgd": "short-sgd"}}}, "a recipe that an arm names"),
        ({"published": "nothing"}, "'nothing'"),
        ({"factorial": {"arms": "{a}", "fraction": "full"}}, "came '{a}'"),
        ({"time": {"turns": 1, "steps": 1}}, "time/turns: expected a number of at least 2"),
        ({"reach": 1.0}, "reach: expected a number below 1"),
        ({"observe": {"every": 0, "cast_to": "float16", "phases": "all"}}, "observe/every"),
    ],
)
def test_what_a_study_may_have_besides_must_make_sense(real, change, expected):
    real["studies"]["continuous16-demo"] |= change
    assert expected in refusal(real)


def test_an_entry_may_take_over_another_and_change_a_key(project):
    recipes = load(project).recipes
    assert recipes["short-sgd"] == recipes["sgd"].model_copy(update={"batch": 32})


def test_a_design_that_cannot_tell_its_factors_apart_is_refused(real):
    study = real["studies"]["mixed-demo"]
    study["axes"]["scale"] = {"scaled": "brisk", "unscaled": None, "more": "dynamic"}
    assert "mixed-demo/factorial" in refusal(real)


@pytest.mark.parametrize(
    ("networks", "expected"),
    [
        (["resnet8", "resnet8"], "expected each once, came 'resnet8' 2 times"),
        (["resnet8", "resnet8-with-depth-8"], "expected each once, came 'resnet8' 2 times"),
        (["resnet-{depth}"], "braces that name an axis"),
        (["vit-small-with-head-[8,16]"], "expected the name of a network"),
        (["resnet8-with-depth-seven"], "expected a whole number, came 'seven'"),
        (["resnet8-with-depth-7"], "at least 8, came 7"),
    ],
)
def test_networks_are_different_ones_by_name_or_variation(real, networks, expected):
    """The same network twice would count as evidence twice."""
    real["studies"]["mixed-demo"]["networks"] = networks
    assert expected in refusal(real)


def test_the_same_claim_of_a_study_is_no_second_one(real):
    """A verdict told twice would look like two findings."""
    study = real["studies"]["mixed-demo"]
    (paper,) = study["papers"]
    study["papers"] = [paper, paper]
    assert f"studies/mixed-demo/papers: expected each once, came '{paper}' 2 times" in refusal(real)
    study["papers"] = [paper, "0000.00000"]
    with pytest.raises(UserError, match="mixed-demo/claims, of several papers: expected each once"):
        parse(real, PAPERS | {"0000.00000": PAPERS[paper]})


def test_a_study_may_vary_a_network_by_an_axis(real):
    real["studies"]["mixed-demo"]["networks"] = ["resnet8-with-width-{width}"]
    real["studies"]["mixed-demo"]["axes"]["width"] = [8, 16]
    made = parse(real, PAPERS)
    names = made.studies["mixed-demo"].every_network
    assert [made.network(name).width for name in names] == [8, 16]
    assert [made.spelling("networks", name) for name in names] == [
        "resnet8-with-width-8",
        "resnet8",
    ]


def test_arms_that_are_compared_are_different_sentences(real):
    arms = real["studies"]["continuous16-demo"]["arms"]
    arms["float16"] = arms["float32"]
    assert "which are the same sentence" in refusal(real)


def test_values_that_mean_the_same_are_spelled_the_same(real):
    real["schedules"]["again"] = real["schedules"]["cosine"]
    made = parse(real, PAPERS)
    for one, other, spelling in (
        ("sgd-with-momentum-0", "sgd-with-momentum-0.0", "sgd-with-momentum-0"),
        ("sgd-with-learning_rate-0.10", "sgd-with-learning_rate-0.100", None),
        ("sgd-with-schedule-again", "sgd-with-schedule-cosine", "sgd-with-schedule-cosine"),
        (
            "sgd-with-l2-0-and-batch-64",
            "sgd-with-batch-64-and-l2-0.0",
            "sgd-with-l2-0-and-batch-64",
        ),
    ):
        assert made.spelling("recipes", one) == made.spelling("recipes", other)
        assert spelling in (None, made.spelling("recipes", one))


@pytest.mark.parametrize("section", ["networks", "schedules", "loss_scales", "precisions", "bits"])
def test_names_that_sentences_could_not_say_are_refused(real, section):
    for name in ("slow-and-steady", "none"):
        changed = copy.deepcopy(real)
        changed[section][name] = next(iter(changed[section].values()))
        assert f"{section}/{name}" in refusal(changed)


@pytest.mark.parametrize("inline", [{"kind": "constant"}, ["constant"], 3])
def test_a_schedule_is_named_and_not_written_inside(real, inline):
    real["recipes"]["sgd"]["schedule"] = inline
    assert "recipes/sgd/schedule: expected a name under `schedules`" in refusal(real)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trained-in-quantized-with-bits-zigzag-by-short-sgd-until-1", "`bits`"),
        ("trained-in-quantized-with-low-9-by-short-sgd-until-1", "expected `low` to be at most"),
        (
            "trained-in-quantized-with-bits-none-by-short-sgd-until-1",
            "quantized varied, bits: expected named values, came None",
        ),
        ("trained-in-float32-with-low-3-by-short-sgd-until-1", "came 'low'"),
        (
            "trained-in-float32-by-sgd-until-1/quantized-to-quantized/continued-in-quantized-by-sgd-until-2",
            "whose weights are float32",
        ),
        ("trained-in-quantized-by-short-sgd-until-1", "what is observed is the theory of 16 bit"),
    ],
)
def test_low_precision_is_refused_where_it_makes_no_sense(real, text, expected):
    real["studies"]["continuous16-demo"]["arms"]["other"] = text
    assert expected in refusal(real)


def test_low_precision_needs_a_network_with_quantized_layers(real):
    study = real["studies"]["standalone16-demo"]
    study |= {"networks": ["alexnet-small"], "observe": None, "recipes": {}}
    study["arms"]["other"] = "trained-in-quantized-by-short-sgd-until-1"
    assert "expected a network with quantized layers" in refusal(real)
    study["networks"] = ["resnet8"]
    assert "quantized layers" not in refusal_or_nothing(real)


def test_a_network_must_serve_the_task_of_the_dataset(real):
    real["studies"]["mixed-demo"]["dataset"] = "mnist1d"
    assert "expected networks for the task classify_sequences" in refusal(real)


BOMB = "a0: &a0 [x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)
)
MERGES = "m0: &m0 {x0: 1, y0: 1}\n" + "".join(
    f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 10)}], x{i}: 1}}\n" for i in range(1, 9)
)


@pytest.mark.parametrize(
    "text, expected",
    [
        (BOMB, "at most 100,000 values, with what aliases stand for"),
        (MERGES, "at most 100,000 values, with what aliases stand for"),
        ("a: !!bool maybe", "don't agree on"),
        ("a: 010", "in line 1, came '010', which readers of YAML don't agree on"),
        ("a: 1_000", "don't agree on"),
        ("a: 0x10", "don't agree on"),
        ("a: 1:30", "don't agree on"),
        ("a: 1:30.5", "don't agree on"),
        ("a:\n- yes", "in line 2, came 'yes'"),
        ("a: !!map [1]", "is no valid YAML"),
        ("a: !!timestamp x", "is no valid YAML"),
    ],
    ids=[
        "aliases",
        "merges",
        "bool",
        "octal",
        "underscore",
        "hexadecimal",
        "sixty",
        "minutes",
        "yes",
        "map",
        "timestamp",
    ],
)
def test_what_yaml_can_be_made_to_do_is_refused(tmp_path, text, expected):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(UserError, match=expected):
        reading.read(tmp_path / "params.yaml")


@pytest.mark.parametrize("title", ["\x1b]0;title\a", "\x9b2J", "backwards \u202e16"])
def test_a_title_may_not_command_a_terminal_or_turn_around(real, title):
    real["studies"]["continuous16-demo"]["title"] = title
    assert "expected text without control characters" in refusal(real)


def on(real, *machines):
    """The texts of the phrases that train on these machines, one an arm."""
    entry = real["studies"]["hardware-demo"] | {"claims": None, "along": None, "axes": {}}
    entry["arms"] = {
        f"arm-{i}": f"trained-in-float32-by-sgd-until-1-on-{name}"
        for i, name in enumerate(machines)
    }
    real["studies"]["hardware-demo"] = entry
    read = parse(real, PAPERS)
    study = read.studies["hardware-demo"]
    return [read.phrases(study, None, arm)[0] for arm in study.sentences], read


def test_a_machine_that_trainings_have_anyway_is_left_out_so_that_they_are_shared(real):
    (usual, other), read = on(real, "tensorflow-1", "jax-2")
    assert (usual.text, usual.machine) == ("trained-in-float32-by-sgd-until-1", None)
    assert (other.text, other.machine) == ("trained-in-float32-by-sgd-until-1-on-jax-2", "jax-2")
    assert (read.machine(other).backend, read.machine(other).threads) == ("jax", 2)
    assert (read.machine(usual).backend, read.machine(usual).threads) == ("tensorflow", 1)


def test_of_machines_that_are_the_same_the_first_is_said(real):
    real["machines"]["again"] = {"backend": "jax", "threads": 2, "devices": 1}
    (first, second), _ = on(real, "jax-2", "again")
    assert first == second and first.machine == "jax-2"


def test_where_the_usual_machine_is_another_one_the_others_are_said(real):
    real["backend"] = "jax"
    (first, second), _ = on(real, "tensorflow-1", "jax-1")
    assert (first.machine, second.machine) == ("tensorflow-1", None)


def test_a_machine_must_be_known_and_make_sense(real):
    text = "trained-in-float32-by-sgd-until-1-on-laptop"
    real["studies"]["hardware-demo"]["arms"]["float32-{machine}"] = text
    assert "expected a name under `machines` in params.yaml (tensorflow-1, " in refusal(real)
    real = reading.read(TOP / "params.yaml")
    real["machines"]["jax-2"]["threads"] = 0
    assert "machines/jax-2/threads" in refusal(real)
    real["machines"] = {"on-a-laptop": {"backend": "jax", "threads": 1, "devices": 1}}
    assert "the words that join phrases" in refusal(real)


def test_several_devices_are_for_jax_alone(real):
    real["devices"] = 2
    assert "expected `devices: 1` with `backend: tensorflow`, since Keras" in refusal(real)
    real = reading.read(TOP / "params.yaml")
    real["machines"]["tensorflow-2"]["devices"] = 2
    assert "came 2" in refusal(real)


def test_updates_of_batches_in_parts_are_not_observed(real):
    real["recipes"]["short-sgd"]["gradient_accumulation"] = 2
    assert "expected `observe: null` with batches in parts" in refusal(real)


def test_a_file_that_an_editor_hides_in_papers_is_no_paper(tmp_path):
    for name in ("params.yaml", "papers"):
        (shutil.copytree if (TOP / name).is_dir() else shutil.copy)(TOP / name, tmp_path / name)
    (tmp_path / "papers/.#ours.yaml").symlink_to("me@host.4242")
    (tmp_path / "papers/._ours.yaml").write_bytes(b"\0")
    assert load(tmp_path).papers.keys() == PAPERS.keys()


def test_a_batch_that_devices_cannot_share_is_refused(real):
    real["machines"]["jax-2"]["devices"] = 3
    assert (
        "expected a batch (a part of it, with `gradient_accumulation`) that 3 devices can share, came 32"
        in refusal(real)
    )
    real["machines"]["jax-2"]["devices"] = 4
    parse(real, PAPERS)
