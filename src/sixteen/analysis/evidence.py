"""What a study measured, as its claims are judged by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sixteen.analysis.pairs import Row, Sample
from sixteen.study.claim import Levels
from sixteen.tasks.measured.parts.metric import Metric


@dataclass(frozen=True)
class Evidence:
    """The rows of runs.csv, of times.csv (numbers), of quantization.csv (text) and of tolerance.csv.

    `layers` counts those of each network; `metrics` are those that a claim may name, `item` what is tested, in words.
    """

    runs: list[Row]
    times: list[Row]
    quantization: list[dict[str, str]]
    tolerance: list[dict[str, Any]]
    layers: Mapping[str, int]
    levels: Levels
    metrics: Mapping[str, Metric]
    item: str

    @property
    def arms(self) -> list[str]:
        """The arms of the study, the reference first."""
        return list(dict.fromkeys(run["arm"] for run in self.runs))

    @property
    def main(self) -> str:
        """The metric by which the task says what was reached."""
        return next(iter(self.metrics))

    def diverged(self, network: str, arm: str) -> set[int]:
        """The seeds in which an arm diverged."""
        return {
            run["seed"]
            for run in self.runs
            if (run["network"], run["arm"], run["outcome"]) == (network, arm, "diverged")
        }

    def sample(self, network: str, arms: tuple[str, ...], metric: Metric) -> Sample:
        """Where a metric of two arms is to be read: a clock in the timings of the two in turns, all else in runs."""
        if not metric.clock:
            return Sample([row for row in self.runs if row["network"] == network], "seed")
        pair = set(arms)
        rows = [
            row
            for row in self.times
            if row["network"] == network and {row["arm"], row["against"]} == pair
        ]
        return Sample(rows, "turn")
