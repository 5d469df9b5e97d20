"""Numbers as a reader of a table wants them: rounded, with a real minus."""

import pandas as pd

from sixteen.analysis.criterion import NOTHING

MINUTE, HOUR = 60, 3600  # seconds
MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"


def share(estimate: tuple[int, float, float, float], digits: int, counted: bool = False) -> str:
    """A share as ``81.2 [80.1, 82.3]`` percent, from n, mean, low, high; with ``n = 3`` if counted.

    An interval ends where shares end, at 0 and at 100.
    """
    n, mean, low, high = estimate
    if not n:
        return DASH
    text = f"{100 * mean:.{digits}f}"
    if low < high:
        text += f" [{100 * max(low, 0):.{digits}f}, {100 * min(high, 1):.{digits}f}]"
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


def duration(seconds: float) -> str:
    """Seconds as ``12.3 s``, ``4 min 5 s`` or ``2 h 7 min``."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{seconds:.3g} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
