"""The grammar of result paths: a path is a sentence that says how a run came to be.

    results/digits/resnet8/trained-in-float32-by-sgd-until-50/quantized-to-float16/seed-0/1f3a9c2b7d01
            dataset network phrase                            phrase               seed   fingerprint

A phrase is a participle and the names that complete it. The parent of a run is the sentence with its last phrase
removed. Epochs are counted from the start of the sentence, so that the order of batches and a learning-rate schedule
run on over a switch of precision, and so that arms of equal length say the same number at their ends.

A phrase that trains may end in the machine that it trains on, `trained-in-float32-by-sgd-until-50-on-jax-1`; without it
`backend`, `threads` and `devices` at the top of params.yaml hold.

A name is a key of params.yaml, or varies such an entry by some of its keys, spelled as words:
`sgd-with-learning_rate-0.1-and-averaging-0.99`. Snakemake splits at `,` and `=`, so that neither can stand there.
"""

import re
from dataclasses import dataclass

from sixteen.entry import NAME
from sixteen.errors import UserError

# Words that join phrases: none of them may be a word of a name that a phrase takes.
JOINING = ("in", "by", "to", "until", "on", "with", "and")
MOST_EPOCHS = 100_000
LONGEST = 255  # bytes of a folder's name, on the file systems that there are
VARIED = rf"{NAME}(?:-with-[a-z0-9_]+-[a-z0-9._-]+)?"
HOW = (
    rf"-in-(?P<precision>{VARIED}?)-by-(?P<recipe>{VARIED})-until-(?P<until>[1-9]\d{{0,8}})"
    rf"(?:-on-(?P<machine>{NAME}))?"
)
FORMS = {
    "trained": ("train", re.compile(rf"trained{HOW}")),
    "quantized": ("quantize", re.compile(rf"quantized-to-(?P<precision>{VARIED})")),
    "continued": ("continue_training", re.compile(rf"continued{HOW}")),
}
EXPECTED = (
    "trained-in-<precision>-by-<recipe>-until-<epoch>, quantized-to-<precision> or "
    "continued-in-<precision>-by-<recipe>-until-<epoch>, which may end in -on-<machine>"
)


@dataclass(frozen=True)
class Phrase:
    """One phrase of a sentence: the step that it stands for, and the names in it, variations included."""

    text: str
    step: str
    precision: str
    recipe: str | None
    until: int | None
    machine: str | None


@dataclass(frozen=True)
class Varied:
    """A name taken apart: the entry that it varies, and the keys with their new values as they are spelled."""

    entry: str
    changes: tuple[tuple[str, str], ...]


def parse(sentence: str, instead: dict[str, str] | None = None) -> list[Phrase]:
    """Read the phrases between network and seed, e.g. ``trained-in-float32-by-sgd-until-50/quantized-to-float16``.

    ``instead`` maps recipes that the sentence names to those that take their place. Raises UserError for a
    phrase that the grammar doesn't know, or one in a place where it makes no sense.
    """
    phrases = [_phrase(text, sentence, instead or {}) for text in sentence.split("/")]
    steps = [phrase.step for phrase in phrases]
    if steps[0] != "train" or "train" in steps[1:]:
        raise UserError(
            f"expected one `trained-in-...` phrase, the first of the sentence, came {_short(sentence)}"
        )
    if steps[-1] == "quantize":
        raise UserError(
            f"expected a sentence that ends in training, came {_short(sentence)}: quantized weights are where a "
            "continuation starts; add a `continued-in-<precision>-by-<recipe>-until-<epoch>` phrase"
        )
    epochs = [phrase.until for phrase in phrases if phrase.until]
    if epochs != sorted(set(epochs)):
        raise UserError(
            "expected epochs that rise along the sentence, since all are counted from its start, came "
            f"{', '.join(map(str, epochs))} in {_short(sentence)}"
        )
    if epochs[-1] > MOST_EPOCHS:
        raise UserError(
            f"expected at most {MOST_EPOCHS:,} epochs, came {epochs[-1]:,} in {_short(sentence)}"
        )
    return phrases


def varied(name: str) -> Varied:
    """Take a name apart. Raises UserError for a variation that can't be read."""
    entry, _, rest = name.partition("-with-")
    changes = [change.partition("-") for change in rest.split("-and-")] if rest else []
    keys = [key for key, _, _ in changes]
    if not all(key and value for key, _, value in changes) or len(set(keys)) < len(keys):
        raise UserError(
            f"expected a variation like {entry}-with-<key>-<value>-and-<key>-<value>, each key once, came "
            f"{_short(name)}"
        )
    return Varied(entry, tuple((key, value) for key, _, value in changes))


def _phrase(text: str, sentence: str, instead: dict[str, str]) -> Phrase:
    if len(text.encode()) > LONGEST:
        raise UserError(
            f"expected phrases of at most {LONGEST} bytes, since they are names of folders, came {_short(text)}"
        )
    form = FORMS.get(text.split("-")[0])
    match = form and form[1].fullmatch(text)
    if not (form and match):
        raise UserError(
            f"expected a phrase like {EXPECTED}, came {_short(text)} in {_short(sentence)}"
        )
    found = match.groupdict()
    recipe, until = found.get("recipe"), found.get("until")
    if recipe is not None and (entry := varied(recipe).entry) in instead:
        other = instead[entry] + recipe.removeprefix(entry)
        text = text.replace(f"-by-{recipe}-until-", f"-by-{other}-until-")
        recipe = other
    number = int(until) if until else None
    return Phrase(text, form[0], found["precision"], recipe, number, found.get("machine"))


def _short(text: str) -> str:
    """What a user wrote, as much of it as a sentence bears."""
    return repr(text if len(text) <= 120 else f"{text[:117]}...")
