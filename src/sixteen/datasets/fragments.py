"""The kind "fragments": sentence pairs whose labels follow from what their words mean. No download.

Fragments of English as of Richardson et al. (arXiv:1909.07521), written anew: quantifiers, comparatives and connectives, each
with negation, see `sixteen.datasets.parts.statements`.

Neither sentence alone tells the label. Hypotheses are drawn evenly, whatever the label. Premises are drawn alike for every
label too: all sentences of a fragment come with their negations, so that what entails one and what excludes one have
the same chances; and a neutral premise is drawn as if for another hypothesis. Where it happens to decide the one that it
comes with, a word of that one is replaced by another, of which the premise says nothing.

A quarter of the combinations of a subject and a predicate is kept for the test, which has no others.
"""

import itertools
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from sixteen.datasets.parts.statements import (
    FRAGMENTS,
    MOST,
    Form,
    Fragment,
    longest,
    relation,
    words_of,
)
from sixteen.datasets.prepared.entry import Dataset, Seed
from sixteen.datasets.prepared.pairs import CLASSES, SPECIAL, Pair, Pairs

TASK = "classify_pairs"

CELLS = len(CLASSES) * len(FRAGMENTS)
HELD_OUT = 4  # every so many-th combination is kept for the test
LENGTH = 2 * longest() + len(SPECIAL)
Many = Annotated[int, Field(ge=CELLS, le=1_200_000)]
# Of two words of a list, both must have combinations that are kept with the same third one.
Words = Annotated[int, Field(ge=2 * HELD_OUT, le=MOST)]


class Fragments(Dataset):
    """So many pairs for training and for the test, as many of each label in each fragment; `words` of each kind."""

    kind: Literal["fragments"]
    seed: Seed
    words: Words
    train: Many
    test: Many

    @model_validator(mode="after")
    def _as_many_of_each(self) -> Self:
        for key in ("train", "test"):
            if getattr(self, key) % CELLS:
                raise ValueError(
                    f"expected `{key}` to be a multiple of {CELLS}, as many pairs of each label in each fragment, came "
                    f"{getattr(self, key)}"
                )
        return self


def shape(entry: Fragments) -> tuple[int, int]:
    """Tokens of a pair, and words of the vocabulary."""
    return LENGTH, len(_vocabulary(entry))


def items(entry: Fragments) -> tuple[int, int, int]:
    """Training pairs, test pairs and classes."""
    return entry.train, entry.test, len(CLASSES)


def read(archive: Path | None, entry: Fragments) -> Pairs:
    """Write the pairs; takes no archive."""
    # The legacy generator is frozen (NEP 19): every machine makes the same pairs.
    draw = np.random.RandomState(entry.seed)
    train, test = (
        [_pair(number, entry.words, held_out, draw) for number in range(many)]
        for many, held_out in ((entry.train, False), (entry.test, True))
    )
    parts = {"train": train, "validation": [], "test": test}
    return Pairs.of(parts, _vocabulary(entry), LENGTH)


def _vocabulary(entry: Fragments) -> tuple[str, ...]:
    return (*SPECIAL, *words_of(entry.words))


def _pair(number: int, many: int, held_out: bool, draw: np.random.RandomState) -> Pair:
    """A pair with words, of so `many` a list, whose combinations are, or aren't, those of the test.

    Fragment and label follow from `number`.
    """
    of_fragment, of_label = divmod(number % CELLS, len(CLASSES))
    fragment, label = FRAGMENTS[of_fragment], CLASSES[of_label]
    words = _words(fragment, many, held_out, draw)
    premise, hypothesis = _forms(fragment, label, draw)
    others = words
    if label == "neutral" and relation(premise, hypothesis) != "neutral":
        others = _replaced(fragment, many, held_out, words, draw)
    said = _said(fragment, premise, words), _said(fragment, hypothesis, others)
    return Pair(said[0], said[1], label, f"pair {number}")


def _forms(fragment: Fragment, label: str, draw: np.random.RandomState) -> tuple[Form, Form]:
    """Premise and hypothesis; where a neutral premise decides its hypothesis, the words have to differ."""
    hypothesis = _pick(fragment.forms, draw)
    said = hypothesis if label != "neutral" else _pick(fragment.forms, draw)
    wanted = "contradiction" if label == "contradiction" else "entailment"
    return _pick(
        [form for form in fragment.forms if relation(form, said) == wanted], draw
    ), hypothesis


def _words(
    fragment: Fragment, many: int, held_out: bool, draw: np.random.RandomState
) -> dict[str, int]:
    """A word for each place, by its number in the list of that place; no two alike."""
    while True:
        words = {place: _pick(range(many), draw) for place in fragment.lists}
        alike = len({fragment.lists[place][word] for place, word in words.items()}) < len(words)
        if not alike and _fits(fragment, words, held_out):
            return words


def _replaced(
    fragment: Fragment,
    many: int,
    held_out: bool,
    words: dict[str, int],
    draw: np.random.RandomState,
) -> dict[str, int]:
    """The same words but for one."""
    place = _pick(fragment.replaced, draw)
    new = [words | {place: other} for other in range(many) if other != words[place]]
    return _pick([others for others in new if _fits(fragment, others, held_out)], draw)


def _fits(fragment: Fragment, words: dict[str, int], held_out: bool) -> bool:
    """Whether all combinations of a subject and a predicate are kept for the test, or none of them."""
    both = itertools.product(fragment.subjects, fragment.predicates)
    kept = ((words[subject] + words[predicate]) % HELD_OUT == 0 for subject, predicate in both)
    return all(one == held_out for one in kept)


def _said(fragment: Fragment, form: Form, words: dict[str, int]) -> list[str]:
    forms = {place: fragment.lists[place][word] for place, word in words.items()}
    return form.text.format(**forms).split()


def _pick(among: Any, draw: np.random.RandomState) -> Any:
    """One of a list, evenly drawn; by 64 bits, since the width that NumPy prefers differs by system."""
    return among[int(draw.randint(len(among), dtype=np.int64))]
