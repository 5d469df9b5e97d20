"""Where the words of a job go: all of them into its log, those that are for people to the terminal as well.

Libraries write to file descriptor 2 past every logger (TensorFlow, on each start, that no GPU was found): that goes into
the log alone. Where a table of the whole workflow is shown (`snakemake_logger_plugin_sixteen`), it reads the logs, and a
job writes nothing to the terminal.
"""

import contextlib
import errno
import io
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn, TextIO

from sixteen.errors import UserError, printable

# Set by the table for the jobs that are started below it.
TABLE = "SIXTEEN_TABLE"

log = logging.getLogger("sixteen")


def answer(command: Callable[[], bool]) -> NoReturn:
    """Run a command and end: 0 if it says so, else 1; what a user can mend is one sentence, and Ctrl-C ends with 130."""
    try:
        sound = command()
        sys.stdout.flush()
    except UserError as error:
        sys.exit(printable(f"sixteen: {error}"))
    except BrokenPipeError:  # the reader of a pipe had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sound = True
    except OSError as error:
        # Of a file that was open already, nothing says the name.
        if error.filename is None and error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
        place = error.filename or "a file"
        told = f"sixteen: {place} can't be read or written ({error.strerror})"
        sys.exit(printable(told))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if sound else 1)


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Within, the logger `sixteen`, errors and all that libraries print go where they belong.

    `path` is the log of the job; its folder is made. Raises OSError if it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.raiseExceptions = False  # a log on a full disk stops no run, and tells no traceback
    # Nothing is held back, so that on a full disk nothing is left to be written when the log is closed.
    with io.TextIOWrapper(path.open("ab", buffering=0), "utf-8", write_through=True) as file:
        sys.stderr.flush()
        with os.fdopen(os.dup(2), "w", encoding="utf-8", buffering=1) as terminal:
            os.dup2(file.fileno(), 2)
            before, sys.stderr = sys.stderr, file if TABLE in os.environ else terminal
            handlers = [_handler(stream) for stream in {sys.stderr, file}]
            try:
                yield
            finally:
                for handler in handlers:
                    log.removeHandler(handler)
                os.dup2(terminal.fileno(), 2)
                sys.stderr = before


def label(path: str) -> str:
    """The path of a run, or of its log, in a few words: network, seed, and the phrase that tells its arm.

    An evaluation, an observation and a cast are told by the phrase before theirs as well.
    """
    _, *words, _ = path.split("/")
    if not words or not words[-1].startswith("seed-"):
        return " ".join(words)
    _, network, *phrases, seed = words
    return " ".join([network, seed, *phrases[-1 if "-by-" in phrases[-1] else -2 :]])


def begin_lines_with(label: str) -> None:
    """Begin each line of progress with the run that it is about: jobs share a terminal."""
    for handler in log.handlers:
        handler.setFormatter(logging.Formatter(f"%(asctime)s {label}: %(message)s", "%H:%M:%S"))


def _handler(stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    return handler
