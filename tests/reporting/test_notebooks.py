"""Every notebook over a made-up study of its kind: it renders, and its figures have data."""

import json
import re
from pathlib import Path
from typing import Any

import made_up_studies as studies
import nbformat
import pandas as pd
import pytest
from made_up_project import NOTEBOOKS, Project, render
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from sixteen.study.load import load

ARMS: dict[str, dict[str, Any]] = {
    "standalone16": {"arms": studies.STANDALONE, "published": studies.PUBLISHED},
    "mixed": {"arms": studies.MIXED, "factorial": studies.TWO_BY_TWO},
    "switch": {"arms": studies.SWITCH},
    "schedules": {"arms": studies.SCHEDULES, "observe": None},
    "critical": {"arms": studies.DEFICITS, "observe": None},
    "questions": {"arms": studies.ALONG, "along": studies.PLACES, "observe": None},
    "variability": {"arms": studies.FACTORIAL, "factorial": list(studies.FACTORIAL)},
}
CONTINUOUS = {"accuracy-curves", "final-accuracy", "loss-curves", "memory", "largest-batch", "class-accuracy",
              "quantization-error", "speed-float16", "zero-gradients"}  # fmt: skip
OBSERVED = {"casting-error", "gradient-error", "gradient-error-layers", "hessian", "descent", "remainder",
            "lost-updates", "lost-updates-layers", "lost-updates-accuracy", "kinks"}  # fmt: skip
FIGURES = {
    "standalone16": CONTINUOUS - {"quantization-error"} | OBSERVED | {"speed-mixed", "tolerance", "loss-scale"},
    "mixed": CONTINUOUS - {"quantization-error", "speed-float16", "loss-curves"} | OBSERVED
    | {"gradient-exponents", "gradient-exponents-layers", "gradients-below", "loss-scale", "speed-mixed-scaled",
       "speed-float16-unscaled", "effects-accuracy", "effects-loss", "effects-lost-updates",
       "effects-underflowed-gradients"},
    "switch": OBSERVED | {"switch-epoch", "final-accuracy", "accuracy-curves", "loss-curves", "zero-gradients",
                          "class-accuracy"},
    "schedules": {"schedules", "pareto", "selection", "final-accuracy", "accuracy-curves", "loss-curves",
                  "class-accuracy"},
    "critical": {"along-deficit", "schedules", "selection", "final-accuracy", "accuracy-curves", "loss-curves"},
    "questions": {"along", "drift", "final-accuracy", "accuracy-curves", "loss-curves"},
    "variability": {"effects-epoch-sd", "effects-loss-sd", "effects-accuracy", "effects-loss", "final-accuracy",
                    "effects-gradient-error", "effects-lost-updates"},
}  # fmt: skip


def test_a_notebook_names_arms_of_every_study_that_it_is_of() -> None:
    parameters = load(NOTEBOOKS.parent)
    for name, study in parameters.studies.items():
        notebook = nbformat.read(NOTEBOOKS / f"{study.notebook}.ipynb", as_version=4)
        code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        pairs = re.findall(r'\("([^"]+)", "([^"]+)"\)', code)
        assert {arm for pair in pairs for arm in pair} <= set(study.sentences), name


@pytest.mark.parametrize("name", ARMS)
def test_each_notebook_renders_and_every_figure_has_data(tmp_path: Path, name: str) -> None:
    summary = Project(tmp_path).summarize(name, ("resnet8",), 2, **ARMS[name])
    into = render(tmp_path, summary, NOTEBOOKS / f"{name}.ipynb")
    drawn = {path.stem for path in (into / "figures").glob("*.png")}
    assert drawn == FIGURES[name]
    for figure in drawn:
        assert not pd.read_csv(into / "figures" / f"{figure}.csv").empty, figure
    text = (into / "index.html").read_text()
    assert not re.search(r"\bnan\b", re.sub(r"base64,[^\"]*", "", text))


class Lost:
    """Which runs diverge: those of the first arm at one network, those of the last at the other."""

    def __init__(self, arms: dict[str, str]) -> None:
        self.lost = {("resnet8", next(iter(arms))), ("resnet14", list(arms)[-1])}

    def __eq__(self, run: object) -> bool:
        return isinstance(run, tuple) and run[:2] in self.lost

    __hash__ = None


@pytest.mark.parametrize("name", ["continuous16", *ARMS])
def test_an_arm_that_diverged_in_all_seeds_stops_no_page(tmp_path: Path, name: str) -> None:
    told: dict[str, Any] = {"arms": studies.CONTINUOUS} | ARMS.get(name, {})
    told["diverged"] = Lost(told["arms"])
    summary = Project(tmp_path).summarize(name, ("resnet8", "resnet14"), 2, **told)
    into = render(tmp_path, summary, NOTEBOOKS / f"{name}.ipynb")
    text = re.sub(r"base64,[^\"]*", "", (into / "index.html").read_text())
    assert "diverged" in text
    assert not re.search(r"\bnan\b", text)


def test_a_page_about_sequences_does_not_speak_of_images(tmp_path: Path) -> None:
    told = {"task": "classify_sequences", "timed": (("float16", "float32"),), "reach": 0.7}
    project = Project(tmp_path)
    for name, more in {"continuous16": {}, "standalone16": ARMS["standalone16"]}.items():
        summary = project.summarize(name, ("resnet8",), 2, **told, **more)
        into = render(tmp_path, summary, NOTEBOOKS / f"{name}.ipynb", f"into-{name}")
        text = re.sub(r"data:image/png;base64,[^\"]*", "", (into / "index.html").read_text())
        drawn = "".join(path.read_text() for path in (into / "figures").glob("*.svg"))
        assert "200 test sequences" in text and "sequences in a batch" in drawn
        assert not re.findall(r".{20}\bimages?\b.{20}", text)
        assert not re.findall(r"<!-- .*\bimages?\b.* -->", drawn)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_kept_as_it_is_written_and_takes_what_all_share_from_sections(
    path: Path,
) -> None:
    notebook = json.loads(path.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert [cell["id"] for cell in notebook["cells"]] == [
        f"cell-{i}" for i in range(len(notebook["cells"]))
    ]
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
    assert code[0]["metadata"] == {"tags": ["parameters"]}
    text = "".join("".join(cell["source"]) for cell in code)
    for section in ("opening", "verdicts", "statistics", "settings", "records"):
        assert text.count(f"sections.{section}(study)") == 1
    assert code[1]["source"][-1] == "study = Study(Path(summary), Path(output))"


@pytest.mark.parametrize("place", [NOTEBOOKS, NOTEBOOKS.parent], ids=["notebooks", "top"])
def test_run_all_where_there_is_no_report_says_so_in_a_sentence(place: Path) -> None:
    notebook = nbformat.read(NOTEBOOKS / "continuous16.ipynb", as_version=4)
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, resources={"metadata": {"path": str(place)}}).execute()
    [shown] = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    [sentence] = shown["traceback"]
    assert "found none: open reports/<study>/notebook.ipynb" in sentence
    assert "\n" not in sentence
