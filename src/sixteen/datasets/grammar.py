"""The kind "grammar": a text of which is known how well its next word can be foreseen. No download.

A simple grammar (Korenjak and Hopcroft 1966): a symbol becomes one of its words, followed by none, one or two symbols,
and no two rules of a symbol have the same word. So who has read a text from its beginning knows which symbols are still
to come, as on a stack, and with which probability each word is the next one; nothing foresees the text better than
that. The same word stands in rules of many symbols: what it calls for is known from the words before alone, some of
them far back.

All is drawn by whole numbers from NumPy's legacy generator, which is frozen (NEP 19): every machine makes the same text.
"""

import math
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from sixteen.datasets.prepared.entry import Dataset, Seed
from sixteen.datasets.prepared.tokens import EOS, Tokens

TASK = "model_language"

FOLLOWED = (0, 0, 1, 2)  # symbols after the word of a rule, evenly drawn
MOST = 1_000_000  # weight of the first rule of a symbol; that of rule r is MOST // r (Zipf)
START = 0  # the symbol that becomes a sentence
Some = Annotated[int, Field(ge=1, le=1000)]
Many = Annotated[int, Field(ge=1, le=10_000_000)]


class Grammar(Dataset):
    """So many `symbols` with so many `rules` each over so many `words`; `depth` is how many symbols may be still to come.

    `train`, `validation` and `test` count tokens, with the ends of sentences; `window` is how many of them a network
    reads of each stream in a step (the length of backpropagation through time).
    """

    kind: Literal["grammar"]
    seed: Seed
    words: Some
    symbols: Some
    rules: Some
    depth: Some
    train: Many
    validation: Many
    test: Many
    window: Some

    @model_validator(mode="after")
    def _enough_words(self) -> Self:
        if self.rules > self.words:
            raise ValueError(
                f"expected at most as many `rules` of a symbol as there are `words`, {self.words}, since each has another "
                f"word, came {self.rules}"
            )
        return self


class Rule(NamedTuple):
    """What a symbol may become, and how often: so many times of the sum of the weights of its symbol's rules."""

    word: int
    symbols: tuple[int, ...]
    weight: int


def shape(entry: Grammar) -> tuple[int]:
    """What is read of a stream in a step."""
    return (entry.window,)


def items(entry: Grammar) -> tuple[int, int, int]:
    """Training tokens, test tokens and words, with the end of a sentence."""
    return (entry.train, entry.test, entry.words + 1)


def read(archive: Path | None, entry: Grammar) -> Tokens:
    """Write the text; takes no archive. Word 0 is the end of a sentence, which comes when no symbol is left."""
    draw = np.random.RandomState(entry.seed)
    rules = grammar(entry, draw)
    tokens, likelihoods = text(
        rules, entry.depth, entry.train + entry.validation + entry.test, draw
    )
    test = entry.train + entry.validation
    parts = (tokens[: entry.train], tokens[entry.train : test], tokens[test:])
    words = tuple(f"w{number}" for number in range(1, entry.words + 1))
    return Tokens(*parts, likelihoods[test:], (EOS, *words), shape(entry))


def grammar(entry: Grammar, draw: np.random.RandomState) -> list[list[Rule]]:
    """The rules of each symbol; the first one ends with its word, so that every sentence can end."""
    drawn = []
    for _ in range(entry.symbols):
        words = draw.permutation(entry.words)[: entry.rules] + 1
        counts = [0, *(FOLLOWED[_below(draw, len(FOLLOWED))] for _ in words[1:])]
        # Which rule is the most frequent, whatever follows its word.
        ranks = draw.permutation(entry.rules) + 1
        drawn.append(
            [
                Rule(
                    int(word),
                    tuple(_below(draw, entry.symbols) for _ in range(n)),
                    int(MOST // rank),
                )
                for word, n, rank in zip(words, counts, ranks, strict=True)
            ]
        )
    return drawn


def text(
    rules: list[list[Rule]], depth: int, length: int, draw: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Sentence after sentence, int32 [length], and the log-likelihood of each token given all before it, float64.

    A rule that would leave more than `depth` symbols to come isn't chosen.
    """
    tokens, likelihoods = [], []
    stack = [START]  # what is next comes last
    for _ in range(length):
        if not stack:
            tokens.append(0)
            likelihoods.append(0.0)
            stack = [START]
            continue
        allowed = [r for r in rules[stack.pop()] if len(stack) + len(r.symbols) <= depth]
        total = sum(rule.weight for rule in allowed)
        chosen = _pick(allowed, _below(draw, total))
        tokens.append(chosen.word)
        likelihoods.append(math.log(chosen.weight / total))
        stack += reversed(chosen.symbols)
    return np.array(tokens, np.int32), np.array(likelihoods)


def _below(draw: np.random.RandomState, number: int) -> int:
    """A whole number from 0 on, evenly drawn; of 64 bits, since the width that NumPy prefers differs by system."""
    return int(draw.randint(number, dtype=np.int64))


def _pick(rules: list[Rule], number: int) -> Rule:
    """The rule in whose share of all weights the number lies."""
    for rule in rules:
        number -= rule.weight
        if number < 0:
            return rule
    raise AssertionError("the number is below the sum of the weights")
