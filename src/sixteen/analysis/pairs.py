"""Pairs that compare two arms: runs by seed, timings by turn."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from sixteen.analysis import statistics
from sixteen.analysis.statistics import Estimate
from sixteen.tasks.measured.parts.metric import Kind, Metric
from sixteen.timing.largest import resolution

Row = dict[str, Any]  # a row of runs.csv or of times.csv; None where nothing was measured


@dataclass(frozen=True)
class Sample:
    """Rows of one network, of which those of two arms are paired that agree in the column `by`."""

    rows: list[Row]
    by: Literal["seed", "turn"]


@dataclass(frozen=True)
class Pairs:
    """Values of two arms by common seed or turn [n], and in words those that had to be left out.

    `least_sd` is the spread that they have even where they agree, see `Metric`; of all values so many are `raised` to
    their `floor`, see `value_of`.
    """

    kind: Kind
    first: list[float]
    second: list[float]
    left_out: list[str]
    least_sd: float
    raised: int
    floor: float

    def estimate(self, confidence: float) -> Estimate:
        """The mean difference, or the mean logarithm of the ratio, with its interval."""
        of = statistics.paired_log_ratio if self.kind == "ratio" else statistics.paired_difference
        return of(self.first, self.second, confidence, self.least_sd)


def value_of(row: Row, name: str, metric: Metric) -> float | None:
    """A metric of a run, None where it wasn't measured.

    A deviation of accuracies, which is to be divided by, is at least what whole items bring by themselves: each
    accuracy is rounded, with a deviation of item / sqrt(12), and a change of it is a difference of two.
    """
    return floor_of(row, metric) if is_raised(row, name, metric) else row[name]


def is_raised(row: Row, name: str, metric: Metric) -> bool:
    """Whether a metric of a run is below its floor, at which it is taken."""
    return row[name] is not None and row[name] < floor_of(row, metric)


def floor_of(row: Row, metric: Metric) -> float:
    """The least value of a metric that is believed, see `value_of`; minus infinity for most."""
    if (metric.kind, metric.spread) == ("ratio", "items"):
        return item(row) / math.sqrt(6)
    return -math.inf


def is_guess(estimate: Estimate, raised: int, least_sd: float) -> bool:
    """Whether a spread, or some of so many `raised` values behind it, is a substitute for one too small to be believed."""
    return raised > 0 or (least_sd > 0 and estimate.sd == least_sd)


def item(row: Row) -> float:
    """What one test item adds to an accuracy."""
    return 1 / row["test_items"]


def pair(sample: Sample, arms: tuple[str, ...], name: str, metric: Metric, kind: Kind) -> Pairs:
    """Pair the two `arms` of a network, see `complete`."""
    values, left_out = complete(sample, arms, name, metric, kind)
    rows = {(row["arm"], row[sample.by]): row for row in sample.rows}
    raised = sum(is_raised(rows[arm, key], name, metric) for key in values for arm in arms)
    floor = max((floor_of(row, metric) for row in rows.values()), default=-math.inf)
    first, second = ([of[i] for of in values.values()] for i in (0, 1))
    least_sd = _least_sd(list(rows.values()), name, metric, kind)
    return Pairs(kind, first, second, left_out, least_sd, raised, floor)


def complete(
    sample: Sample, arms: tuple[str, ...], name: str, metric: Metric, kind: Kind
) -> tuple[dict[Any, list[float]], list[str]]:
    """The metric of all `arms` by seed or turn, and in words the runs for which one had to be left out.

    A seed or turn counts if all arms finished and have the metric; for a ratio it has to be positive.
    """
    chosen = {(row["arm"], row[sample.by]): row for row in sample.rows}
    found: dict[Any, list[float]] = {}
    left_out = []
    for key in sorted({key for arm, key in chosen if arm in arms}):
        values: list[float] = []
        for arm in arms:
            value = _value_or_flaw(chosen.get((arm, key)), name, metric, kind)
            if isinstance(value, str):
                left_out.append(f"{arm} {sample.by} {key} ({value})")
            else:
                values.append(value)
        if len(values) == len(arms):
            found[key] = values
    return found, left_out


def _least_sd(rows: list[Row], name: str, metric: Metric, kind: Kind) -> float:
    """The spread of what comes in steps: of a difference of shares, or of the logarithm of a ratio."""
    if (metric.spread, kind) == ("items", "difference"):
        return max(map(item, rows), default=0.0)
    if (metric.spread, kind) == ("tried", "ratio"):
        tried = (int(row[name]) for row in rows if row[name])
        return max((resolution(batch) / batch for batch in tried), default=0.0)
    return 0.0


def _value_or_flaw(row: Row | None, name: str, metric: Metric, kind: Kind) -> float | str:
    """The value, or why a run can't be compared."""
    if row is None:
        return "not run"
    if row.get("outcome") == "diverged":
        return "diverged"
    value = value_of(row, name, metric)
    if value is None:
        return "not measured"
    return "zero, so that there is no ratio" if kind == "ratio" and value <= 0 else value
