"""The look of the pages that people open: one style, a few HTML helpers, no request to anywhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

STYLE = """
:root { color: #1c2126; background: #fff; }
body { font: 16px/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; max-width: 960px;
  margin: 0 auto; padding: 28px 20px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; }
h2 { font-size: 22px; margin: 44px 0 10px; padding-top: 12px; border-top: 1px solid #d5dbe0; }
h3 { font-size: 17px; margin: 26px 0 6px; }
p, li { max-width: 76ch; }
a { color: #00558c; }
code, pre { font-family: "DejaVu Sans Mono", ui-monospace, monospace; font-size: 13.5px;
  background: #f3f5f7; border-radius: 3px; }
code { padding: 1px 4px; overflow-wrap: anywhere; }
pre { padding: 10px 12px; overflow-x: auto; line-height: 1.4; }
.quiet { color: #56616b; font-size: 14.5px; }
.wide { overflow-x: auto; margin: 10px 0 18px; }
table { border-collapse: collapse; font-size: 14.5px; line-height: 1.4; }
th, td { text-align: left; vertical-align: top; padding: 6px 12px 6px 0;
  border-bottom: 1px solid #e3e7ea; }
th { font-weight: 600; border-bottom: 2px solid #9aa5ae; vertical-align: bottom; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
table.verdicts { table-layout: fixed; width: 100%; min-width: 720px; }
table.glance th { width: 9em; border-bottom: 1px solid #e3e7ea; vertical-align: top; }
table.verdicts td { overflow-wrap: break-word; }
summary { cursor: pointer; }
details { margin: 8px 0; }
td details { margin: 0; }
tr.network td { border-bottom: 0; padding-top: 1px; padding-bottom: 3px; color: #434d56;
  font-size: 13.5px; }
tr.claim td { border-bottom: 0; border-top: 1px solid #c3cbd1; padding-top: 10px; }
.badge { display: inline-block; padding: 1px 9px; border-radius: 10px; font-weight: 600;
  font-size: 13.5px; white-space: nowrap; border: 1px solid; }
.supported { color: #00523c; background: #dcf2ea; border-color: #009e73; }
.refuted { color: #8a3200; background: #fce6da; border-color: #d55e00; }
.inconclusive { color: #3d464e; background: #eceff1; border-color: #8b969f; }
figure { margin: 22px 0 34px; break-inside: avoid; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption { font-size: 14.5px; line-height: 1.45; color: #39424a; margin-top: 6px; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; }
  h2, h3 { break-after: avoid; } tr { break-inside: avoid; } .wide { overflow: visible; } }
"""

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


def page(title: str, body: str) -> str:
    """A whole HTML document in the house style."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Without an icon of its own a browser asks the server for one.
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body.strip()}\n</body>\n</html>\n"
    )


def badge(verdict: str, text: str | None = None) -> str:
    """A verdict as sign, word and colour."""
    return (
        f'<span class="badge {escape(verdict)}">{SIGNS[verdict]} {escape(text or verdict)}</span>'
    )


def table(head: Iterable[str], rows: Iterable[Iterable[str]], numbers: Iterable[int] = ()) -> str:
    """A table of cells that are HTML already. ``numbers``: columns to align on the right."""
    right = set(numbers)

    def line(cells: Iterable[str], tag: str) -> str:
        made = (
            f"<{tag}{' class=number' if i in right else ''}>{cell}</{tag}>"
            for i, cell in enumerate(cells)
        )
        return f"<tr>{''.join(made)}</tr>"

    body = "\n".join(line(row, "td") for row in rows)
    return (
        f'<div class="wide"><table>\n<thead>{line(head, "th")}</thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def settings(values: Mapping[str, object]) -> str:
    """Named values in one line: ``batch 128, epochs 5``; nested ones in brackets."""
    return ", ".join(f"{name} {_shown(value)}" for name, value in values.items())


def _shown(value: object) -> object:
    if isinstance(value, Mapping):
        return f"({settings(value)})"
    if value is None:
        return "none"
    return ("no", "yes")[value] if isinstance(value, bool) else value
