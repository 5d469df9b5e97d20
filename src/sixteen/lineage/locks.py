"""Locks of runs and of the project: one job at a time makes a run. A lock dies with its holder: nobody unlocks by hand."""

import contextlib
import fcntl
import logging
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sixteen.errors import UserError
from sixteen.lineage.places import PRIVATE

LOCKS = PRIVATE / "locks"
OWNER = PRIVATE / "owner"

log = logging.getLogger("sixteen")


@contextlib.contextmanager
def exclusive(root: Path, fingerprint: str, what: str) -> Iterator[None]:
    """Hold the lock of a run; says so when it has to wait. The lock names the machine of its holder."""
    path = root / LOCKS / fingerprint
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("%s is held by another process: waiting for it", what)
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(platform.node())
        file.flush()
        yield


def own(root: Path, who: str) -> IO[str]:
    """Be the only one in a project who begins or takes away runs, until what this returns is closed; `who` names the command.

    Raises UserError if another one is at work: what it has planned would change under its hands.
    """
    (root / OWNER).parent.mkdir(exist_ok=True)
    owner = (root / OWNER).open("a+", encoding="utf-8")
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner.seek(0)
        with owner:
            raise UserError(
                f"{owner.read() or 'another process'} is at work in this folder: wait for it or stop it; nothing was changed, "
                "and `snakemake -n` works meanwhile"
            ) from None
    owner.truncate(0)
    owner.write(f"{who} (process {os.getpid()} on {platform.node()})")
    owner.flush()
    return owner


def holder(root: Path, fingerprint: str) -> str | None:
    """The machine whose job holds the lock of a run; None if nothing does."""
    try:
        with open(f"{root}/{LOCKS}/{fingerprint}", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read() or "another machine"
    except FileNotFoundError:
        pass
    return None
