"""The step ``report``: one report of two networks and three seeds, made twice, and reports that fail."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from made_record import settled
from made_up_project import NOTEBOOKS, Project, render
from made_up_training import DEVICE
from PIL import Image

from sixteen.errors import UserError
from sixteen.reporting.publish import publish

NOTEBOOK = NOTEBOOKS / "continuous16.ipynb"
FIGURES = ["accuracy-curves", "casting-error", "class-accuracy", "descent", "final-accuracy", "gradient-error",
           "gradient-error-layers", "hessian", "kinks", "largest-batch", "loss-curves", "lost-updates",
           "lost-updates-accuracy", "lost-updates-layers", "memory", "quantization-error", "remainder",
           "speed-float16", "step-times", "time-to-accuracy", "zero-gradients"]  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Root of a project, and the summary in it."""
    root = tmp_path_factory.mktemp("project")
    return root, Project(root).summarize(
        "demo",
        ("resnet8", "resnet14"),
        3,
        observe="last",
        timed=(("float16", "float32"),),
        reach=0.7,
    )


@pytest.fixture(scope="module")
def reported(project: tuple[Path, Path]) -> Path:
    """The folder of the report."""
    return render(*project, NOTEBOOK, "first")


def _files(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_each_figure_comes_with_its_data_and_its_lineage(reported: Path) -> None:
    kinds = ("png", "svg", "csv", "trace.txt")
    wanted = {f"{name}.{kind}" for name in FIGURES for kind in kinds}
    assert {path.name for path in (reported / "figures").iterdir()} == wanted


def test_the_same_summary_gives_the_same_bytes(project: tuple[Path, Path], reported: Path) -> None:
    again = render(*project, NOTEBOOK, "second")
    assert _files(again) == _files(reported)


def test_what_the_user_has_set_for_matplotlib_and_ipython_is_not_read(
    project: tuple[Path, Path], reported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, startup = tmp_path / "matplotlibrc", tmp_path / "profile_default" / "startup"
    settings.write_text("font.size: 20\nlines.linewidth: 5\nsavefig.dpi: 33\n")
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("import matplotlib; matplotlib.rcParams['font.size'] = 30\n")
    monkeypatch.setenv("MATPLOTLIBRC", str(settings))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))

    assert _files(render(*project, NOTEBOOK, "third")) == _files(reported)


def test_no_path_of_the_machine_is_in_any_file(project: tuple[Path, Path], reported: Path) -> None:
    for name, content in _files(reported).items():
        assert str(project[0]).encode() not in content, name


def test_a_figure_says_inside_what_it_was_made_from(
    project: tuple[Path, Path], reported: Path
) -> None:
    fingerprint = project[1].name
    with Image.open(reported / "figures" / "speed-float16.png") as image:
        inside = json.loads(image.info["sixteen"])
    assert (inside["figure"], inside["study"], inside["fingerprint"]) == (
        "speed-float16",
        "demo",
        fingerprint,
    )
    assert fingerprint in (reported / "figures" / "speed-float16.svg").read_text()


def test_provenance_reaches_the_dataset(reported: Path) -> None:
    records = json.loads((reported / "provenance.json").read_text())["records"].values()
    steps = [record["step"] for record in records]
    counts = {step: steps.count(step) for step in set(steps)}
    assert counts == {"summarize": 1, "evaluate": 12, "continue_training": 12, "quantize": 6, "train": 6,
                      "observe": 12, "time": 2, "prepare": 1}  # fmt: skip
    trace = (reported / "figures" / "memory.trace.txt").read_text()
    dataset = next(record for record in records if record["step"] == "prepare")
    assert trace.count(dataset["outputs"]["dataset.safetensors"]["sha256"]) == 1


def test_the_page_holds_every_verdict_and_no_code(
    project: tuple[Path, Path], reported: Path
) -> None:
    text = (reported / "index.html").read_text()
    claims = json.loads((project[1] / "claims.json").read_text())["claims"]
    assert len(claims) == 5
    for verdict in {claim["verdict"] for claim in claims}:
        assert f"{verdict}, toy scale</span>" in text
    assert "&lt;in 16 bit&gt;" in text  # what a claim says is text, never markup
    assert DEVICE in text
    assert "read_csv" not in text and "import Path" not in text


def test_one_seed_and_a_diverged_run_are_shown_as_such(tmp_path: Path) -> None:
    project = Project(tmp_path)
    summary = project.summarize("lone", ("resnet156",), 1, diverged=("resnet156", "float16", 0))
    text = (render(tmp_path, summary, NOTEBOOK) / "index.html").read_text()
    assert "One finished seed an arm at most: no interval can be given." in text
    assert "2 runs, of which 1 diverged:" in text
    assert "called 156, really 152 layers" in text
    assert "diverged" in (tmp_path / "into/figures/accuracy-curves.svg").read_text()


def test_a_notebook_that_does_not_know_a_parameter_is_refused(project: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match=r"doesn't know \['output'\]"):
        _changed(project, "unknown", lambda nb: nb.cells[0].update(source='summary = ""'))


def test_a_notebook_that_changed_since_the_plan_is_refused(project: tuple[Path, Path]) -> None:
    with pytest.raises(
        UserError, match=r"continuous16\.ipynb changed since its report was planned"
    ):
        render(*project, NOTEBOOK, "changed", cells="0" * 64)
    assert not list((project[0] / "changed").iterdir())


def test_a_notebook_imports_what_was_held_when_its_report_began(
    project: tuple[Path, Path],
) -> None:
    """And not what is on disk, which may be edited while it runs."""
    cell = "import sixteen\nassert '/scratch/held/code/' in sixteen.__file__"
    _changed(project, "held", lambda nb: nb.cells[1].update(source=f"{nb.cells[1].source}\n{cell}"))


def test_a_failing_cell_is_one_sentence_and_leaves_nothing(project: tuple[Path, Path]) -> None:
    with pytest.raises(UserError) as caught:
        _changed(project, "failing", lambda nb: nb.cells[1].update(source='{}["absent"]'))
    assert "failing.ipynb" in str(caught.value) and "KeyError: 'absent'" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list((project[0] / "failing").iterdir())


def test_a_project_may_stand_in_a_folder_with_braces(project: tuple[Path, Path]) -> None:
    """In which papermill would look for the name of a parameter."""
    _changed(project, "in {braces}", lambda nb: nb.cells.__delitem__(slice(2, None)))
    assert (project[0] / "in {braces}/index.html").exists()


def _changed(
    project: tuple[Path, Path], name: str, change: Callable[[nbformat.NotebookNode], object]
) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    change(notebook)
    path = project[0] / f"{name}.ipynb"
    nbformat.write(notebook, path)
    render(*project, path, name)


def test_a_browser_opens_the_published_pages_and_asks_for_nothing_else(
    reported: Path, tmp_path: Path, read_page: Callable[[Path], int]
):
    folder = "results/demo/summarized/reported"
    shutil.copytree(reported, tmp_path / folder / "new")
    publish(settled(tmp_path, folder, step="report"), tmp_path / "reports", "demo")
    assert read_page(tmp_path / "reports/index.html") == 0
    assert read_page(tmp_path / "reports/demo/index.html") == len(FIGURES)
