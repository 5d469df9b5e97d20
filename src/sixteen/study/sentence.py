"""The grammar of result paths: a path is a sentence that says how a run came to be.

    results/digits/resnet8/trained-in-float32-by-sgd/quantized-to-float16/seed-0/1f3a9c2b7d01
            dataset network phrase                   phrase               seed   fingerprint

A phrase is a participle and the names (keys of params.yaml) that complete it. The parent of a run is
the sentence with its last phrase removed.
"""

import re
from dataclasses import dataclass

from sixteen.errors import UserError

NAME = r"[a-z0-9]+(?:[-_][a-z0-9]+)*"
FORMS = {
    "trained": ("train", re.compile(rf"trained-in-(?P<precision>{NAME})-by-(?P<recipe>{NAME})")),
    "quantized": ("quantize", re.compile(rf"quantized-to-(?P<precision>{NAME})")),
    "continued": (
        "continue_training",
        re.compile(rf"continued-in-(?P<precision>{NAME})-by-(?P<recipe>{NAME})"),
    ),
}


@dataclass(frozen=True)
class Phrase:
    """One phrase of a sentence: the step that it stands for, and the names in it."""

    text: str
    step: str
    precision: str
    recipe: str | None


def parse(sentence: str, instead: dict[str, str] | None = None) -> list[Phrase]:
    """Read the phrases between network and seed, e.g. ``trained-in-float32-by-sgd/quantized-to-float16``.

    ``instead`` maps recipes that the sentence names to those that take their place. Raises UserError for a
    phrase that the grammar doesn't know, or one in a place where it makes no sense.
    """
    phrases = [_phrase(text, sentence, instead or {}) for text in sentence.split("/")]
    steps = [phrase.step for phrase in phrases]
    if steps[0] != "train" or "train" in steps[1:]:
        raise UserError(
            f"expected one `trained-in-...` phrase, the first of the sentence, came {sentence!r}"
        )
    if steps[-1] == "quantize":
        raise UserError(
            f"expected a sentence that ends in training, came {sentence!r}: quantized weights are where a "
            "continuation starts; add a `continued-in-<precision>-by-<recipe>` phrase"
        )
    return phrases


def _phrase(text: str, sentence: str, instead: dict[str, str]) -> Phrase:
    form = FORMS.get(text.split("-")[0])
    match = form and form[1].fullmatch(text)
    if not (form and match):
        raise UserError(
            f"expected a phrase like trained-in-<precision>-by-<recipe>, quantized-to-<precision> or "
            f"continued-in-<precision>-by-<recipe>, came {text!r} in {sentence!r}"
        )
    precision, recipe = match["precision"], match.groupdict().get("recipe")
    if recipe in instead:
        head = text.removesuffix(recipe)
        text, recipe = head + instead[recipe], instead[recipe]
    return Phrase(text, form[0], precision, recipe)
