"""Cheap stand-in for the report: its files, without papermill."""

import json
import shutil
from pathlib import Path
from typing import Any

from sixteen.reporting.provenance import collect


def report(
    parameters: dict[str, Any], inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Leave the files of a report."""
    (into / "index.html").write_text(f"<title>{parameters['title']}</title>")
    (into / "notebook.ipynb").write_text("{}")
    (into / "provenance.json").write_text(json.dumps(collect(inputs["summary"])))
    (into / "tables").mkdir()
    shutil.copy(inputs["summary"] / "claims.json", into / "tables")
    return {}
