"""What changes a metric: main effects and interactions of the factorial arms, and the answer in words."""

from html import escape

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sixteen.analysis.metrics import METRICS, POINTS
from sixteen.reporting.figures.forest import FILLED, OPEN, estimate
from sixteen.reporting.figures.plate import LOOKS, NEUTRAL, WIDTH, legend, save, style
from sixteen.reporting.numbers import number
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study

LOOK = {"main": LOOKS[0], "interaction": LOOKS[1]}


def effects(study: Study, metric: str) -> Html:
    """Main effects and two-factor interactions on a metric, a panel a network."""
    words, unit, scale = _shown(metric)
    title, rows = f"What changes the {words}", _rows(study, metric)
    if rows.empty:
        return nothing(
            title, "no factorial design in this study, or no seed of which all arms finished"
        )
    networks = [network for network in study.networks if network in set(rows["network"])]
    names = list(dict.fromkeys(rows.sort_values("kind", ascending=False)["effect"]))
    alpha = study.parameters["statistics"]["alpha"]
    with style():
        figure = Figure(
            figsize=(WIDTH, 1.5 + 0.27 * len(names)),
            layout="constrained",
        )
        axes = figure.subplots(1, len(networks), sharey=True, squeeze=False).ravel()
        for axis, network in zip(axes, networks, strict=True):
            axis.axvline(0, color=NEUTRAL, linewidth=1.2)
            mine = rows[rows["network"] == network]
            for _, row in mine.iterrows():
                colour, marker, _ = LOOK[row["kind"]]
                place = names.index(row["effect"])
                estimate(axis, row, place, scale, colour, marker, row["p_holm"] < alpha)
            axis.set_title(f"{network}: n = {int(mine['n'].max())} seeds")
            axis.set_yticks(range(len(names)), names)
            axis.set_ylim(len(names) - 0.4, -0.6)
            axis.set_xlabel(f"effect on the {words}\n({unit})")
        handles = [
            Line2D([], [], color=c, marker=m, label=f"{kind} effect", linewidth=1.8)
            for kind, (c, m, _) in LOOK.items()
            if kind in set(rows["kind"])
        ]
        legend(figure, [*handles, Line2D([], [], **FILLED), Line2D([], [], **OPEN)])
        return save(
            study,
            f"effects-{metric.replace('_', '-')}",
            title,
            figure,
            rows,
            "Mean at the second level of a factor minus mean at the first, over all other factors, by seed, then "
            f"mean and {study.confidence:.0%} t interval over seeds. An interaction is half the difference that the "
            f"one factor makes to the effect of the other. Filled: significant at {alpha:g} after Holm's "
            f"correction over the effects of a network. {escape(_answer(study, metric))}",
        )


def answer(study: Study, metrics: list[str]) -> Html:
    """One sentence a metric, made from the estimates: what changes it, by how much, or that nothing does."""
    lines = [_answer(study, metric) for metric in metrics if not _rows(study, metric).empty]
    if not lines:
        return nothing("Answer", "this study has no factorial design")
    text = "".join(f"<p><b>{escape(line)}</b></p>" for line in lines)
    return Html(text, " ".join(lines))


def _answer(study: Study, metric: str) -> str:
    rows = _rows(study, metric)
    words, unit, scale = _shown(metric)
    alpha = study.parameters["statistics"]["alpha"]
    found = rows[rows["p_holm"] < alpha].sort_values("p_holm")
    if found.empty:
        smallest = rows["p_holm"].min()
        why = (
            "one seed allows no test" if np.isnan(smallest) else f"smallest Holm p = {smallest:.2g}"
        )
        return f"No factor changed the {words} significantly ({why})."
    return " ".join(_said(row, words, unit, scale) for _, row in found.iterrows())


def _said(row: pd.Series, words: str, unit: str, scale: float) -> str:
    """One significant effect as a sentence."""
    tested = f"(Holm p = {row['p_holm']:.2g}, n = {int(row['n'])})"
    low, mean, high = (row[name] * scale for name in ("low", "mean", "high"))
    if row["kind"] == "interaction":
        return (
            f"On {row['network']}, {row['effect']}: the one factor changes the other's effect on the {words}, by "
            f"{number(2 * mean)} {unit} [{number(2 * low)}, {number(2 * high)}] {tested}."
        )
    verb = "raises"
    if mean < 0:
        verb, low, mean, high = "lowers", -high, -mean, -low
    return (
        f"On {row['network']}, {row['effect']} {verb} the {words} by {number(mean)} {unit} "
        f"[{number(low)}, {number(high)}] {tested}."
    )


def _rows(study: Study, metric: str) -> pd.DataFrame:
    table = study.table("effects")
    table["effect"] = table["effect"].astype(str).str.replace("->", "\N{RIGHTWARDS ARROW}")
    return table[table["metric"] == metric].dropna(subset=["mean"])


def _shown(metric: str) -> tuple[str, str, float]:
    known = METRICS[metric]
    return known.words, "percentage points" if known.unit == POINTS else known.unit, known.scale
