"""The locks of runs: one job at a time makes a run, and a lock dies with its holder."""

import contextlib
import fcntl
import logging
import platform
from collections.abc import Iterator
from pathlib import Path

from sixteen.lineage.places import PRIVATE

LOCKS = PRIVATE / "locks"

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
