"""What jobs have written into their logs, read back while they run or after they ended."""

import re
from dataclasses import dataclass
from pathlib import Path

from sixteen.errors import printable

# A line of ours in a log, which holds what libraries print as well.
LINE = re.compile(r"\d\d:\d\d:\d\d (?P<told>.*)")
# What a training tells of an epoch, see `sixteen.training.progress`.
COUNT, NUMBER = r"\d{1,9}", r"-?\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?|nan|-?inf"
EPOCH = re.compile(
    rf"epoch (?P<epoch>{COUNT})/(?P<last>{COUNT}): loss (?:{NUMBER}), test loss (?P<test_loss>{NUMBER})"
    rf"(, test accuracy (?P<accuracy>{NUMBER}) %)?, (?P<rate>{COUNT}) items/s, (?P<left>{COUNT}) s left"
)
TAIL = 8192  # bytes at the end of a log that are looked at


@dataclass(frozen=True)
class Epoch:
    """An epoch as a log tells of it; `accuracy` is a share or None, `rate` in items a second, `left` in seconds."""

    epoch: int
    last: int
    test_loss: float
    accuracy: float | None
    rate: float
    left: float


def log_of(path: str) -> Path:
    """Where the job of the run at a path writes, relative to the project."""
    return Path("logs", f"{path.partition('/')[2]}.log")


def tail(log: Path | None) -> list[str]:
    """The last lines of a log; none if it can't be read."""
    try:
        with open(log or "", "rb") as file:
            file.seek(max(file.seek(0, 2) - TAIL, 0))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [printable(line) for line in text.splitlines()]


def last_words(log: Path, name: str) -> list[str]:
    """What a job said last, and what followed it: its last line of ours without time and `name`, and the lines after it."""
    lines = tail(log)
    ours = [number for number, line in enumerate(lines) if LINE.match(line)]
    if not ours:
        return lines[-1:]
    first, *others = lines[ours[-1] :]
    return [first.partition(" ")[2].removeprefix(f"{name}: "), *others]


def epochs(log: Path) -> list[Epoch]:
    """The epochs that a log tells of, in order, up to that of which it told last: after a stop some are trained again."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found: list[Epoch] = []
    for told in EPOCH.finditer(text):
        accuracy, epoch = told["accuracy"], int(told["epoch"])
        found = [earlier for earlier in found if earlier.epoch < epoch]
        one = Epoch(
            epoch,
            int(told["last"]),
            float(told["test_loss"]),
            None if accuracy is None else float(accuracy) / 100,
            float(told["rate"]),
            float(told["left"]),
        )
        found.append(one)
    return found
