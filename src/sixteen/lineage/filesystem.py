"""What to tell of a file system that fails."""

import errno
import os
import re
import shutil
from pathlib import Path

from sixteen.errors import UserError
from sixteen.lineage.places import KEPT, PRIVATE, expect_folders

FULL, UNWRITABLE = (errno.ENOSPC, errno.EDQUOT), (errno.EROFS, errno.EACCES, errno.EPERM)
MISPLACED = (errno.ENOTDIR, errno.EEXIST, errno.ENOENT)
LITTLE = 2**20  # bytes


def about(error: Exception) -> str | None:
    """A sentence on the file system that an error is of; None for any other error, which is a defect of ours."""
    number = _number(error)
    # Of a copy the second one is what is written.
    named = getattr(error, "filename2", None) or getattr(error, "filename", None)
    if number in FULL:
        return f"no space is left for {named or _without_room()}: free some, then call again; finished runs stay"
    if number in UNWRITABLE:
        where = named or "the results folder"
        return f"{where} can't be written: make it writable, then call again; finished runs stay"
    if number in MISPLACED and named:
        try:
            expect_folders([Path(named)])
        except UserError as told:
            return f"{told}"
    return None


def _number(error: Exception) -> int | None:
    """The number of the system's error. Libraries in Rust give it in their message alone, others its words.

    Those are libraries in C++, and `shutil.Error`, which tells of several files at once.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    if told := re.search(r"\(os error (\d+)\)", f"{error}"):
        return int(told.group(1))
    return next((number for number in FULL if os.strerror(number) in f"{error}"), None)


def _without_room() -> str:
    """The folders of a project on whose disks there is next to nothing left."""
    places = [place for place in (*map(Path, KEPT), PRIVATE, Path("logs")) if place.is_dir()]
    full = [f"{place}" for place in places if shutil.disk_usage(place).free < LITTLE]
    return " and ".join(full) or "what is written here"
