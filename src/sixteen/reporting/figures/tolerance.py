"""The classification tolerance of arXiv:2305.10947: which predictions 16 bit provably leaves alone.

delta(x) is the largest difference between the softmax outputs of the two networks, Gamma(x) the largest
minus the second largest output of the 32-bit one. Gamma > 2 delta certifies that both predict the same class.
"""

from html import escape
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sixteen.reporting.figures.plate import LOOKS, legend, panels, save, style
from sixteen.reporting.numbers import share
from sixteen.reporting.page import Html, nothing, table
from sixteen.reporting.study import Study, interval
from sixteen.tasks.measured.parts.metric import SHARE

WORDS = {
    "cast": "the 32-bit network itself, cast",
    "trained": "the network that the arm ends with",
}
CERTIFIED = "#e4efe9"
DISAGREES: dict[str, Any] = {
    "linestyle": "",
    "marker": "x",
    "color": "#1c2126",
    "markersize": 5,
    "markeredgewidth": 1.1,
}
COLUMNS = ["network", "arm", "kind"]


def scatter(study: Study) -> Html:
    """delta (logarithmic) against Gamma of single test items, the certified region shaded."""
    title, images = "Floating-point error against tolerance", study.table("images")
    if images.empty:
        return nothing(title, _why(study))
    pairs = list(dict.fromkeys(zip(images["kind"], images["arm"], strict=True)))
    looks = {pair: LOOKS[i % len(LOOKS)][:2] for i, pair in enumerate(sorted(pairs))}
    networks = [network for network in study.networks if network in set(images["network"])]
    with style():
        figure, axes = panels(networks, 1, 3.2)
        for network, (axis,) in zip(networks, axes, strict=True):
            mine = images[images["network"] == network]
            for pair, points in mine.groupby(["kind", "arm"]):
                _draw(axis, points, *looks[pair])
            _certified(axis)
            count = mine.groupby(["arm", "kind"])["image"].nunique().max()
            axis.set_title(f"{network}: n = {count:,} {study.item}s")
            axis.set_xlabel("tolerance Γ of the 32-bit network")
            axis.set_ylabel("error δ of the softmax")
        handles: list[Any] = [
            Line2D([], [], color=c, marker=m, linestyle="", label=f"{arm} ({kind})")
            for (kind, arm), (c, m) in looks.items()
        ]
        handles.append(Patch(color=CERTIFIED, label="certified: Γ > 2δ"))
        handles.append(Line2D([], [], **DISAGREES, label="predicted classes differ"))
        legend(figure, handles)
        kinds = " ".join(f"<i>{kind}</i>: {WORDS[kind]}." for kind in sorted({k for k, _ in pairs}))
        return save(
            study,
            "tolerance",
            title,
            figure,
            images,
            f"Each point is a test {study.item} of the first seed (the first 1,000 at most): δ, the largest difference "
            "of a softmax output between the 16-bit and the 32-bit network (logarithmic axis; exact zeros at the "
            "bottom edge), against Γ, the distance of the two largest outputs of the 32-bit one. Below "
            f"Γ/2 both must predict the same class: no cross may stand there. {kinds}",
        )


def certificates(study: Study) -> Html:
    """Certified share, agreement, tightness and violations by network, arm and kind."""
    title, rows = "Certified predictions", study.table("tolerance")
    if rows.empty:
        return nothing(title, _why(study))
    lines = []
    for (network, arm, kind), group in rows.groupby(COLUMNS, sort=False):
        shares = {
            "certified": group["certified"] / group["n"],
            "agree": group["agree"] / group["n"],
            "tightness": group["certified"] / group["agree"].where(group["agree"] > 0),
        }
        cells = [share(interval(values, study.confidence, SHARE), 1) for values in shares.values()]
        violations = int(group["violations"].sum())
        lines.append(
            (
                escape(str(network)),
                escape(f"{arm} ({kind})"),
                f"{int(group['n'].sum()):,}",
                *cells,
                f"{violations}" if violations == 0 else f"<b>{violations}: a bug</b>",
                f"{group['delta_mean'].mean():.2g}",
                f"{group['delta_max'].max():.2g}",
            )
        )
    head = ("Network", "Arm (kind)", "Predictions", "Certified (%)", "Same class (%)", "Tightness (%)", "Violations",
            "mean δ", "max δ")  # fmt: skip
    item, seeds = study.item, rows["seed"].nunique()
    note = (
        f"<p class='quiet'>{int(rows['n'].max()):,} test {item}s and {seeds} seeds: mean over seeds [{study.confidence:.0%} "
        f"interval]. Certified: {item}s with "
        f"Γ > 2δ, of all test {item}s. Same class: {item}s for which the two in fact predict it. "
        "Tightness: the first over the second. "
        f"A violation, a certified {item} whose class changed, is ruled out by the lemma. {_words(rows)}</p>"
    )
    return Html(
        note + table(title, head, lines, range(2, 9)), f"table of {title.lower()}: {len(lines)}"
    )


def _draw(axis: Axes, points: pd.DataFrame, colour: str, marker: str) -> None:
    # Thousands of points: as pixels inside the SVG too.
    some, exact = points[points["delta"] > 0], points[points["delta"] == 0]
    drawn: Any = {"color": colour, "linestyle": "", "alpha": 0.4, "markeredgewidth": 0}
    axis.plot(some["gamma"], some["delta"], marker=marker, markersize=3.6, rasterized=True, **drawn)
    axis.plot(exact["gamma"], np.full(len(exact), 0.015), marker=marker, markersize=3.6,
              rasterized=True, transform=axis.get_xaxis_transform(), **drawn)  # fmt: skip
    differ = some[~some["agrees"].astype(bool)]
    axis.plot(differ["gamma"], differ["delta"], **DISAGREES)


def _certified(axis: Axes) -> None:
    """Shade delta < Gamma / 2 on an axis whose points are drawn already."""
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    high = max(high, 1.2)
    gamma = np.geomspace(max(2 * low, 1e-12), 1, 300)
    axis.fill_between(gamma, low, gamma / 2, color=CERTIFIED, linewidth=0, zorder=0)
    axis.plot(gamma, gamma / 2, color="#00523c", linewidth=1, zorder=1)
    axis.set_ylim(low, high)
    axis.set_xlim(-0.03, 1.03)


def _why(study: Study) -> str:
    """Why nothing was compared."""
    if "agreement" not in study.metrics:
        return f"the lemma is about classes, which {study.item}s don't have"
    return "no arm of this study has a 32-bit network to be compared with"


def _words(rows: pd.DataFrame) -> str:
    return " ".join(f"<i>{kind}</i>: {WORDS[kind]}." for kind in sorted(set(rows["kind"])))
