"""The grammar of result paths."""

import pytest

from sixteen.errors import UserError
from sixteen.study import sentence


def test_a_sentence_names_its_steps_precisions_and_recipes():
    text = "trained-in-float32-by-sgd/quantized-to-float16/continued-in-mixed_float16-by-short-sgd"
    told = [(p.step, p.precision, p.recipe) for p in sentence.parse(text)]
    assert told == [
        ("train", "float32", "sgd"),
        ("quantize", "float16", None),
        ("continue_training", "mixed_float16", "short-sgd"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "continued-in-float32-by-sgd",
        "trained-in-float32",
        "trained-in-float32-by-sgd/quantized-to-float16",
        "trained-in-float32-by-sgd/trained-in-float32-by-sgd",
        "trained-in-float32-by-sgd/frozen-in-float32-by-sgd",
        "trained-in-float32-by-sgd/",
        "trained-in-../../etc-by-sgd",
    ],
)
def test_what_makes_no_sense_is_refused(text):
    with pytest.raises(UserError, match="expected"):
        sentence.parse(text)


def test_another_recipe_takes_the_place_of_the_one_that_the_sentence_names():
    text = "trained-in-float32-by-sgd/quantized-to-float16/continued-in-float16-by-short-sgd"
    told = [p.text for p in sentence.parse(text, {"sgd": "sgd-plain"})]
    assert told == [
        "trained-in-float32-by-sgd-plain",
        "quantized-to-float16",
        "continued-in-float16-by-short-sgd",
    ]
