"""Exponents of float32 gradients against what float16 can hold (arXiv:1710.03740, figures 2b and 3)."""

from html import escape

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sixteen.reporting.figures.heat import heat, sheets
from sixteen.reporting.figures.plate import LOOKS, NEUTRAL, legend, panels, save, style
from sixteen.reporting.page import Html, nothing, table
from sixteen.reporting.study import Study

# Exponents of float16 numbers: the smallest one, the smallest of full precision, and the first too large.
SMALLEST, NORMAL, TOO_LARGE = -24, -14, 16
SCALES = (1, 8, 128, 1024, 32768)
OF = {"weights": "gradients of weights", "activations": "gradients of activations"}
TAPS = (
    "Activations: the outputs of convolutions and dense layers, without those inside of attention."
)
EMPTY = "no run of the reference arm is observed"
LIMITS = (
    (SMALLEST, (0, (2, 2)), "2⁻²⁴, smallest float16"),
    (NORMAL, (0, (6, 2)), "2⁻¹⁴, smallest of full precision"),
)


def histogram(study: Study) -> Html:
    """Share of gradient values by exponent, at the first and the last observation."""
    title, rows = "Exponents of the gradients", study.table("exponents")
    if rows.empty:
        return nothing(title, study.unobserved(EMPTY))
    shares = _shares(rows, ["network", "of", "epoch"])
    with style():
        figure, drawn = _by_kind(study, shares, 3.0, "exponent ⌊log₂|g|⌋", "share of values (%)")
        for axis, mine in drawn:
            epochs = [mine["epoch"].min(), mine["epoch"].max()]
            for j, epoch in enumerate(dict.fromkeys(epochs)):
                now = mine[mine["epoch"] == epoch].dropna(subset=["exponent"])
                colour, _, line = LOOKS[j]
                full = now.set_index("exponent")["share"]
                full = full.reindex(range(int(full.index.min()), int(full.index.max()) + 1))
                axis.step(full.index, 100 * full.fillna(0), where="mid", color=colour,
                          linestyle=line, label=f"epoch {epoch}")  # fmt: skip
            _limits(axis)
            axis.legend(loc="best", fontsize=8)
        legend(figure, _limit_handles())
        return save(
            study,
            "gradient-exponents",
            title,
            figure,
            shares,
            f"Float32 gradients of arm {escape(_arm(rows))}, of the loss without L2 penalties, one seed, on one batch, at the "
            "first and the last observation: share of all values by exponent; exact zeros count in the total and have no place on "
            "the axis. What lies below half of the smallest float16 number (left of \N{MINUS SIGN}25) "
            f"becomes zero in float16, what lies left of \N{MINUS SIGN}14 loses digits. {TAPS}",
        )


def heat_map(study: Study) -> Html:
    """Share of values by tensor and exponent at the last observation."""
    title, rows = "Exponents of the gradients, tensor by tensor", study.table("exponents")
    rows = _last(rows[rows["of"] == "weights"])
    if rows.empty:
        return nothing(title, study.unobserved(EMPTY))
    shares = _shares(rows, ["network", "tensor"])
    grids = {}
    for network in _networks(study, rows):
        mine = shares[shares["network"] == network].dropna(subset=["exponent"])
        span = range(int(mine["exponent"].min()), int(mine["exponent"].max()) + 1)
        grid = mine.pivot(index="tensor", columns="exponent", values="share")
        grids[network] = 100 * grid.reindex(mine["tensor"].unique(), columns=span).fillna(0)
    with style():
        figure, axes = sheets(grids)
        for network, grid in grids.items():
            axis = axes[network]
            heat(axis, grid, "share of the tensor (%)", float(grid.max().max()))
            for limit, line, _ in LIMITS:
                if limit in grid.columns:
                    place = list(grid.columns).index(limit) - 0.5
                    axis.axvline(place, color="white", linewidth=1.6, linestyle=line)
            epoch = rows.loc[rows["network"] == network, "epoch"].iloc[0]
            axis.set_title(f"{network}, epoch {epoch}")
            axis.set_xlabel("exponent ⌊log₂|g|⌋")
        return save(
            study,
            "gradient-exponents-layers",
            title,
            figure,
            shares,
            f"Gradients of the weights of arm {escape(_arm(rows))}, of the loss without L2 penalties, one seed, one batch, at "
            "the last observation; "
            "rows are the trained tensors in the order of the network. White lines: 2⁻²⁴ and 2⁻¹⁴, left of "
            "which float16 has no number and no full precision.",
        )


def below(study: Study) -> Html:
    """Share of non-zero gradient values below the smallest float16 number over epochs, for each scale."""
    title, rows = "Gradients too small for float16", study.table("exponents")
    if rows.empty:
        return nothing(title, study.unobserved(EMPTY))
    data = _below(rows, ["network", "of", "epoch"])
    with style():
        figure, drawn = _by_kind(study, data, 2.8, "epoch", "below 2⁻²⁴ (%)")
        for axis, mine in drawn:
            for (scale, group), (colour, marker, line) in zip(
                mine.groupby("scale"), LOOKS, strict=False
            ):
                axis.plot(group["epoch"], 100 * group["below"], color=colour, marker=marker,
                          linestyle=line, markersize=4, label=f"scale {scale:,}")  # fmt: skip
            axis.set_ylim(bottom=0)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        legend(figure, drawn[0][0].get_legend_handles_labels()[0])
        return save(
            study,
            "gradients-below",
            title,
            figure,
            data,
            f"Float32 gradients of arm {escape(_arm(rows))}, one seed, one batch an observed epoch: values smaller "
            "than the smallest float16 number, in percent of all that are not zero, as they are (scale 1) and after the "
            "loss is multiplied by a scale. Counted from exponents, with no rounding.",
        )


def saved(study: Study) -> Html:
    """What each scale saves from underflow, and loses to overflow, at the last observation."""
    title, rows = "What a loss scale saves", study.table("exponents")
    if rows.empty:
        return nothing(title, study.unobserved(EMPTY))
    data = _below(_last(rows), ["network", "of"])
    lines = []
    for (network, of), group in data.groupby(["network", "of"], sort=False):
        by = group.set_index("scale")
        small = by.loc[1, "below"]
        cells = [
            f"{100 * (1 - by.loc[s, 'below'] / small):.3g}" if small else "\N{EN DASH}"
            for s in SCALES[1:]
        ]
        lines.append((escape(str(network)), OF[str(of)], f"{100 * by.loc[1, 'zeros']:.3g}",
                      f"{100 * small:.3g}", *cells, f"{100 * by.loc[SCALES[-1], 'above']:.2g}"))  # fmt: skip
    head = ("Network", "Values", "Zero", "Below 2⁻²⁴",
            *(f"Saved by {s:,}" for s in SCALES[1:]), "Too large")  # fmt: skip
    note = (
        f"<p class='quiet'>Float32 gradients of arm {escape(_arm(rows))}, one seed, one batch, at the last "
        "observation; all shares in percent. Below 2⁻²⁴, and too large (2¹⁶ or more at the largest scale): of the "
        "values that are not zero. Saved: of the values below 2⁻²⁴, those that the scale lifts to it or above. "
        f"{TAPS}</p>"
    )
    return Html(note + table(title, head, lines, range(2, 9)), f"table of {title.lower()}")


def _below(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Shares below the smallest and above the largest float16 number for each scale, of non-zero values."""
    made = []
    for values, group in rows.groupby(key, sort=False):
        exponent, count = group["exponent"], group["count"]
        some = count[exponent.notna()].sum()
        for scale in SCALES:
            shifted = exponent + np.log2(scale)
            made.append((*values, scale, count.sum(), count[exponent.isna()].sum() / count.sum(),
                         count[shifted < SMALLEST].sum() / max(some, 1),
                         count[shifted >= TOO_LARGE].sum() / max(some, 1)))  # fmt: skip
    return pd.DataFrame(made, columns=[*key, "scale", "n", "zeros", "below", "above"])


def _shares(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Share of all values by exponent (NaN: exact zeros), summed over what the key doesn't name."""
    counts = rows.groupby([*key, "exponent"], sort=False, dropna=False)["count"].sum().reset_index()
    counts["share"] = counts["count"] / counts.groupby(key)["count"].transform("sum")
    return counts


def _last(rows: pd.DataFrame) -> pd.DataFrame:
    """The last observation of each network."""
    return rows[rows["epoch"] == rows.groupby("network")["epoch"].transform("max")]


def _limits(axis: Axes) -> None:
    for limit, line, _ in LIMITS:
        # Before the bin of the limit's own exponent, which reaches from a half below it to a half above.
        axis.axvline(limit - 0.5, color=NEUTRAL, linewidth=1.4, linestyle=line, zorder=1)


def _limit_handles() -> list[Line2D]:
    return [
        Line2D([], [], color=NEUTRAL, linewidth=1.4, linestyle=s, label=t) for _, s, t in LIMITS
    ]


def _by_kind(
    study: Study, rows: pd.DataFrame, height: float, across: str, up: str
) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """A labelled panel for each network and kind of gradient, and the rows that it is to show."""
    networks, kinds = _networks(study, rows), [kind for kind in OF if kind in set(rows["of"])]
    few = len(networks) < 3  # with more of them, the title has no room for the kind
    figure, axes = panels(networks, len(kinds), height)
    drawn = []
    for i, network in enumerate(networks):
        for kind, axis in zip(kinds, axes[i], strict=True):
            axis.set_title(f"{network}: {OF[kind]}" if few else network)
            axis.set_xlabel(across if few else f"{across}\n{OF[kind]}")
            axis.set_ylabel(up)
            drawn.append((axis, rows.query("network == @network and of == @kind")))
    return figure, drawn


def _networks(study: Study, rows: pd.DataFrame) -> list[str]:
    return [network for network in study.networks if network in set(rows["network"])]


def _arm(rows: pd.DataFrame) -> str:
    return str(rows["arm"].iloc[0])
