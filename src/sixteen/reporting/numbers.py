"""Numbers as a reader of a table wants them: rounded, with a real minus."""

import math
import re
from collections.abc import Iterable

import pandas as pd

from sixteen.analysis.criterion import NOTHING

MINUTE, HOUR = 60, 3600  # seconds
MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"

# A hyphen before a number, with nothing before it that it could join, or in an exponent: 1e-05.
HYPHEN = re.compile(r"(?<![\w\]).-])-(?=\.?\d)|(?<=\de)-(?=\d)")


def signed(text: str) -> str:
    """A text whose numbers have a real minus."""
    return HYPHEN.sub(MINUS, text)


def share(estimate: tuple[int, float, float, float], digits: int, counted: bool = False) -> str:
    """A share as ``81.2 [80.1, 82.3]`` percent, from n, mean, low, high; with ``n = 3`` if counted."""
    n, mean, low, high = estimate
    if not n:
        return DASH
    text = f"{100 * mean:.{digits}f}"
    if low < high:
        text += f" [{100 * low:.{digits}f}, {100 * high:.{digits}f}]"
    return f"{text}, {counted_of(n)}" if counted else text


def counted_of(n: int) -> str:
    """``n = 3``, never broken over two lines."""
    return f"n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{n}"


def number(value: float) -> str:
    """Three or more significant digits, with a real minus."""
    if pd.isna(value):
        return DASH
    if abs(value) < NOTHING:
        return "0"
    text = (
        f"{value:,.0f}"
        if abs(value) >= 1000
        else f"{value:.4g}"
        if abs(value) >= 10
        else f"{value:.3g}"
    )
    return text.replace("-", MINUS)


def alike(values: Iterable[float]) -> list[str]:
    """Numbers that stand beside or below each other, with as many decimals as the one of them that needs most.

    The largest has at most one decimal more than it would have alone.
    """
    values = list(values)
    alone = [number(value) for value in values]
    if any("e" in text for text in alone):
        return alone
    largest = max((abs(value) for value in values if not pd.isna(value)), default=0.0)
    power = math.floor(math.log10(largest)) if largest > NOTHING else 0
    usual = max(0, (3 if power >= 1 else 2) - power)  # as `number` has them
    places = min(max((len(text.partition(".")[2]) for text in alone), default=0), usual + 1)
    return [
        text if pd.isna(value) else f"{value:,.{places}f}".replace("-", MINUS)
        for text, value in zip(alone, values, strict=True)
    ]


def estimates(found: Iterable[tuple[int, float, float, float]], counted: bool = True) -> list[str]:
    """``81.2 [80.1, 82.3], n = 3`` of each (n, mean, low, high), with the same decimals in all; ``n`` if counted."""
    found = list(found)
    texts = iter(alike(value for _, *ends in found for value in ends))
    cells = []
    for n, mean, low, high in found:
        text, *ends = (next(texts) for _ in (mean, low, high))
        if low < high:  # counted values have no spread, and one seed has no interval
            text += f" {interval_of(*ends)}"
        cells.append((f"{text}, {counted_of(n)}" if counted else text) if n else DASH)
    return cells


def interval_of(low: str, high: str) -> str:
    """``[low, high]``, never broken over two lines."""
    return f"[{low},\N{NO-BREAK SPACE}{high}]"


def duration(seconds: float) -> str:
    """Seconds as ``12.3 s``, ``4 min 5 s`` or ``2 h 7 min``."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{seconds:.3g} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
