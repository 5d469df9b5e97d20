"""Times measured alone on the machine, two arms in turns A B A B: ratios of step times, and all that was measured."""

from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from sixteen.analysis.statistics import exponential, paired_log_ratio
from sixteen.reporting.figures.cost import PAPER, Ratio, draw, published
from sixteen.reporting.figures.plate import look, save, style
from sixteen.reporting.numbers import estimates
from sixteen.reporting.page import Html, nothing, table
from sixteen.reporting.study import Study, interval

TITLE = "Time per step, measured alone"
UNTIMED = "this study measures no times apart from training"
# Columns of times.csv: head of the column shown, and the factor that brings it there.
MEASURED = {
    "step_seconds": ("Step (ms)", 1e3),
    "items_per_second": ("{item}s/s", 1),
    "compile_seconds": ("Compiling (s)", 1),
    "peak_bytes": ("Peak memory (MB)", 1e-6),
    "energy_joules": ("Energy (J)", 1),
    "largest_batch": ("Largest batch ({item}s)", 1),
}


def step_times(study: Study) -> Html:
    """Ratio of the step times of two arms, paired by turn, with its interval and what the paper claims."""
    times = study.table("times").dropna(subset="step_seconds")
    if times.empty:
        return nothing(TITLE, UNTIMED)
    rows, data, paper = [], [], {}
    for network, arm, reference, pairs in _pairs(study, times):
        made = exponential(
            paired_log_ratio(list(pairs[arm]), list(pairs[reference]), study.confidence)
        )
        colour, marker, _ = look(study, arm)
        ratios = pairs[arm] / pairs[reference]
        label = f"{network}, {arm} / {reference}, n = {made.n}"
        mean, low, high = (np.nan if v is None else v for v in (made.mean, made.low, made.high))
        rows.append(Ratio(label, ratios, mean, low, high, colour, marker))
        head = {"network": network, "arm": arm, "reference": reference}
        ends = {"n": made.n, "mean": made.mean, "low": made.low, "high": made.high}
        data.append(ratios.rename("ratio").reset_index().assign(**head, **ends))
        paper |= published(study, arm, reference)
    devices = ", ".join(sorted(set(times["device"].astype(str))))
    with style():
        return save(
            study,
            "step-times",
            TITLE,
            draw(rows, paper, "time of a training step, arm / reference"),
            pd.concat(data, ignore_index=True),
            f"Ratio of the median times of a training step after warm-up, measured on {escape(devices)} with nothing "
            "else of this project running, the two arms in turns, each turn in a process of its own; logarithmic axis. Small points: "
            f"turns. Large points: geometric mean; bars: {study.confidence:.0%} t interval over the n turns."
            + (PAPER if paper else ""),
        )


def everything(study: Study) -> Html:
    """What the timings measured: a row an arm of each pair, mean and interval over its turns."""
    times = study.table("times")
    if times.empty:
        return nothing("Time, memory and energy, measured alone", UNTIMED)
    shown = [column for column in MEASURED if times[column].notna().any()]
    turns = times.groupby(["network", "arm", "against"], sort=False)
    columns = [
        estimates(
            (interval(of[column] * MEASURED[column][1], study.confidence) for _, of in turns),
            counted=False,
        )
        for column in shown
    ]
    rows = [
        (*(escape(str(name)) for name in names), f"{len(of)}", *cells)
        for (names, of), *cells in zip(turns, *columns, strict=True)
    ]
    heads = [MEASURED[column][0].format(item=study.item) for column in shown]
    absent = [MEASURED[c][0].format(item=study.item) for c in MEASURED if c not in shown]
    of = " and ".join(sorted(set(times["peak_bytes_of"].dropna().astype(str)))) or "process"
    note = (
        f"<p class='quiet'>Measured with nothing else of this project running: mean over turns "
        f"[{study.confidence:.0%} t interval]; peak memory is that of the {escape(of)}; energy is that of one step."
        + (f" Not measured here: {', '.join(absent)}." if absent else "")
        + "</p>"
    )
    head = ("Network", "Arm", "In turns with", "Turns", *heads)
    text = note + table(
        "Time, memory and energy, measured alone", head, rows, range(3, 4 + len(heads))
    )
    return Html(text, f"table of times measured alone: {len(rows)} rows")


def _pairs(study: Study, times: pd.DataFrame) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    """Network, arm, reference and, by turn, the step times of both."""
    for told in study.parameters["timed"]:
        # Whatever arm took the first turn.
        reference, arm = sorted(told["arms"], key=study.arms.index)
        both = times[times["network"] == told["network"]]
        both = both[
            ((both["arm"] == arm) & (both["against"] == reference))
            | ((both["arm"] == reference) & (both["against"] == arm))
        ]
        by_turn: Any = both.pivot(index="turn", columns="arm", values="step_seconds").dropna()
        if len(by_turn):
            yield told["network"], arm, reference, by_turn
