"""The kind "text-pairs": sentence pairs for training, validation and test on the user's disk.

The archive is a folder, or a tar of one, with three files in UTF-8, their columns separated by tabs: a line with the names of
the columns, `premise`, `hypothesis` and `label` among them, then a line for each pair. Words are what has blanks
between: nothing is put into lower case or taken apart (BERT's own word pieces are not read yet), and no word may stand in
validation or test alone.

The digest of a folder is that of the names and digests of all its files, hidden ones apart: nothing else may lie there.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from sixteen.datasets.archives.members import opened
from sixteen.datasets.archives.texts import text
from sixteen.datasets.prepared.entry import Dataset
from sixteen.datasets.prepared.pairs import CLASSES, PARTS, SPECIAL, Pair, Pairs
from sixteen.entry import Count, Entry, Sha256, Size, Text
from sixteen.errors import UserError

TASK = "classify_pairs"

COLUMNS = ("premise", "hypothesis", "label")


class PairsFile(Entry):
    """A file of the archive, and how many pairs it holds."""

    file: Text
    pairs: Count


class TextPairs(Dataset):
    """Pairs at `path`, which may name a variable, `$DATA/pairs`, with so many different `words` in all that is for training.

    `length` is how many tokens a pair may have, three special ones among them.
    """

    kind: Literal["text-pairs"]
    path: Text
    sha256: Sha256
    train: PairsFile
    validation: PairsFile
    test: PairsFile
    words: Size
    length: Size


def shape(entry: TextPairs) -> tuple[int, int]:
    """Tokens of a pair, and words with the special ones."""
    return entry.length, entry.words + len(SPECIAL)


def items(entry: TextPairs) -> tuple[int, int, int]:
    """Training pairs, test pairs and classes."""
    return entry.train.pairs, entry.test.pairs, len(CLASSES)


def read(archive: Path, entry: TextPairs) -> Pairs:
    """Read the pairs; words are numbered in the order in which they come in the training part, after the special ones.

    UserError, naming file and line, for a file that is missing, no UTF-8, without a column or with another number of
    pairs, for a line with another number of columns, and for what `Pairs.of` refuses; and for another number of words.
    """
    parts: dict[str, list[Pair]] = {}
    with opened(archive) as members:
        for part in PARTS:
            told: PairsFile = getattr(entry, part)
            place = f"{told.file} of {archive}"
            parts[part] = list(_pairs(text(archive, members, told.file), place))
            if len(parts[part]) != told.pairs:
                raise UserError(
                    f"expected {told.pairs:,} pairs in {place}, came {len(parts[part]):,}; mend `{part}/pairs` in params.yaml, "
                    "or put the right file there"
                )
    sentences = itertools.chain(*(pair[:2] for pair in parts["train"]))
    vocabulary = tuple(dict.fromkeys([*SPECIAL, *itertools.chain(*sentences)]))
    pairs = Pairs.of(parts, vocabulary, entry.length)
    if pairs.shape != shape(entry):
        raise UserError(
            f"expected {entry.words:,} different words in {entry.train.file} of {archive}, came "
            f"{len(vocabulary) - len(SPECIAL):,}; mend `words` in params.yaml, or put the right file there"
        )
    return pairs


def _pairs(content: str, place: str) -> Iterator[Pair]:
    lines = content.removesuffix("\n").split("\n")
    names = lines[0].removesuffix("\r").split("\t")
    if missing := next((column for column in COLUMNS if column not in names), None):
        raise UserError(
            f"expected the columns {', '.join(COLUMNS)} in line 1 of {place}, separated by tabs, came {', '.join(map(repr, names))} "
            f"without {missing!r}; name the columns there"
        )
    for number, line in enumerate(lines[1:], 2):
        cells = line.removesuffix("\r").split("\t")
        if len(cells) != len(names):
            raise UserError(
                f"expected {len(names)} columns, separated by tabs, in line {number} of {place}, came {len(cells)}; mend the line"
            )
        held = dict(zip(names, cells, strict=True))
        premise, hypothesis = (held[column].split() for column in COLUMNS[:2])
        yield Pair(premise, hypothesis, held["label"].strip(), f"line {number} of {place}")
