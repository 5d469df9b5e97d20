"""The form of sentence pairs: both sentences as one row of tokens, and a label of what the first says of the second.

A row is `[CLS] premise [SEP] hypothesis [SEP]`, filled up with `[PAD]` (Devlin et al., arXiv:1810.04805, figure 2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from sixteen.datasets.prepared import files
from sixteen.errors import UserError

PAD, CLS, SEP = "[PAD]", "[CLS]", "[SEP]"
SPECIAL = (PAD, CLS, SEP)
PADDING = 0  # the token of PAD


class Pair(NamedTuple):
    """Words of premise and hypothesis, the name of the label, and where the pair was found, in words."""

    premise: Sequence[str]
    hypothesis: Sequence[str]
    label: str
    place: str


@dataclass(frozen=True)
class Pairs:
    """Pairs for training and test.

    Tokens are int32 [n, length], places in `vocabulary`, which begins with `[PAD]`; segments int32 [n, length], 1 for
    the hypothesis and the `[SEP]` after it and 0 elsewhere; labels int32 [n], places in `classes`.
    """

    train_tokens: np.ndarray
    train_segments: np.ndarray
    train_labels: np.ndarray
    test_tokens: np.ndarray
    test_segments: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    vocabulary: tuple[str, ...]

    @classmethod
    def of(
        cls,
        train: Sequence[Pair],
        test: Sequence[Pair],
        classes: tuple[str, ...],
        vocabulary: tuple[str, ...],
        length: int,
    ) -> Self:
        """From words, in rows of `length` tokens. `vocabulary` begins with SPECIAL.

        UserError for a part without pairs, and, naming its place, for a pair without a label of the `classes`, with an
        empty sentence, with a word outside of the vocabulary, or longer than a row.
        """
        number_of = {word: number for number, word in enumerate(vocabulary)}
        held: dict[str, np.ndarray] = {}
        for part, pairs in (("train", train), ("test", test)):
            if not pairs:
                raise UserError(f"expected pairs in the {part} part, came none; add some")
            tokens, segments = np.full((2, len(pairs), length), PADDING, np.int32)
            for row, pair in enumerate(pairs):
                _check(pair, classes, number_of, length)
                first, second = [CLS, *pair.premise, SEP], [*pair.hypothesis, SEP]
                ends = len(first), len(first) + len(second)
                tokens[row, : ends[1]] = [number_of[word] for word in first + second]
                segments[row, ends[0] : ends[1]] = 1
            labels = np.array([classes.index(pair.label) for pair in pairs], np.int32)
            held |= {
                f"{part}_tokens": tokens,
                f"{part}_segments": segments,
                f"{part}_labels": labels,
            }
        return cls(**held, classes=classes, vocabulary=vocabulary)

    @classmethod
    def random(cls, n: int, shape: tuple[int, ...], outputs: int) -> Self:
        """As many random pairs for training as for the test, `n`, of so many classes; see `shape`."""
        draw, (length, words) = np.random.default_rng(0), shape
        held = {}
        for part in ("train", "test"):
            held |= {
                f"{part}_tokens": draw.integers(0, words, (n, length), np.int32),
                f"{part}_segments": draw.integers(0, 2, (n, length), np.int32),
                f"{part}_labels": draw.integers(0, outputs, n, np.int32),
            }
        names = tuple(map(str, range(outputs)))
        return cls(**held, classes=names, vocabulary=tuple(map(str, range(words))))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the prepared dataset in `folder`; UserError if there is none or it is damaged."""
        return cls(**files.load(folder, cls))

    def save(self, folder: Path) -> None:
        """Write the dataset into `folder`: the same pairs give the same bytes."""
        files.save(folder, self)

    @property
    def shape(self) -> tuple[int, int]:
        """Tokens of a row, and words of the vocabulary."""
        return self.train_tokens.shape[1], len(self.vocabulary)

    def facts(self) -> dict[str, Any]:
        """Counts and shape for the record, and test accuracies of what sees one of the two sentences alone."""
        return {
            "train_items": len(self.train_labels),
            "test_items": len(self.test_labels),
            "outputs": len(self.classes),
            "shape": list(self.shape),
            "premise_only_accuracy": self._accuracy_of(0),
            "hypothesis_only_accuracy": self._accuracy_of(1),
        }

    def _accuracy_of(self, segment: int) -> float:
        """Test accuracy of a logistic regression on which words a sentence has (Gururangan et al., arXiv:1803.02324)."""
        # Here, not above: every plan imports all forms, and must not wait for scikit-learn.
        from sklearn.linear_model import LogisticRegression

        words = len(self.vocabulary)
        train = _bags(self.train_tokens, self.train_segments == segment, words)
        test = _bags(self.test_tokens, self.test_segments == segment, words)
        model = LogisticRegression(max_iter=1000).fit(train, self.train_labels)
        return float(model.score(test, self.test_labels))


def _bags(tokens: np.ndarray, asked: np.ndarray, words: int) -> Any:
    """Which words each row [n, length] has where it is `asked`: a sparse matrix [n, words] of 0 and 1."""
    from scipy.sparse import csr_array

    rows, columns = np.nonzero(asked & (tokens != PADDING))
    held = np.unique(np.stack([rows, tokens[rows, columns]]), axis=1)
    return csr_array((np.ones(held.shape[1]), held), shape=(len(tokens), words))


def _check(pair: Pair, classes: tuple[str, ...], number_of: dict[str, int], length: int) -> None:
    if pair.label not in classes:
        raise UserError(
            f"expected one of the labels {', '.join(classes)} in {pair.place}, came {pair.label or 'none'!r}; label the pair, "
            "or take it out"
        )
    for what, words in (("premise", pair.premise), ("hypothesis", pair.hypothesis)):
        if not words:
            raise UserError(
                f"expected words in the {what} in {pair.place}, came an empty sentence; take the pair out"
            )
        if new := next((word for word in words if word not in number_of), None):
            raise UserError(
                f"expected only words of the vocabulary in the {what} in {pair.place}, came {new!r}; add it, or replace it"
            )
    needed = len(pair.premise) + len(pair.hypothesis) + 3
    if needed > length:
        raise UserError(
            f"expected pairs of at most {length} tokens, three of them special, came {needed} in {pair.place}; allow more, "
            "or take the pair out"
        )
