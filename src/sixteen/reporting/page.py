"""The pages that people open: their frame, a few HTML helpers, no request to anywhere."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from sixteen.reporting.style import STYLE

# A word and a sign beside the colour: the verdict must survive a print in grey.
SIGNS = {"supported": "✓", "refuted": "✗", "inconclusive": "?"}


@dataclass(frozen=True, repr=False)
class Html:
    """What a cell of the notebook displays: HTML, and one plain line where HTML cannot be shown."""

    text: str
    plain: str

    def _repr_html_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.plain


def nothing(title: str, why: str) -> Html:
    """The sentence in place of a figure or table for which nothing was measured; both are plain text."""
    return Html(f"<p>{escape(title)}: {escape(why)}.</p>", f"{title}: {why}")


def page(title: str, body: str, contents: str = "") -> str:
    """A whole HTML document in the house style; ``contents`` is its navigation."""
    main = "<main>" if contents else '<main class="alone">'
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light">\n'
        # Without an icon of its own a browser asks the server for one.
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f'<body id="top">\n{contents}{main}\n{body.strip()}\n</main>\n</body>\n</html>\n'
    )


def badge(verdict: str, text: str | None = None, quiet: bool = False) -> str:
    """A verdict as sign, word and colour; without colour if quiet."""
    look = "none" if quiet else verdict
    return f'<span class="badge {look}">{SIGNS[verdict]} {escape(text or verdict)}</span>'


def tally(verdicts: Iterable[str]) -> str:
    """How often each verdict was given, those never given too: ``3 supported 0 refuted 5 inconclusive``."""
    counts = Counter(verdicts)
    if not counts:
        return '<span class="quiet">no claims</span>'
    return " ".join(
        badge(verdict, f"{counts[verdict]} {verdict}", quiet=not counts[verdict])
        for verdict in SIGNS
    )


def table(
    caption: str, head: Iterable[str], rows: Iterable[Iterable[str]], numbers: Iterable[int] = ()
) -> str:
    """A table of cells that are HTML already, the first of each row its header; wide ones scroll by themselves.

    ``caption`` is plain text, and the only one of its words on a page. ``numbers``: columns to align on the right.
    """
    right = set(numbers)

    def line(cells: Iterable[str], named: str) -> str:
        made = []
        for i, cell in enumerate(cells):
            headless = named == "row" and (i > 0 or not cell)
            tag, scope = ("td", "") if headless else ("th", f' scope="{named}"')
            aligned = ' class="number"' if i in right else ""
            made.append(f"<{tag}{scope}{aligned}>{cell}</{tag}>")
        return f"<tr>{''.join(made)}</tr>"

    body = "".join(f"{line(row, 'row')}\n" for row in rows)
    return wide(
        caption,
        f"<table>\n<caption>{escape(caption)}</caption>\n<thead>{line(head, 'col')}</thead>\n"
        f"<tbody>\n{body}</tbody></table>",
    )


def wide(name: str, text: str) -> str:
    """What may be wider than the page: it scrolls by itself, by keyboard too."""
    return f'<section class="wide" tabindex="0" aria-label="{escape(name)}">{text}</section>'


def settings(values: Mapping[str, object]) -> str:
    """Named values in one line: ``batch 128, epochs 5``; nested ones in brackets."""
    return ", ".join(f"{name} {_shown(value)}" for name, value in values.items())


def _shown(value: object) -> object:
    if isinstance(value, Mapping):
        return f"({settings(value)})"
    if value is None:
        return "none"
    return ("no", "yes")[value] if isinstance(value, bool) else value
