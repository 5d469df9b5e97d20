"""Cheap stand-in for the report: its files, without papermill. What DVC compares is real."""

import json
import shutil
from pathlib import Path
from typing import Any

from sixteen.entry import Entry
from sixteen.files import write_json
from sixteen.reporting import tracked
from sixteen.reporting.provenance import collect
from sixteen.reporting.study import Study


class Report(Entry):
    """What the step reads."""

    study: str
    title: str
    papers: dict[str, dict[str, str]]
    notebook: str
    cells: str


def report(
    parameters: Report, inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Leave the files of a report."""
    (into / "index.html").write_text(f"<title>{parameters.title}</title>")
    (into / "notebook.ipynb").write_text("{}")
    (into / "papers.json").write_text(json.dumps(parameters.papers))
    (into / "provenance.json").write_text(json.dumps(collect(inputs["summary"])))
    shutil.copytree(
        inputs["summary"], into / "tables", ignore=shutil.ignore_patterns("record.json")
    )
    study = Study(into / "tables", into)
    write_json(into / "metrics.json", tracked.metrics(study))
    tracked.curves(study).to_csv(into / "curves.csv", index=False)
    return {}
