"""Our numbers beside those of the paper: accuracy, training time and parameters, network by network."""

from html import escape
from typing import Any

import pandas as pd

from sixteen.reporting.numbers import DASH, MINUS, estimates, number, share
from sixteen.reporting.page import Html, nothing, table
from sixteen.reporting.study import Study, interval
from sixteen.tasks.measured.parts.metric import SHARE

OURS, PAPER = "ours", "paper"
ABSENT = '<span class="quiet">not in this study</span>'
UNKNOWN = '<span class="quiet">not in the paper</span>'


def beside(study: Study) -> Html:
    """The paper's table of accuracy (%) and of seconds, each beside what this study measured."""
    told = study.settings["published"]
    if not told:
        return nothing("The table of the paper", "none is known for this study")
    blocks = [_accuracy(study, told)] if told["accuracy"] else []
    if told["seconds"]:
        blocks += [_seconds(study, told), _speed_up(study, told)]
    return Html("".join(blocks), f"the paper's table beside ours: {told['source']}")


def parameters(study: Study) -> Html:
    """Stored values of each network as built here, beside the count of the paper."""
    told = study.settings["published"] or {}
    counts, notes = told.get("parameters") or {}, told.get("notes") or {}
    if not counts and not notes:
        return nothing("Parameters", "the paper's counts are not known for this study")
    rows = []
    for network in _networks(study, {**counts, **notes}):
        ours = study.facts(network)["parameters"] if network in study.networks else None
        paper = counts.get(network)
        missing = "not found" if network in counts or network in notes else UNKNOWN
        gap = f"{ours - paper:+,}".replace("-", MINUS) if ours and paper else DASH
        rows.append(
            (
                escape(network),
                f"{ours:,}" if ours else ABSENT,
                f"{paper:,}" if paper else missing,
                gap,
                escape(notes.get(network) or ""),
            )
        )
    note = "<p class='quiet'>All numbers that a network stores, with the statistics of batch normalisation.</p>"
    text = note + table(
        "Parameters, ours and the paper's",
        ("Network", "Ours", "Paper", "Difference", "Why"),
        rows,
        (1, 2, 3),
    )
    return Html(text, f"table of parameters: {len(rows)} rows")


def _accuracy(study: Study, told: dict[str, Any]) -> str:
    runs = study.runs.query("outcome == 'finished'")

    def ours(network: str, arm: str) -> str:
        values = runs.query("network == @network and arm == @arm")["accuracy"]
        return share(interval(values, study.confidence, SHARE), 2, counted=True)

    def paper(value: list[float] | None) -> str:
        if value is None:
            return UNKNOWN
        mean, spread = value
        return number(mean) if spread is None else f"{number(mean)} ± {number(spread)}"

    note = (
        f"<h3>Test accuracy (%)</h3><p class='quiet'>Paper: {escape(told['source'])}, mean ± spread as "
        f"printed there. Ours: mean [{study.confidence:.0%} interval], n finished seeds, dataset "
        f"{escape(study.settings['dataset'])}.</p>"
    )
    return note + _table(
        study, "Test accuracy (%), the paper's and ours", told["accuracy"], paper, ours
    )


def _seconds(study: Study, told: dict[str, Any]) -> str:
    runs = study.runs.query("outcome == 'finished'")

    def ours(network: str, arm: str) -> str:
        values = runs.query("network == @network and arm == @arm")["train_seconds"]
        return estimates([interval(values, study.confidence)])[0]

    def paper(value: float | None) -> str:
        return UNKNOWN if value is None else number(value)

    note = (
        "<h3>Training time (s)</h3><p class='quiet'>Ours: the last phase, without compilation, on "
        f"{escape(study.device)}. Another device and another length of training than the paper's: compare "
        "the ratios below, not the seconds.</p>"
    )
    return note + _table(
        study, "Training time (s), the paper's and ours", told["seconds"], paper, ours
    )


def _speed_up(study: Study, told: dict[str, Any]) -> str:
    """How many times faster each arm trains than the reference, paired by seed: t32 / t16."""
    seconds, reference = told["seconds"], study.settings["reference"]
    ratios = study.table("differences").query("metric == 'train_seconds' and kind == 'ratio'")
    ratios = ratios.set_index(["network", "arm"])
    speeds: dict[str, dict[str, float]] = {
        network: {a: by[reference] / by[a] for a in by if a != reference and reference in by}
        for network, by in seconds.items()
    }

    def ours(network: str, arm: str) -> str:
        if (network, arm) not in ratios.index:
            return DASH
        row: pd.Series = ratios.loc[(network, arm)]
        if pd.isna(row["mean"]):
            return DASH
        return estimates([(int(row["n"]), *(1 / row[end] for end in ("mean", "high", "low")))])[0]

    def paper(value: float | None) -> str:
        return UNKNOWN if value is None else f"{value:.2g}"

    note = (
        f"<h3>Speed-up: seconds of {escape(reference)} over those of the arm</h3><p class='quiet'>Above 1: "
        f"faster than {escape(reference)}. Paper: ratio of its printed times. Ours: geometric mean over pairs, by the "
        f"clocks of training runs, on "
        f"{escape(study.device)}.</p>"
    )
    return note + _table(study, "Speed-up, the paper's and ours", speeds, paper, ours)


def _table(
    study: Study, caption: str, published: dict[str, dict[str, Any]], paper: Any, ours: Any
) -> str:
    """A row a network, and for each arm of the paper its value there and here."""
    arms = list(dict.fromkeys(arm for by in published.values() for arm in by))
    head = ["Network", *(f"{escape(arm)}, {who}" for arm in arms for who in (PAPER, OURS))]
    rows = []
    for network in _networks(study, published):
        cells = [escape(network)]
        for arm in arms:
            known = network in study.networks and arm in study.arms
            cells.append(paper(published.get(network, {}).get(arm)))
            cells.append(ours(network, arm) if known else ABSENT)
        rows.append(cells)
    return table(caption, head, rows, range(1, len(head)))


def _networks(study: Study, published: dict[str, Any]) -> list[str]:
    """The networks of the paper, then those of this study alone."""
    return list(dict.fromkeys([*published, *study.networks]))
