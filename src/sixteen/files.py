"""Tables and JSON of runs, and how a file gets its name when it is whole.

Cells are read as text, so that what is passed on stays as it was written.
"""

import csv
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV one by one: tables of observations are long."""
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def columns_of(path: Path) -> tuple[str, ...]:
    """The names of the columns of a CSV."""
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(next(csv.reader(file)))


def write_csv(path: Path, columns: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> None:
    """Write a table; its header stands there without rows as well; a value absent or None is an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object for people to read."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def walk(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """`os.walk` that follows links, and raises OSError for a folder that can't be read in place of leaving it out."""
    return os.walk(folder, onerror=_raised, followlinks=True)


def _raised(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # nothing there, or gone meanwhile
        raise error


def settle(partial: Path, final: Path) -> None:
    """Rename a file or a folder once all its bytes are on disk, so that whatever happens `final` is whole or absent.

    A file that has the name already is replaced; a folder that has it must be empty.
    """
    for path in [*partial.rglob("*"), partial]:
        _sync(path)
    partial.replace(final)
    _sync(final.parent)  # the name is an entry of its folder


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
