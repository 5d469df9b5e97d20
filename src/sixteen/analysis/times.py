"""The timings of a study: two arms in turns, A B A B, alone on the machine."""

import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path

from sixteen.analysis.pairs import Row
from sixteen.analysis.parameters import TimedOf
from sixteen.files import rows_of
from sixteen.tasks.measured.parts.metrics import TIMED
from sixteen.timing.parameters import ARMS

# `against` is the arm that took the other turns.
TIMES = (
    *("network", "arm", "against", "turn", "compile_seconds", "step_seconds", "items_per_second"),
    *("peak_bytes", "peak_bytes_of", "energy_joules", "largest_batch", "device"),
)


def times(timed: Iterable[TimedOf], inputs: dict[str, Path]) -> Iterator[dict[str, str]]:
    """The rows of times.csv, as text: a row a turn of each arm of each pair, by the names that the study gives them."""
    for pair in timed:
        names = dict(zip(ARMS, zip(pair.arms, reversed(pair.arms), strict=True), strict=True))
        for row in rows_of(inputs[pair.timed] / "times.csv"):
            arm, against = names[row["arm"]]
            yield {**row, "network": pair.network, "arm": arm, "against": against}


def numbers(row: dict[str, str]) -> Row:
    """A row of times.csv with numbers, None where nothing was measured."""
    read = {name: float(row[name]) if row[name] else None for name in TIMED}
    return {**row, **read, "turn": int(row["turn"])}


def step_seconds(timed: Iterable[Row]) -> dict[tuple[str, str], float]:
    """Seconds of a step by network and arm: the median of all turns."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in timed:
        if row["step_seconds"] is not None:
            found.setdefault((row["network"], row["arm"]), []).append(row["step_seconds"])
    return {key: statistics.median(values) for key, values in found.items()}
