"""The form of sentence pairs: both sentences as one row of tokens, and a label of what the first says of the second.

A row is `[CLS] premise [SEP] hypothesis [SEP]`, filled up with `[PAD]` (Devlin et al., arXiv:1810.04805, figure 2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from sixteen.datasets.prepared import baselines
from sixteen.datasets.prepared.files import Prepared
from sixteen.errors import UserError

PAD, CLS, SEP = "[PAD]", "[CLS]", "[SEP]"
SPECIAL = (PAD, CLS, SEP)
PADDING = 0  # the token of PAD
CLASSES = ("entailment", "neutral", "contradiction")
PARTS = ("train", "validation", "test")


class Pair(NamedTuple):
    """Words of premise and hypothesis, the name of the label, and where the pair was found, in words."""

    premise: Sequence[str]
    hypothesis: Sequence[str]
    label: str
    place: str


@dataclass(frozen=True)
class Pairs(Prepared):
    """Pairs for training, validation (perhaps none) and test.

    Tokens are int32 [n, length], places in `vocabulary`, whose first word is PAD; segments int32 [n, length], 1 for
    the hypothesis and the `[SEP]` after it and 0 elsewhere; labels int32 [n], places in `classes`.
    """

    train_tokens: np.ndarray
    train_segments: np.ndarray
    train_labels: np.ndarray
    validation_tokens: np.ndarray
    validation_segments: np.ndarray
    validation_labels: np.ndarray
    test_tokens: np.ndarray
    test_segments: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    vocabulary: tuple[str, ...]

    @classmethod
    def of(
        cls, parts: Mapping[str, Sequence[Pair]], vocabulary: tuple[str, ...], length: int
    ) -> Self:
        """From the pairs of all PARTS, in rows of `length` tokens. `vocabulary` begins with SPECIAL.

        UserError for no pairs in training or test, and, naming its place, for a pair without one of the labels CLASSES,
        with an empty sentence, with a word outside of the vocabulary, longer than a row, or in a second part too.
        """
        number_of = {word: number for number, word in enumerate(vocabulary)}
        held: dict[str, np.ndarray] = {}
        for part, pairs in parts.items():
            tokens, segments = np.full((2, len(pairs), length), PADDING, np.int32)
            for row, pair in enumerate(pairs):
                _check(pair, number_of, length)
                first, second = [CLS, *pair.premise, SEP], [*pair.hypothesis, SEP]
                ends = len(first), len(first) + len(second)
                tokens[row, : ends[1]] = [number_of[word] for word in first + second]
                segments[row, ends[0] : ends[1]] = 1
            labels = np.array([CLASSES.index(pair.label) for pair in pairs], np.int32)
            arrays = {"tokens": tokens, "segments": segments, "labels": labels}
            held |= {f"{part}_{what}": array for what, array in arrays.items()}
        _check_parts(parts)
        return cls(**held, classes=CLASSES, vocabulary=vocabulary)

    @classmethod
    def random(cls, n: int, shape: tuple[int, ...], outputs: int) -> Self:
        """As many random pairs for training as for the test, `n`, of so many classes; see `shape`."""
        draw, (length, words) = np.random.default_rng(0), shape
        held = {}
        for part in PARTS:
            many = 0 if part == "validation" else n
            held |= {
                f"{part}_tokens": draw.integers(0, words, (many, length), np.int32),
                f"{part}_segments": draw.integers(0, 2, (many, length), np.int32),
                f"{part}_labels": draw.integers(0, outputs, many, np.int32),
            }
        names = tuple(map(str, range(outputs)))
        return cls(**held, classes=names, vocabulary=tuple(map(str, range(words))))

    @property
    def shape(self) -> tuple[int, int]:
        """Tokens of a row, and words of the vocabulary."""
        return self.train_tokens.shape[1], len(self.vocabulary)

    def facts(self) -> dict[str, Any]:
        """Counts and shape for the record, and test accuracies of the most frequent label and of seeing one sentence alone."""
        return {
            "train_items": len(self.train_labels),
            "validation_items": len(self.validation_labels),
            "test_items": len(self.test_labels),
            "outputs": len(self.classes),
            "shape": list(self.shape),
            "majority_accuracy": baselines.majority(self.test_labels),
            "premise_only_accuracy": self._accuracy_of(0),
            "hypothesis_only_accuracy": self._accuracy_of(1),
        }

    def _accuracy_of(self, segment: int) -> float:
        """Test accuracy of a logistic regression on which words one of the sentences has."""
        alone = [
            np.where(segments == segment, tokens, PADDING)
            for tokens, segments in (
                (self.train_tokens, self.train_segments),
                (self.test_tokens, self.test_segments),
            )
        ]
        words = len(self.vocabulary)
        found = baselines.by_words(alone[0], self.train_labels, alone[1], words)
        return float((found == self.test_labels).mean())


def _check(pair: Pair, number_of: dict[str, int], length: int) -> None:
    if pair.label not in CLASSES:
        raise UserError(
            f"expected one of the labels {', '.join(CLASSES)} in {pair.place}, came {pair.label!r}; label the pair, or "
            "take it out"
        )
    for what, words in (("premise", pair.premise), ("hypothesis", pair.hypothesis)):
        if not words:
            raise UserError(
                f"expected words in the {what} in {pair.place}, came an empty sentence; take the pair out"
            )
        if new := next((word for word in words if word not in number_of or word in SPECIAL), None):
            raise UserError(
                f"expected only words of the training part, no special ones, in the {what} in {pair.place}, came {new!r}; replace "
                "what is rare by <unk> in all parts"
            )
    needed = len(pair.premise) + len(pair.hypothesis) + len(SPECIAL)
    if needed > length:
        raise UserError(
            f"expected pairs of at most {length} tokens, three of them special, came {needed} in {pair.place}; allow more, "
            "or take the pair out"
        )


def _check_parts(parts: Mapping[str, Sequence[Pair]]) -> None:
    found: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[str, str]] = {}
    for part, pairs in parts.items():
        if not pairs and part != "validation":
            raise UserError(f"expected pairs in the {part} part, came none; put some there")
        absent = sorted(set(CLASSES) - {pair.label for pair in pairs})
        if part == "train" and absent:
            raise UserError(
                f"expected pairs of each label ({', '.join(CLASSES)}) for training, came none of {', '.join(absent)}; add some"
            )
        for pair in pairs:
            key = tuple(pair.premise), tuple(pair.hypothesis)
            other, place = found.setdefault(key, (part, pair.place))
            if other != part:
                raise UserError(
                    f"expected each pair in one part alone, came that in {pair.place} in {place} too; take one of them out"
                )
