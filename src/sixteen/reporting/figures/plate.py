"""A figure as files: the same bytes in every run, its data and its lineage beside it and inside it."""

import base64
import json
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from html import escape
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import seaborn
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, LogLocator, NullLocator

from sixteen.reporting.page import Html
from sixteen.reporting.study import Study

WIDTH = 9.0  # inches: at 100 CSS pixels an inch the width of the page's text
DOTS = 160  # dots per inch of the PNG
LABEL, SIDE = 60, 44  # letters of a line: an entry of a legend, a label beside an axis

# Colours to be told apart by every kind of colour vision; a marker and a line style tell the same once
# more, for prints in grey.
LOOKS = tuple(
    zip(
        [*seaborn.color_palette("colorblind", 5).as_hex(), "#56b4e9", "#1c2126", "#ca9161"],
        "os^DvP*X",
        ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)), (0, (6, 2, 1, 2, 1, 2)), (0, (3, 4))),
        strict=True,
    )
)
NEUTRAL = "#5f6a72"
CROSS = {"color": "#1c2126", "linestyle": "", "marker": "x", "markersize": 8, "markeredgewidth": 2}

STYLE: Any = {
    **seaborn.axes_style("whitegrid"),
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#7b868e",
    "grid.color": "#e2e6e9",
    "legend.frameon": False,
    "svg.hashsalt": "sixteen",
}


def style() -> AbstractContextManager[None]:
    """The look of every figure, as a context in which to draw and save."""
    return matplotlib.rc_context(STYLE)


def look(study: Study, arm: str) -> tuple[str, str, Any]:
    """Colour, marker and line style of an arm, the same in every figure of a study; colours return with another marker."""
    rounds, place = divmod(study.arms.index(arm), len(LOOKS))
    _, marker, line = LOOKS[(place + rounds) % len(LOOKS)]
    return LOOKS[place][0], marker, line


def panels(names: list[str], kinds: int, height: float) -> tuple[Figure, list[list[Axes]]]:
    """Panels of equal size, ``kinds`` of them for each name.

    At most three names in a row; the kinds of one name stand below each other, or side by side when there
    is but one name. Returns the figure and ``axes[name][kind]``.
    """
    columns = min(len(names), 3)
    blocks = -(-len(names) // columns)
    if len(names) == 1:
        figure = Figure(
            figsize=(WIDTH if kinds > 1 else WIDTH * 0.75, height), layout="constrained"
        )
        return figure, [list(np.atleast_1d(figure.subplots(1, kinds)))]
    figure = Figure(figsize=(WIDTH, height * kinds * blocks), layout="constrained")
    grid = figure.subplots(kinds * blocks, columns, squeeze=False)
    axes = [
        [grid[kinds * (i // columns) + k][i % columns] for k in range(kinds)]
        for i in range(len(names))
    ]
    for unused in grid.ravel()[np.isin(grid.ravel(), np.ravel(axes), invert=True)]:
        unused.set_axis_off()
    return figure, axes


def legend(figure: Figure, handles: Sequence[Artist]) -> None:
    """One legend above all panels, in as many columns as its longest entry leaves room for.

    The figure grows by the lines that the legend has beyond the first one.
    """
    if handles:
        for handle in handles:
            handle.set_label(wrapped(str(handle.get_label()), LABEL))
        lines = [line for handle in handles for line in str(handle.get_label()).split("\n")]
        longest = max(map(len, lines))
        room = int(figure.get_figwidth() / (0.085 * longest + 0.75))
        columns = max(1, min(len(handles), 5, room))
        figure.set_figheight(figure.get_figheight() + 0.2 * ((len(handles) - 1) // columns))
        figure.legend(handles=handles, loc="outside upper center", ncols=columns)


def wrapped(text: str, width: int) -> str:
    """A long name in lines: names of varied entries are sentences of their own, joined by hyphens."""
    return "\n".join(
        line
        for part in text.split("\n")
        for line in textwrap.wrap(part, width, break_long_words=False) or [""]
    )


def within_percent(axis: Axes) -> None:
    """A y axis of shares: from 0 to 100 %, and no more around them than a point needs."""
    low, high = axis.get_ylim()
    axis.set_ylim(max(low, -2), min(high, 102))


def how_to_read(study: Study) -> str:
    """What large points and bars are; one seed has no interval, and the reader is told so."""
    most = study.runs.query("outcome == 'finished'").groupby(["network", "arm"]).size().max()
    if not most >= 2:
        return no_interval(most)
    return f"Large points: mean; bars: {study.confidence:.0%} interval over the n finished seeds."


def no_interval(most: float) -> str:
    """Why there is no interval where arms have so many finished seeds at most, NaN for none."""
    if most >= 1:
        return "One finished seed an arm at most: no interval can be given."
    return "No run that is shown finished: neither a mean nor an interval can be given."


def logarithmic(axis: Axes, x: bool = False) -> None:
    """A logarithmic y axis (x axis) whose ticks read as numbers (0.2, 0.5, 1), not as powers of ten."""
    (axis.set_xscale if x else axis.set_yscale)("log")
    line = axis.xaxis if x else axis.yaxis
    low, high = axis.get_xlim() if x else axis.get_ylim()
    decades = np.log10(high / low)
    # Numbers side by side need more room than numbers above each other.
    line.set_major_locator(
        LogLocator(subs=_few_steps(decades), numticks=6) if x else LogLocator(subs=_steps(decades))
    )
    line.set_minor_locator(NullLocator())
    line.set_major_formatter("{x:g}")


def _few_steps(decades: float) -> tuple[float, ...]:
    """Ticks within a decade of an axis on which numbers need room."""
    if decades < 0.5:
        return (1, 1.5, 2, 3, 5, 7)
    if decades < 1:
        return (1, 2, 5)
    return (1, 3) if decades < 2 else (1,)


def _steps(decades: float) -> tuple[float, ...]:
    """Ticks within a decade: a handful on the axis, however short it is."""
    if decades < 0.7:
        return (1, 1.5, 2, 3, 5, 7)
    return (1, 2, 5) if decades < 3 else (1,)


def save(
    study: Study, name: str, title: str, figure: Figure, data: pd.DataFrame, caption: str
) -> Html:
    """Write ``figures/<name>.png|.svg|.csv|.trace.txt`` and return the block that the page shows.

    PNG and SVG carry ``{"sixteen": {figure, study, summary, fingerprint}}`` in their metadata (PNG: text
    key ``sixteen``; SVG: its description). ``caption`` is HTML.
    """
    folder = study.output / "figures"
    folder.mkdir(exist_ok=True)
    _write_images(study, name, figure, folder)
    data.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    trace = study.trace(f"figure {name} of study {study.name}")
    (folder / f"{name}.trace.txt").write_text(trace, encoding="utf-8")

    image = base64.b64encode((folder / f"{name}.png").read_bytes()).decode()
    width = round(figure.get_figwidth() * 100)
    links = " · ".join(
        f'<a href="figures/{name}.{ending}">{label}</a>'
        for ending, label in (("svg", "SVG"), ("csv", "data"), ("trace.txt", "where it comes from"))
    )
    return Html(
        f'<figure id="figure-{name}"><img width="{width}" alt="{escape(title)}" '
        f'src="data:image/png;base64,{image}">\n'
        f"<figcaption><b>{escape(title)}.</b> {caption} <span class='links'>{links}</span></figcaption>"
        "</figure>",
        f"figure {name}: figures/{name}.png",
    )


def _write_images(study: Study, name: str, figure: Figure, folder: Path) -> None:
    """Lay the figure out and write it as PNG and SVG, with what it was made from inside."""
    facts = {
        "figure": name,
        "study": study.name,
        "summary": study.provenance["summary"],
        "fingerprint": study.record["fingerprint"],
    }
    _wrap(figure)
    # Once for both files: finding the layout takes longer than drawing.
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
    figure.set_layout_engine(None)
    # A date or a version of the drawing program inside would change the bytes.
    inside = {"Software": None, "sixteen": json.dumps(facts)}
    figure.savefig(folder / f"{name}.png", dpi=DOTS, metadata=inside)
    inside = {"Date": None, "Creator": None, "Description": json.dumps({"sixteen": facts})}
    figure.savefig(folder / f"{name}.svg", metadata=inside)


def _wrap(figure: Figure) -> None:
    """Break titles that are wider than their panel, and long names beside an axis."""
    for axis in figure.axes:
        cell = axis.get_subplotspec()
        width = figure.get_figwidth() / (cell.get_gridspec().ncols if cell else 1) - 0.5
        titles = {axis.get_title("left"), axis.get_title("center")}
        for text in axis.get_children():
            if isinstance(text, Text) and text.get_text() in titles:
                text.set_text(wrapped(text.get_text(), int(width / 0.09)))
        if isinstance(axis.yaxis.get_major_formatter(), FixedFormatter):
            names = [label.get_text() for label in axis.get_yticklabels()]
            axis.set_yticks(axis.get_yticks(), [wrapped(name, SIDE) for name in names])
