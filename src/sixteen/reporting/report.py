"""The step ``report``: a notebook run over a summary, as a page that needs nothing else.

The folder is the same byte for byte whenever it is made anew: it holds no time, no duration, no random
identifier and no path of the machine.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import matplotlib
import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from nbconvert import HTMLExporter
from papermill.exceptions import PapermillExecutionError

from sixteen.entry import Entry, Name, Text
from sixteen.errors import UserError
from sixteen.files import write_json
from sixteen.lineage import fingerprint, held
from sixteen.reporting import provenance, tracked
from sixteen.reporting.contents import arrange
from sixteen.reporting.page import page
from sixteen.reporting.study import Study

# Relative to the folder of the report, in which the notebook runs: it runs there again wherever the folder
# is copied to, and no path of this machine is in it.
NOTEBOOK_PARAMETERS = {"summary": "tables", "output": "."}


class Report(Entry):
    """What the step `report` reads.

    `papers` holds what each paper ran, settings by the way in which it is cited; `cells` the digest of the cells of the
    notebook of that name.
    """

    study: Name
    title: Text
    papers: dict[Text, dict[Text, Text]]
    notebook: Name
    cells: Text


def report(
    parameters: Report, inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Run ``inputs["notebook"]`` over the summary in ``inputs["summary"]`` and render it to HTML.

    Both are copied first, and so is the code that the notebook imports: what is on disk may be edited meanwhile.
    Writes index.html, notebook.ipynb, metrics.json, curves.csv, papers.json, provenance.json, figures/ and tables/
    into ``into``. Raises UserError if the notebook isn't that of the plan, doesn't know a parameter or a cell fails; ``into`` stays empty then,
    and the notebook as far as it came stays in ``scratch``. Returns ``{"figures": count}``.
    """
    summary, work = inputs["summary"], scratch / "report"
    shutil.rmtree(work, ignore_errors=True)
    (work / "tables").mkdir(parents=True)
    notebook = _planned(inputs["notebook"], parameters.cells, scratch)
    for path in sorted(
        [*summary.glob("*.csv"), summary / "claims.json", summary / "settings.json"]
    ):
        shutil.copyfile(path, work / "tables" / path.name)
    write_json(work / "papers.json", parameters.papers)
    lineage = provenance.collect(summary)
    _write(work / "provenance.json", json.dumps(lineage, indent=1, ensure_ascii=False) + "\n")

    study = Study(work / "tables", work)
    write_json(work / "metrics.json", tracked.metrics(study))
    tracked.curves(study).to_csv(work / "curves.csv", index=False)

    executed = _normalise(_execute(notebook, work, held.copy(scratch / "code")))
    executed.metadata["title"] = parameters.title
    _write(work / "notebook.ipynb", nbformat.writes(executed) + "\n")
    _write(work / "index.html", _html(executed, parameters.title))
    for path in sorted(work.iterdir()):
        shutil.move(path, into / path.name)
    return {"figures": len(list((into / "figures").glob("*.png")))}


def _kernel_manager(folder: str, code: Path) -> type[AsyncKernelManager]:
    """A kernel that imports from ``code`` and talks through files in ``folder``: reports made at once don't race for ports."""

    class KernelManager(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options, transport="ipc", connection_file=f"{folder}/kernel.json")

        async def _async_start_kernel(self, **options: Any) -> None:
            search = os.pathsep.join(filter(None, (f"{code}", os.environ.get("PYTHONPATH"))))
            # What the user has set for Matplotlib and IPython would change the bytes of the report.
            own = {"MATPLOTLIBRC": matplotlib.get_data_path(), "IPYTHONDIR": f"{folder}/ipython"}
            await super()._async_start_kernel(
                **options, env={**os.environ, **own, "PYTHONPATH": search}
            )

        start_kernel = _async_start_kernel

    return KernelManager


def _planned(notebook: Path, cells: str, scratch: Path) -> Path:
    """A copy of the notebook, if it is that of the plan and knows the parameters."""
    copied = scratch / notebook.name
    shutil.copyfile(notebook, copied)
    if fingerprint.notebook_digest(copied) != cells:
        raise UserError(
            f"{notebook} changed since its report was planned: start snakemake anew, it plans with the notebook as it is"
        )
    _check_parameters(copied)
    return copied


def _check_parameters(notebook: Path) -> None:
    known = set(papermill.inspect_notebook(_literal(notebook)))
    if unknown := sorted(set(NOTEBOOK_PARAMETERS) - known):
        raise UserError(
            f"expected notebook {notebook.name} to have the parameters {sorted(NOTEBOOK_PARAMETERS)} in a cell "
            f"tagged `parameters`, it doesn't know {unknown}: add them there"
        )


def _execute(notebook: Path, work: Path, code: Path) -> nbformat.NotebookNode:
    partial = work / "notebook.ipynb"
    # A short path on a local disk, since the name of a socket has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="sixteen-") as sockets:
        try:
            return papermill.execute_notebook(
                _literal(notebook.resolve()),
                _literal(partial.resolve()),
                parameters=NOTEBOOK_PARAMETERS,
                kernel_name="python3",
                cwd=str(work),
                progress_bar=False,
                request_save_on_cell_execute=False,
                kernel_manager_class=_kernel_manager(sockets, code),
            )
        except PapermillExecutionError as error:
            raise UserError(
                f"expected notebook {notebook.name} to run to its end, its cell {error.exec_count} stopped with "
                f"{error.ename}: {error.evalue}; mend it, {partial} shows how far it came"
            ) from None


def _literal(path: Path) -> str:
    """A path as papermill takes it, which puts parameters in place of names in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _normalise(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop what differs between two runs: times, durations, random identifiers, paths."""
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
    return notebook


def _html(notebook: nbformat.NotebookNode, title: str) -> str:
    """The notebook without its code, in the style of the house: no script, no font, no request."""
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        embed_images=True,
    )
    rendered, _ = exporter.from_notebook_node(notebook)
    body, contents = arrange(rendered)
    return page(title, body, contents)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
