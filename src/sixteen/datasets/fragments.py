"""The kind "fragments": sentence pairs whose labels follow from what their words mean. No download.

Fragments of English as of Richardson et al. (arXiv:1909.07521), written anew: quantifiers, comparatives, connectives,
counts, see `sixteen.datasets.parts.statements`.

Neither sentence alone tells the label. Hypotheses are drawn evenly, whatever the label. Premises are drawn alike for every
label too: all hypotheses of a fragment come with their negations, so that what entails one and what excludes one have
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
    LABELS,
    Fragment,
    Word,
    longest,
    relation,
    words_of,
)
from sixteen.datasets.prepared.entry import Dataset, Seed
from sixteen.datasets.prepared.pairs import SPECIAL, Pair, Pairs

TASK = "classify_pairs"

CELLS = len(LABELS) * len(FRAGMENTS)
HELD_OUT = 4  # every so many-th combination is kept for the test
LENGTH = longest() + len(SPECIAL)
VOCABULARY = (*SPECIAL, *words_of())
Many = Annotated[int, Field(ge=CELLS, le=1_200_000)]


class Fragments(Dataset):
    """So many pairs for training and for the test, as many of each label in each fragment."""

    kind: Literal["fragments"]
    seed: Seed
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
    return LENGTH, len(VOCABULARY)


def items(entry: Fragments) -> tuple[int, int, int]:
    """Training pairs, test pairs and classes."""
    return entry.train, entry.test, len(LABELS)


def read(archive: Path | None, entry: Fragments) -> Pairs:
    """Write the pairs; takes no archive."""
    # The legacy generator is frozen (NEP 19): every machine makes the same pairs.
    draw = np.random.RandomState(entry.seed)
    train = [_numbered(number, draw, False) for number in range(entry.train)]
    test = [_numbered(number, draw, True) for number in range(entry.test)]
    return Pairs.of(train, test, LABELS, VOCABULARY, LENGTH)


def pair(
    fragment: Fragment, label: str, draw: np.random.RandomState, held_out: bool
) -> tuple[str, str]:
    """Premise and hypothesis of that label, with words whose combinations are, or aren't, those of the test."""
    words = _words(fragment, draw, held_out)
    hypothesis = _pick(fragment.hypotheses, draw)
    said = hypothesis if label != "neutral" else _pick(fragment.hypotheses, draw)
    wanted = "contradiction" if label == "contradiction" else "entailment"
    premise = _pick([p for p in fragment.premises if relation(p, said) == wanted], draw)
    if label == "neutral" and relation(premise, hypothesis) != "neutral":
        others = _replaced(fragment, words, draw, held_out)
        return premise.text.format(**words), hypothesis.text.format(**others)
    return premise.text.format(**words), hypothesis.text.format(**words)


def _numbered(number: int, draw: np.random.RandomState, held_out: bool) -> Pair:
    fragment, label = divmod(number % CELLS, len(LABELS))
    premise, hypothesis = pair(FRAGMENTS[fragment], LABELS[label], draw, held_out)
    return Pair(premise.split(), hypothesis.split(), LABELS[label], f"pair {number}")


def _words(fragment: Fragment, draw: np.random.RandomState, held_out: bool) -> dict[str, Word]:
    """A word for each place, no two alike."""
    while True:
        words = {place: _pick(words, draw) for place, words in fragment.lists.items()}
        if len(set(words.values())) == len(words) and _fits(fragment, words, held_out):
            return words


def _replaced(
    fragment: Fragment, words: dict[str, Word], draw: np.random.RandomState, held_out: bool
) -> dict[str, Word]:
    """The same words but for one, which shares no form with the one before."""
    place = _pick(fragment.replaced, draw)
    new = [
        words | {place: other}
        for other in fragment.lists[place]
        if not set(other) & set(words[place])
    ]
    return _pick([others for others in new if _fits(fragment, others, held_out)], draw)


def _fits(fragment: Fragment, words: dict[str, Word], held_out: bool) -> bool:
    """Whether all combinations of a subject and a predicate are kept for the test, or none of them."""
    number = {place: fragment.lists[place].index(word) for place, word in words.items()}
    sums = (
        number[a] + number[b] for a, b in itertools.product(fragment.subjects, fragment.predicates)
    )
    return all((total % HELD_OUT == 0) == held_out for total in sums)


def _pick(among: Any, draw: np.random.RandomState) -> Any:
    """One of a list, evenly drawn; by 64 bits, since the width that NumPy prefers differs by system."""
    return among[int(draw.randint(len(among), dtype=np.int64))]
