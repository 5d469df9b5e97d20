"""The official archives of XNLI (Conneau et al., arXiv:1809.05053; dl.fbaipublicfiles.com/XNLI): zips of tables.

Names of members, columns and labels are those that public readers of the archives use (datasets/xnli/xnli.py of Hugging
Face's datasets, XnliProcessor of google-research/bert), which take texts as they stand: cells end at tabs alone, and quotes
are letters. Training texts were cut into words by a program of Moses, with blanks before their full stops; the others not.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from sixteen.errors import UserError

LABELS = {
    "entailment": "entailment",
    "neutral": "neutral",
    "contradiction": "contradiction",
    "contradictory": "contradiction",  # of the training part
}


class Texts(NamedTuple):
    """Premise and hypothesis as they stand, and the label."""

    premise: str
    hypothesis: str
    label: str


@dataclass(frozen=True)
class Member:
    """A table in an archive: its name, and the columns of premise, hypothesis, label and, if it has several, language."""

    name: str
    premise: str
    hypothesis: str
    label: str
    language: str | None = None


def train(language: str) -> Member:
    """The training pairs of a language, in XNLI-MT-1.0.zip."""
    return Member(f"XNLI-MT-1.0/multinli/multinli.train.{language}.tsv", "premise", "hypo", "label")


def evaluation(part: str) -> Member:
    """The pairs of all languages for validation, `dev`, or the `test`, in XNLI-1.0.zip."""
    columns = ("sentence1", "sentence2", "gold_label", "language")
    return Member(f"XNLI-1.0/xnli.{part}.tsv", *columns)


def pairs(archive: Path, member: Member, language: str) -> Iterator[Texts]:
    """The pairs of a language in a member of an archive, one by one.

    UserError for a file that can't be read as a zip, one without that member or without pairs of the language, and by its
    line for a text that isn't UTF-8, for other columns, for an unknown label or none, and for an empty sentence.
    """
    foreign = (RuntimeError, NotImplementedError)  # with a password, or packed by other programs
    try:
        with zipfile.ZipFile(archive) as opened:
            if member.name not in opened.namelist():
                raise UserError(
                    f"expected the member {member.name} in {archive}, came an archive without it; fetch the official archive"
                )
            with opened.open(member.name) as file:
                yield from _pairs(file, member, language, f"{member.name} of {archive}")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, *foreign) as error:
        raise UserError(
            f"expected a zip of XNLI at {archive}, came a file that can't be read as one ({error}); fetch it again"
        ) from error


def _pairs(file: IO[bytes], member: Member, language: str, place: str) -> Iterator[Texts]:
    lines = _lines(file, place)
    _, header = next(lines, (1, ""))
    names = header.split("\t")
    told = (member.premise, member.hypothesis, member.label, member.language)
    wanted = [name for name in told if name is not None]
    if missing := next((name for name in wanted if name not in names), None):
        raise UserError(
            f"expected the columns {', '.join(wanted)} in line 1 of {place}, came {header!r} without {missing!r}; fetch the "
            "official archive"
        )
    found = False
    for number, line in lines:
        cells = line.split("\t")
        if len(cells) != len(names):
            raise UserError(
                f"expected {len(names)} columns in line {number} of {place}, came {len(cells)}; fetch the official archive"
            )
        held = dict(zip(names, cells, strict=True))
        if member.language is None or held[member.language] == language:
            found = True
            yield _checked(held, member, f"line {number} of {place}")
    if not found:
        raise UserError(
            f"expected pairs of {language!r} in {place}, came none; fetch the official archive"
        )


def _lines(file: IO[bytes], place: str) -> Iterator[tuple[int, str]]:
    """The lines of a text with their numbers, from 1; they end at line feeds alone."""
    number = 0
    try:
        for number, line in enumerate(io.TextIOWrapper(file, "utf-8", newline="\n"), 1):
            yield number, line.removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise UserError(
            f"expected {place} in UTF-8, came bytes after line {number} that are none; fetch the official archive"
        ) from error


def _checked(held: dict[str, str], member: Member, place: str) -> Texts:
    label = held[member.label].strip()
    if label not in LABELS:
        raise UserError(
            f"expected one of the labels {', '.join(LABELS)} in {place}, came {label!r}; fetch the official archive"
        )
    premise, hypothesis = (held[column].strip() for column in (member.premise, member.hypothesis))
    for what, text in (("premise", premise), ("hypothesis", hypothesis)):
        if not text:
            raise UserError(
                f"expected words in the {what} in {place}, came an empty sentence; fetch the official archive"
            )
    return Texts(premise, hypothesis, LABELS[label])
