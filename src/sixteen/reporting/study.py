"""What a notebook reads: the tables of one summary, and where they come from."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sixteen.analysis.evidence import Evidence
from sixteen.analysis.statistics import interval_within
from sixteen.errors import UserError
from sixteen.files import columns_of, read_json
from sixteen.reporting.provenance import tree
from sixteen.study.claim import Levels
from sixteen.tasks import measured
from sixteen.tasks.measured.parts.metric import POINTS, Metric
from sixteen.tasks.measured.parts.metrics import metrics_of

PROVENANCE = "provenance.json"
# Columns of names that people chose: a class called None or 007 is no missing value and no number.
NAMES = ("network", "arm", "reference", "against", "class", "fingerprint")


class NoReport(UserError):
    """There is no report where a notebook looks for it."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the sentence alone."""
        return [f"sixteen: {self}"]


@dataclass(frozen=True)
class Study:
    """The summary of a study, read from its folder; ``output`` is the folder of the report.

    Raises NoReport, a UserError, if there is none.
    """

    summary: Path
    output: Path

    def __post_init__(self) -> None:
        if not (self.output / PROVENANCE).is_file():
            raise NoReport(
                f"expected a report with {PROVENANCE} in {self.output.resolve()}, found none: open "
                "reports/<study>/notebook.ipynb of a published report, which `snakemake --cores all <study>` makes, or "
                "set `output` to its folder, and `summary` to the folder `tables` in it"
            )

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """``{"summary": path, "records": {path: record}}``."""
        return read_json(self.output / PROVENANCE)

    @property
    def record(self) -> dict[str, Any]:
        """The record of the summary."""
        return self.provenance["records"][self.provenance["summary"]]

    @property
    def parameters(self) -> dict[str, Any]:
        """What the summary was told: title, scale, task, arms, networks, recipes, statistics."""
        return self.record["parameters"]

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """The metrics of the study's task, by name."""
        return metrics_of(self.parameters["task"])

    @property
    def main(self) -> str:
        """The name of the metric by which the task says what was reached: its first."""
        return next(iter(self.metrics))

    @property
    def main_label(self) -> str:
        """Words and unit of `main` as an axis or a column says them: ``test accuracy (%)``."""
        metric = self.metrics[self.main]
        return f"{metric.words} ({'%' if metric.unit == POINTS else metric.unit})"

    @property
    def item(self) -> str:
        """What a dataset of the task holds, in the singular: image, sequence."""
        return measured.module(self.parameters["task"]).ITEM

    @cached_property
    def papers(self) -> dict[str, dict[str, str]]:
        """What each paper ran, in its own words: settings by the way in which the paper is cited."""
        return read_json(self.output / "papers.json")

    @property
    def name(self) -> str:
        """Name of the study in params.yaml."""
        return self.parameters["study"]

    @property
    def arms(self) -> list[str]:
        """The arms, the reference first."""
        return list(dict.fromkeys(run["arm"] for run in self.parameters["runs"]))

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What the summary says about itself: reference, arms, published values, factorial arms."""
        return read_json(self.summary / "settings.json")

    @cached_property
    def networks(self) -> list[str]:
        """The networks in the order of the runs."""
        return list(dict.fromkeys(self.runs["network"]))

    @cached_property
    def claims(self) -> list[dict[str, Any]]:
        """The claims with their verdicts."""
        return read_json(self.summary / "claims.json")["claims"]

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run of the last phase."""
        return self.table("runs")

    @cached_property
    def device(self) -> str:
        """The device or devices that the runs were trained on."""
        return ", ".join(sorted(set(self.runs["device"].dropna().astype(str)))) or "not recorded"

    @property
    def confidence(self) -> float:
        """Confidence of every interval, e.g. 0.95."""
        return self.parameters["statistics"]["confidence"]

    def table(self, name: str) -> pd.DataFrame:
        """A CSV file of the summary."""
        path = self.summary / f"{name}.csv"
        missing = {key: ["", "nan"] for key in set(columns_of(path)) - set(NAMES)}
        return pd.read_csv(
            path, dtype=dict.fromkeys(NAMES, str), keep_default_na=False, na_values=missing
        )

    def seeds(self, network: str) -> str:
        """How many seeds finished: ``n = 5``; arm by arm, ``n = 5 / 4``, where that differs."""
        rows = self.runs[self.runs["network"] == network]
        finished = [
            int(((rows["arm"] == a) & (rows["outcome"] == "finished")).sum()) for a in self.arms
        ]
        text = "n = " + " / ".join(
            str(n) for n in (finished if len(set(finished)) > 1 else finished[:1])
        )
        for arm, lost in (
            rows.loc[rows["outcome"] == "diverged", "arm"].value_counts(sort=False).items()
        ):
            text += f"\n{lost} of {arm} diverged"
        return text

    @cached_property
    def _to_observe(self) -> tuple[int, int]:
        """How many phases of runs were to be observed, and how many of them never were."""
        planned = {
            (run["network"], run["arm"], run["seed"], phase)
            for run in self.parameters["runs"]
            for phase, role in enumerate(run["observed"])
            if role is not None
        }
        seen = self.table("observations")[["network", "arm", "seed", "phase"]]
        missing = planned - set(seen.itertuples(index=False, name=None))
        return len(planned), len(missing)

    def unobserved(self, why: str) -> str:
        """Why nothing observed can be shown: `why`, but where runs diverged before a first observation could be made."""
        planned, missing = self._to_observe
        if not missing:
            return why
        return f"nothing of it was observed; of {planned} phases that were to be, training diverged before {missing} could"

    def facts(self, network: str) -> dict[str, Any]:
        """The facts of the first run of a network: layers and parameters are those of all its runs."""
        return self.trained(network, self.arms[0])["facts"]

    def trained(self, network: str, arm: str) -> dict[str, Any]:
        """The record of the last phase of the first run of an arm."""
        run = self.runs.query("network == @network and arm == @arm").iloc[0]
        return next(
            record
            for record in self.provenance["records"].values()
            if record["fingerprint"] == run["fingerprint"]
        )

    def phases(self, network: str, arm: str) -> list[dict[str, Any]]:
        """The records of all phases of the first run of an arm, the last one first."""
        record, found = self.trained(network, arm), []
        while record:
            if record["step"] != "quantize":
                found.append(record)
            record = self.provenance["records"].get(record["parents"].get("start"))
        return found

    @cached_property
    def evidence(self) -> Evidence:
        """The runs as claims are judged by them."""
        rows = self.runs.astype(object).where(self.runs.notna(), None).to_dict("records")
        levels = Levels.model_validate(self.parameters["statistics"])
        layers = self.settings["layers"]
        return Evidence(rows, [], [], [], layers, levels, self.metrics, self.item)

    def trace(self, title: str) -> str:
        """The lineage of the summary as a tree, headed by what was made from it."""
        return tree(self.provenance, title)


def interval(
    values: pd.Series, confidence: float, ends: tuple[float, float] | None = None
) -> tuple[int, float, float, float]:
    """n, mean, and the ends of its interval, see `interval_within`; NaN where there are too few values."""
    found = interval_within(list(values.dropna().astype(float)), confidence, ends)
    mean, low, high = (
        np.nan if value is None else value for value in (found.mean, found.low, found.high)
    )
    return found.n, mean, low, high
