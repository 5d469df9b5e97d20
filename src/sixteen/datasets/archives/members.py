"""Archives as people have them: a tar (plain, gzip, bzip2 or xz) or a directory, seen alike.

Hidden files and folders (a name that begins with a dot: .DS_Store, ._photo.jpg) do not count:
neither for what is read nor for the digest of a directory. Nothing is extracted to disk.
"""

import hashlib
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePath, PurePosixPath

from sixteen.errors import UserError
from sixteen.files import walk

LARGEST = 1 << 28  # bytes of a file in an archive; a tar states them before it is read


@dataclass
class Members:
    """Names inside an archive, with slashes: its folders, and its files with how to read each.

    `files` is in the order in which reading is fast (for a tar the order inside it).
    """

    folders: set[str] = field(default_factory=set)
    files: dict[str, Callable[[], bytes]] = field(default_factory=dict)


def digest(path: Path) -> str:
    """SHA-256 of a file, or the tree digest of a directory, as 64 hexadecimal digits.

    The tree digest is the SHA-256 of what `sha256sum` prints for the directory's files, sorted by
    name: lines of "<sha256>  <name relative to the directory>".
    """
    if path.is_dir():
        names = sorted(_members_of_directory(path).files)
        lines = (f"{_sha256(path / name)}  {name}\n" for name in names)
        return hashlib.sha256(os.fsencode("".join(lines))).hexdigest()
    return _sha256(path)


@contextmanager
def opened(path: Path) -> Iterator[Members]:
    """Give the members of a tar or a directory; they can be read while the context lasts.

    UserError if the tar is damaged, or if something in it is no plain file, or is larger than `LARGEST`.
    """
    if path.is_dir():
        yield _members_of_directory(path)
        return
    try:
        with tarfile.open(path) as tar:
            yield _members_of_tar(path, tar)
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise UserError(
            f"expected a tar or a directory at {path}, came a file that cannot be read as a tar "
            f"({str(error).splitlines()[0] if str(error) else type(error).__name__}); fetch it again"
        ) from error


def _sha256(path: Path) -> str:
    if path.exists() and not path.is_file():  # to read from a pipe is to wait for ever
        raise UserError(
            f"expected a file or a folder at {path}, came a pipe, a device or a socket; put the data there"
        )
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(
            f"expected a readable file at {path}, came {error.strerror!r}; put the data there"
        ) from error


def _members_of_directory(root: Path) -> Members:
    members = Members()
    for folder, _, names in walk(root):
        relative = Path(folder).relative_to(root)
        if _is_hidden(relative):
            continue
        members.folders.add(relative.as_posix())
        for name in names:
            if _is_hidden(Path(name)):
                continue
            file = Path(folder, name)
            if not file.is_file():
                raise UserError(
                    f"expected plain files in {root}, came {(relative / name).as_posix()!r}, a link that leads nowhere, "
                    "a pipe or a device; take it out"
                )
            _check_size(root, (relative / name).as_posix(), file.stat().st_size)
            members.files[(relative / name).as_posix()] = file.read_bytes
    return members


def _members_of_tar(path: Path, tar: tarfile.TarFile) -> Members:
    members = Members()
    for member in tar:
        name = PurePosixPath(member.name)
        if _is_hidden(name):
            continue
        _check_size(path, member.name, member.size)
        if member.isdir():
            members.folders.add(str(name))
        elif member.isreg() and str(name) not in members.files and ".." not in name.parts:
            members.folders.update(str(parent) for parent in name.parents)
            members.files[str(name)] = partial(_read_member, tar, member)
        else:
            raise UserError(
                f"expected plain files, each once and below the top, in {path}, came {member.name} as a link, a "
                "device, for the second time or with .. in its name; make the tar again without it"
            )
    return members


def _check_size(archive: Path, name: str, size: int) -> None:
    if size > LARGEST:
        raise UserError(
            f"expected files of at most {LARGEST:,} bytes in {archive}, came {name!r} of {size:,}; take it out"
        )


def _read_member(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None  # only for members that are no plain file
    return file.read()


def _is_hidden(path: PurePath) -> bool:
    return any(part.startswith(".") and part != ".." for part in path.parts)
