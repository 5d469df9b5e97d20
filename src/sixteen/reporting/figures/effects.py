"""What changes a metric: main effects and interactions of the factorial arms, and the answer in words."""

from html import escape

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sixteen.analysis.pairs import is_raised
from sixteen.reporting.figures.forest import FILLED, OPEN, estimate
from sixteen.reporting.figures.plate import LOOKS, NEUTRAL, WIDTH, legend, logarithmic, save, style
from sixteen.reporting.numbers import number
from sixteen.reporting.page import Html, nothing
from sixteen.reporting.study import Study
from sixteen.tasks.measured.parts.metric import POINTS

LOOK = {"main": LOOKS[0], "interaction": LOOKS[1]}
NO_DESIGN = "this study has no factorial design"
DIFFERENCE = (
    "Mean at the second level of a factor minus mean at the first, over all other factors, by seed, then mean and "
    "{confidence:.0%} t interval over seeds. An interaction is half the difference that the one factor makes to the "
    "effect of the other."
)
RATIO = (
    "Geometric mean at the second level of a factor over that at the first, over all other factors, by seed, then "
    "geometric mean and {confidence:.0%} t interval over seeds; logarithmic axis. An interaction is the square root "
    "of the factor by which the one factor multiplies the effect of the other."
)


def effects(study: Study, metric: str) -> Html:
    """Main effects and two-factor interactions on a metric, a panel a network."""
    if metric not in study.metrics:
        return nothing(
            f"What changes the {metric}", f"nothing of the kind is measured of {study.item}s"
        )
    words, unit, scale = _shown(study, metric)
    title, rows = f"What changes the {words}", _rows(study, metric).dropna(subset=["mean"])
    if rows.empty:
        return nothing(title, NO_DESIGN if _rows(study, metric).empty else _unseen(study))
    networks = [network for network in study.networks if network in set(rows["network"])]
    names = list(dict.fromkeys(rows.sort_values("kind", ascending=False)["effect"]))
    alpha = study.parameters["statistics"]["alpha"]
    ratio = study.metrics[metric].kind == "ratio"
    with style():
        figure = Figure(figsize=(WIDTH, 1.5 + 0.27 * len(names)), layout="constrained")
        axes = figure.subplots(1, len(networks), sharey=True, squeeze=False).ravel()
        for axis, network in zip(axes, networks, strict=True):
            axis.axvline(1 if ratio else 0, color=NEUTRAL, linewidth=1.2)
            mine = rows[rows["network"] == network]
            _draw(axis, mine, names, scale, alpha)
            axis.set_title(f"{network}: n = {int(mine['n'].max())} seeds")
            axis.set_xlabel(f"effect on the {words}\n({'times' if ratio else unit})")
            if ratio:
                logarithmic(axis, x=True)
        legend(figure, _handles(set(rows["kind"])))
        reading = (RATIO if ratio else DIFFERENCE).format(confidence=study.confidence)
        return save(
            study,
            f"effects-{metric.replace('_', '-')}",
            title,
            figure,
            rows,
            f"{reading} Filled: significant at {alpha:g} after Holm's correction over the effects on this metric at "
            f"one network; no bar: the seeds agree.{_raised(study, metric)} {escape(_answer(study, metric))}",
        )


def _raised(study: Study, metric: str) -> str:
    """How many deviations of accuracies stand at their floor, as a sentence."""
    known = study.metrics[metric]
    runs = study.runs[study.runs["arm"].isin(study.settings["factorial"])]
    raised = sum(is_raised(row, metric, known) for row in runs.to_dict("records"))
    if not raised:
        return ""
    return (
        f" {raised} of {runs[metric].count()} deviations are less than what whole test {study.item}s bring by themselves, "
        "and are taken for that."
    )


def _draw(axis: Axes, mine: pd.DataFrame, names: list[str], scale: float, alpha: float) -> None:
    """The effects at a network, a row each."""
    for _, row in mine.iterrows():
        colour, marker, _ = LOOK[row["kind"]]
        place = names.index(row["effect"])
        estimate(axis, row, place, scale, colour, marker, row["p_holm"] < alpha)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)


def _handles(kinds: set[str]) -> list[Line2D]:
    """Legend entries of the kinds of effects that are drawn, and of what is significant."""
    drawn = [
        Line2D([], [], color=c, marker=m, label=f"{kind} effect", linewidth=1.8)
        for kind, (c, m, _) in LOOK.items()
        if kind in kinds
    ]
    return [*drawn, Line2D([], [], **FILLED), Line2D([], [], **OPEN)]


def answer(study: Study, metrics: list[str]) -> Html:
    """What changes each metric, by how much, or that nothing does: sentences made from the estimates."""
    lines = [_answer(study, metric) for metric in metrics if not _rows(study, metric).empty]
    if not lines:
        return nothing("Answer", NO_DESIGN)
    text = "".join(f"<p><b>{escape(line)}</b></p>" for line in lines)
    return Html(text, " ".join(lines))


def _answer(study: Study, metric: str) -> str:
    """A sentence or more for each network."""
    rows = _rows(study, metric)
    networks = [network for network in study.networks if network in set(rows["network"])]
    return " ".join(
        _answer_at(study, metric, rows[rows["network"] == network]) for network in networks
    )


def _answer_at(study: Study, metric: str, rows: pd.DataFrame) -> str:
    words, alpha = study.metrics[metric].words, study.parameters["statistics"]["alpha"]
    network, n = rows["network"].iloc[0], int(rows["n"].max())
    if n == 0:
        return f"On {network} nothing can be said of the {words}: {_unseen(study)}."
    found = rows[rows["p_holm"] < alpha].sort_values("p_holm")
    if not found.empty:
        return " ".join(_said(study, row, metric) for _, row in found.iterrows())
    if n == 1:
        why = "one seed allows no test"
    elif rows["p_holm"].isna().all():
        why = f"{n} seeds agree in every effect, which leaves no spread to test against"
    else:
        why = f"smallest Holm p = {rows['p_holm'].min():.2g}, n = {n}"
    return f"On {network} no factor changed the {words} significantly ({why})."


def _said(study: Study, row: pd.Series, metric: str) -> str:
    """One significant effect as a sentence."""
    words, unit, scale = _shown(study, metric)
    tested = f"(Holm p = {row['p_holm']:.2g}, n = {int(row['n'])})"
    start = f"On {row['network']}, {row['effect']}"
    twice = row["kind"] == "interaction"
    ends = (row["mean"], row["low"], row["high"])
    if study.metrics[metric].kind == "ratio":
        mean, low, high = (end**2 if twice else end for end in ends)
        told = f"{number(mean)} [{number(low)}, {number(high)}] {tested}."
        if twice:
            return f"{start}: the one factor multiplies the other's effect on the {words} by {told}"
        return f"{start} multiplies the {words} by {told}"
    mean, low, high = (end * scale * (2 if twice else 1) for end in ends)
    if twice:
        told = f"{number(mean)} {unit} [{number(low)}, {number(high)}] {tested}."
        return f"{start}: the one factor changes the other's effect on the {words}, by {told}"
    verb = "raises"
    if mean < 0:
        verb, low, mean, high = "lowers", -high, -mean, -low
    return f"{start} {verb} the {words} by {number(mean)} {unit} [{number(low)}, {number(high)}] {tested}."


def _unseen(study: Study) -> str:
    """Why no seed could be used."""
    lost = study.runs.query("outcome == 'diverged'")["arm"].value_counts(sort=False)
    diverged = ", ".join(f"{arm} diverged for {count} seeds" for arm, count in lost.items())
    return f"no seed has it of all arms of the design ({diverged or 'not measured in some arm'})"


def _rows(study: Study, metric: str) -> pd.DataFrame:
    table = study.table("effects")
    table["effect"] = table["effect"].astype(str).str.replace("->", "\N{RIGHTWARDS ARROW}")
    return table[table["metric"] == metric]


def _shown(study: Study, metric: str) -> tuple[str, str, float]:
    """Words, unit and scale of an effect on the metric; factors have no unit and are shown as they are."""
    known = study.metrics[metric]
    unit = "percentage points" if known.unit == POINTS else known.unit
    return known.words, unit, 1.0 if known.kind == "ratio" else known.scale
