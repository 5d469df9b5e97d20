"""What `sixteen plan` prints, laid out for a terminal of 80 columns."""

import textwrap

WIDTH = 80


def wrapped(head: str | None, *sentences: str) -> list[str]:
    """Lines of a heading, if there is one, and of sentences below it."""
    lines = textwrap.wrap(head or "", WIDTH)
    for sentence in sentences:
        lines += textwrap.wrap(sentence, WIDTH, initial_indent="  ", subsequent_indent="  ")
    return lines


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows, the first of them the head, in columns as wide as they must be; those of numbers are set right."""
    columns = [
        [cell.rjust(_width(c)) if _whole(c) else cell.ljust(_width(c)) for cell in c]
        for c in zip(*rows, strict=True)
    ]
    return [f"  {'  '.join(cells)}".rstrip() for cells in zip(*columns, strict=True)]


def span(low: float, high: float) -> str:
    """From so many seconds to so many, in units that people read."""
    (one, unit), (other, last) = _duration(low), _duration(high)
    if (one, unit) == (other, last):
        return f"about {one} {unit}"
    return f"{one} to {other} {last}" if unit == last else f"{one} {unit} to {other} {last}"


def _duration(seconds: float) -> tuple[str, str]:
    """Number and unit, to two digits or more."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            number = seconds / size
            return f"{number:.1f}" if number < 9.95 else f"{number:,.0f}", unit
    return f"{seconds:.0f}", "s"


def _width(column: tuple[str, ...]) -> int:
    return max(map(len, column))


def _whole(column: tuple[str, ...]) -> bool:
    return all(cell.isdecimal() for cell in column[1:])
