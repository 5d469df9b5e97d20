"""The kind "xnli": sentence pairs of one language from the official archives of XNLI (arXiv:1809.05053).

392,702 pairs of MultiNLI, translated by machine, for training; 2,490 and 5,010, translated by people, for validation and
the test. They are cut into the word pieces of the `vocabulary` that published weights belong to. Unlike in other kinds,
a pair may be in two parts: the split is the official one.
"""

from pathlib import Path
from typing import Literal

import numpy as np

from sixteen.datasets.archives import xnli
from sixteen.datasets.parts import word_pieces
from sixteen.datasets.prepared.entry import Archive, Dataset
from sixteen.datasets.prepared.pairs import CLASSES, Pairs
from sixteen.entry import Count, Size

TASK = "classify_pairs"

# fmt: off
Language = Literal[
    "ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh"
]
# fmt: on


class Xnli(Dataset):
    """Pairs of `language`: XNLI-MT-1.0.zip for `train`ing, XNLI-1.0.zip with what `evaluation` needs, a `vocabulary`.

    That has so many `words`, in lines; `length` is how many of its pieces a pair may have, three special ones among them.
    """

    kind: Literal["xnli"]
    language: Language
    train: Archive
    evaluation: Archive
    vocabulary: Archive
    words: Count
    length: Size

    @property
    def archives(self) -> dict[str, Archive]:
        """All three, by the names of their keys."""
        return {
            "train": self.train,
            "evaluation": self.evaluation,
            "vocabulary": self.vocabulary,
        }


def shape(entry: Xnli) -> tuple[int, int]:
    """Tokens of a pair, and words."""
    return entry.length, entry.words


def items(entry: Xnli) -> tuple[int, int, int]:
    """Training pairs, test pairs and classes."""
    return 392_702, 5_010, len(CLASSES)


def item_bytes(shape: tuple[int, int]) -> int:
    """Bytes of a prepared pair: its tokens and segments are int32."""
    return 8 * shape[0]


def read(archives: dict[str, Path], entry: Xnli) -> Pairs:
    """Read the pairs of all parts in the order of the archives.

    UserError for what `archives.xnli.pairs` and `word_pieces.vocabulary_of` refuse.
    """
    vocabulary = word_pieces.vocabulary_of(archives["vocabulary"], entry.words)
    held: dict[str, np.ndarray] = {}
    for part, archive, member in (
        ("train", "train", xnli.train(entry.language)),
        ("validation", "evaluation", xnli.evaluation("dev")),
        ("test", "evaluation", xnli.evaluation("test")),
    ):
        texts = list(xnli.pairs(archives[archive], member, entry.language))
        sentences = [(text.premise, text.hypothesis) for text in texts]
        tokens, segments = word_pieces.rows(sentences, vocabulary, entry.length)
        labels = np.array([CLASSES.index(text.label) for text in texts], np.int32)
        held |= {f"{part}_tokens": tokens, f"{part}_segments": segments, f"{part}_labels": labels}
    return Pairs(**held, classes=CLASSES, vocabulary=vocabulary)
