"""The file that is carried: a zip with a list of what is in it by digest, perhaps cut into parts."""

import contextlib
import hashlib
import json
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel
from tqdm import tqdm

from sixteen.entry import Name
from sixteen.errors import UserError
from sixteen.files import settle
from sixteen.lineage.places import BUNDLE

CHUNK = 1 << 20  # bytes that are read at once
# What a zip with flipped bits raises: it has other lengths, methods, flags and places then.
UNREADABLE = (KeyError, ValueError, OSError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile)


class Listed(BaseModel):
    """What every bundle says of itself: its files by SHA-256, the studies, and the runs that were `made`, if it was run."""

    files: dict[str, str]
    studies: list[Name]
    made: list[str] | None = None


class Bundle:
    """An opened bundle: what it says of itself, and its files."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.archive, self.name = archive, name
        try:
            self.about: dict[str, Any] = json.loads(archive.read(BUNDLE))
            self.listed = Listed.model_validate(self.about)
        except (*UNREADABLE, TypeError, RecursionError) as error:
            raise _unreadable(name, str(error).partition("\n")[0]) from None

    def extract(self, names: Iterable[str], into: Path) -> None:
        """Write files below a folder. Raises UserError for one whose name leads out of it or whose bytes aren't as listed."""
        for name in names:
            place = PurePosixPath(name)
            if place.is_absolute() or ".." in place.parts or str(place) != name:
                raise _unreadable(self.name, f"{name} is no file of the project")
            path, digest = into / name, hashlib.sha256()
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for read in self._read(name):
                    digest.update(read)
                    file.write(read)
            if digest.hexdigest() != self.listed.files[name]:
                raise _unreadable(self.name, f"{name} isn't as it was packed")

    def _read(self, name: str) -> Iterator[bytes]:
        try:
            with self.archive.open(name) as source:
                while read := source.read(CHUNK):
                    yield read
        except UNREADABLE as error:
            raise _unreadable(self.name, error) from None


@contextlib.contextmanager
def opened(files: list[Path]) -> Iterator[Bundle]:
    """A bundle, or the parts of one in their order. Raises UserError for what isn't a whole bundle."""
    name = ", ".join(map(str, files))
    if missing := [str(file) for file in files if not file.is_file()]:
        raise UserError(f"expected a bundle, found no file {', '.join(missing)}")
    with contextlib.ExitStack() as stack:
        if len(files) == 1:
            whole = stack.enter_context(files[0].open("rb"))
        else:
            whole = stack.enter_context(tempfile.TemporaryFile(dir=files[0].parent))
            for part in files:
                with part.open("rb") as file:
                    shutil.copyfileobj(file, whole)
        try:
            archive = stack.enter_context(zipfile.ZipFile(whole))
        except UNREADABLE as error:
            raise _unreadable(name, f"{error}; of a bundle in parts name all, in order") from None
        yield Bundle(archive, name)


def write(
    path: Path, files: dict[str, Path], about: dict[str, Any], part_bytes: int | None = None
) -> list[Path]:
    """Write a bundle at `path` and return the files that it takes.

    `files` maps names in the bundle to files. With `part_bytes` they are `path` with `.001` and so on, each of so many
    bytes at most.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        _fill(partial, path.name, files, about)
        for old in (path, *path.parent.glob(f"{path.name}.[0-9][0-9][0-9]")):
            old.unlink(missing_ok=True)  # parts of two calls make no whole
        if part_bytes is not None:
            return _cut(partial, path, part_bytes)
        settle(partial, path)
        return [path]
    finally:
        partial.unlink(missing_ok=True)


def _fill(partial: Path, name: str, files: dict[str, Path], about: dict[str, Any]) -> None:
    digests: dict[str, str] = {}
    with (
        zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive,
        tqdm(
            total=sum(file.stat().st_size for file in files.values()),
            desc=name,
            unit="B",
            unit_scale=True,
            leave=False,
            disable=None,  # on a terminal only
        ) as progress,
    ):
        for place, file in files.items():
            digest, told = hashlib.sha256(), zipfile.ZipInfo.from_file(file, place)
            with file.open("rb") as source, archive.open(told, "w", force_zip64=True) as sink:
                while read := source.read(CHUNK):
                    digest.update(read)
                    sink.write(read)
                    progress.update(len(read))
            digests[place] = digest.hexdigest()
        archive.writestr(BUNDLE, json.dumps(about | {"files": digests}, indent=1))


def _cut(whole: Path, path: Path, part_bytes: int) -> list[Path]:
    parts: list[Path] = []
    with whole.open("rb") as source:
        while source.tell() < whole.stat().st_size:
            part = path.with_name(f"{path.name}.{len(parts) + 1:03}")
            partial = path.with_name(f".{part.name}.partial")
            left = part_bytes
            with partial.open("wb") as sink:
                while left and (read := source.read(min(CHUNK, left))):
                    sink.write(read)
                    left -= len(read)
            settle(partial, part)
            parts.append(part)
    return parts


def _unreadable(name: str, why: object) -> UserError:
    return UserError(
        f"expected a bundle that `sixteen pack` or `sixteen run` wrote, came {name} ({why}); copy it again"
    )
