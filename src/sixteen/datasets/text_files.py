"""The kind "text-files": texts for training, validation and test on the user's disk, as those of the Penn Treebank come.

The archive is a folder, or a tar of one, with three files in UTF-8: words with blanks between, one sentence a line. Each
line, an empty one too, ends with the word `<eos>`, as in all that is published on the Penn Treebank (Mikolov et al.
2010). Words that were taken for too rare stand there as `<unk>` already: nothing is replaced here.

The digest of a folder is that of the names and digests of all its files, hidden ones apart: nothing else may lie there.
"""

from pathlib import Path
from typing import Literal

import numpy as np

from sixteen.datasets.archives.members import Members, opened
from sixteen.datasets.archives.texts import text
from sixteen.datasets.prepared.entry import Dataset
from sixteen.datasets.prepared.tokens import EOS, Tokens
from sixteen.entry import Count, Entry, Sha256, Size, Text
from sixteen.errors import UserError

TASK = "model_language"


class TextFile(Entry):
    """A file of the archive, and how many tokens it holds, with the ends of sentences."""

    file: Text
    tokens: Count


class TextFiles(Dataset):
    """Texts at `path`, which may name a variable, `$DATA/ptb`, with so many different `words`, with the end of a sentence.

    `window` is how many tokens a network reads of each stream in a step (the length of backpropagation through time).
    """

    kind: Literal["text-files"]
    path: Text
    sha256: Sha256
    train: TextFile
    validation: TextFile
    test: TextFile
    words: Size
    window: Size


def shape(entry: TextFiles) -> tuple[int]:
    """What is read of a stream in a step."""
    return (entry.window,)


def items(entry: TextFiles) -> tuple[int, int, int]:
    """Training tokens, test tokens and words."""
    return (entry.train.tokens, entry.test.tokens, entry.words)


def read(archive: Path, entry: TextFiles) -> Tokens:
    """Read the texts; words are numbered in the order in which they come in the training text, after `<eos>`.

    UserError, naming the file, for one that is missing, empty, no UTF-8, of another length or with a word that the
    training text doesn't have; and for another number of words.
    """
    names = [entry.train.file, entry.validation.file, entry.test.file]
    if len(set(names)) < len(names):
        raise UserError(
            f"expected a file each for training, validation and test, came {', '.join(names)}; a text that was trained on is no "
            "test"
        )
    with opened(archive) as members:
        texts = {
            part: _words(archive, members, file.file)
            for part, file in (
                ("train", entry.train),
                ("validation", entry.validation),
                ("test", entry.test),
            )
        }
    vocabulary = tuple(dict.fromkeys([EOS, *texts["train"]]))
    number_of = {word: number for number, word in enumerate(vocabulary)}
    tokens = {}
    for part, words in texts.items():
        told: TextFile = getattr(entry, part)
        place = f"{told.file} of {archive}"
        if len(words) != told.tokens:
            raise UserError(
                f"expected {told.tokens:,} tokens in {place}, with one for the end of each line, came {len(words):,}; mend "
                f"`{part}/tokens` in params.yaml, or put the right text there"
            )
        if new := next((word for word in words if word not in number_of), None):
            raise UserError(
                f"expected only words of the training text in {place}, came {new!r}; replace what is rare by <unk> in all "
                "texts"
            )
        tokens[part] = np.array([number_of[word] for word in words], np.int32)
    if len(vocabulary) != entry.words:
        raise UserError(
            f"expected {entry.words:,} different words in {entry.train.file} of {archive}, <eos> among them, came "
            f"{len(vocabulary):,}; mend `words` in params.yaml, or put the right text there"
        )
    parts = (tokens["train"], tokens["validation"], tokens["test"])
    return Tokens(*parts, np.array([]), vocabulary, shape(entry))


def _words(archive: Path, members: Members, name: str) -> list[str]:
    """The words of a text, with `<eos>` after each line."""
    lines = text(archive, members, name).split("\n")
    if not lines[-1]:
        del lines[-1]  # the last line ends like the others
    words = [word for line in lines for word in (*line.split(), EOS)]
    if set(words) <= {EOS}:
        raise UserError(
            f"expected words in {name} of {archive}, came an empty text; put the text there"
        )
    return words
