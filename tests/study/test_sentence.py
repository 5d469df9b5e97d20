"""The grammar of result paths."""

import pytest

from sixteen.errors import UserError
from sixteen.study import sentence


def test_a_sentence_names_its_steps_precisions_recipes_and_epochs():
    text = (
        "trained-in-float32-by-sgd-until-50/quantized-to-float16/"
        "continued-in-mixed_float16-by-short-sgd-without-l2-until-100"
    )
    told = [(p.step, p.precision, p.recipe, p.until) for p in sentence.parse(text)]
    assert told == [
        ("train", "float32", "sgd", 50),
        ("quantize", "float16", None, None),
        ("continue_training", "mixed_float16", "short-sgd-without-l2", 100),
    ]


def test_a_name_may_vary_an_entry_by_several_keys():
    text = (
        "trained-in-float16-with-loss-float32-and-loss_scale-brisk"
        "-by-sgd-with-learning_rate-0.1-and-schedule-step-at-half-until-8"
    )
    [phrase] = sentence.parse(text)
    assert sentence.varied(phrase.precision) == sentence.Varied(
        "float16", (("loss", "float32"), ("loss_scale", "brisk"))
    )
    assert sentence.varied(phrase.recipe or "") == sentence.Varied(
        "sgd", (("learning_rate", "0.1"), ("schedule", "step-at-half"))
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "continued-in-float32-by-sgd-until-1",
        "trained-in-float32",
        "trained-in-float32-by-sgd",
        "trained-in-float32-by-sgd-until-0",
        "trained-in-float32-by-sgd-until-1.5",
        "trained-in-float32-by-sgd-until-1\n",
        "trained-in-float32-by-sgd-with-l2-until-1",
        "trained-in-float32-by-sgd-with-l2-0-and-l2-1-until-1",
        "trained-in-float32-by-sgd,l2=0-until-1",
        "trained-in-float32-by-sgd-until-1/quantized-to-float16",
        "trained-in-float32-by-sgd-until-1/trained-in-float32-by-sgd-until-2",
        "trained-in-float32-by-sgd-until-1/frozen-in-float32-by-sgd-until-2",
        "trained-in-float32-by-sgd-until-1/",
        "trained-in-../../etc-by-sgd-until-1",
        "trained-in-float32-by-sgd-until-1-on-",
    ],
)
def test_what_makes_no_sense_is_refused(text):
    with pytest.raises(UserError, match="expected") as caught:
        for phrase in sentence.parse(text):
            sentence.varied(phrase.recipe or "sgd")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("until", [5, 10])
def test_epochs_that_do_not_rise_are_refused(until):
    text = f"trained-in-float32-by-sgd-until-10/continued-in-float32-by-sgd-until-{until}"
    with pytest.raises(UserError, match="epochs that rise"):
        sentence.parse(text)


def test_another_recipe_takes_the_place_of_the_one_that_the_sentence_names_and_stays_varied():
    text = (
        "trained-in-float32-by-sgd-until-1/quantized-to-float16/"
        "continued-in-float16-by-sgd-with-l2-0-until-2/continued-in-float16-by-short-sgd-until-3"
    )
    told = [p.text for p in sentence.parse(text, {"sgd": "sgd-plain"})]
    assert told == [
        "trained-in-float32-by-sgd-plain-until-1",
        "quantized-to-float16",
        "continued-in-float16-by-sgd-plain-with-l2-0-until-2",
        "continued-in-float16-by-short-sgd-until-3",
    ]


def test_a_phrase_that_trains_may_end_in_its_machine():
    text = (
        "trained-in-float32-by-sgd-with-l2-0-until-1-on-jax-1/quantized-to-float16/"
        "continued-in-float16-by-sgd-until-2"
    )
    phrases = sentence.parse(text, {"sgd": "sgd-plain"})
    assert [phrase.machine for phrase in phrases] == ["jax-1", None, None]
    assert [phrase.until for phrase in phrases] == [1, None, 2]
    assert phrases[0].text == "trained-in-float32-by-sgd-plain-with-l2-0-until-1-on-jax-1"
