"""Pack what a machine needs that has Python, Keras and a backend alone: code, frozen plans, data, finished runs."""

import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import sixteen
from sixteen.bundles import contents
from sixteen.bundles.run import SCRIPTS
from sixteen.errors import UserError
from sixteen.lineage import machine, record
from sixteen.lineage.places import PRIVATE
from sixteen.lineage.plan import Plan
from sixteen.lineage.steps import PLANS, Run

MAIN = "import sys\n\nfrom sixteen.bundles.bare import main\n\nmain(sys.path[0])\n"


def pack(plan: Plan, studies: list[str], path: Path) -> str:
    """Write a bundle of what studies have yet to train, cast, observe and time; returns what is in it, to be read.

    Raises UserError where nothing is to be done, or what the runs start from isn't there, and for a path where another
    file stands.
    """
    _expect_free(path)
    planned = {run.path: run for study in studies for run in plan.study(study)}
    open_ = {at: run for at, run in planned.items() if not (plan.root / run.record).exists()}
    todo = [run for run in open_.values() if run.step in SCRIPTS]
    if not todo:
        raise UserError(
            f"nothing of {', '.join(studies)} is left to train, observe or time: `snakemake` makes the rest"
        )
    needed = sorted(
        {at for run in todo for at in run.parents.values()} - {run.path for run in todo}
    )
    if missing := " ".join(f"{at}/{record.NAME}" for at in needed if at in open_):
        raise UserError(
            f"expected the data that is trained on to be prepared, it isn't yet: call `snakemake --cores all -- {missing}`"
        )
    sources = {place for run in todo for place in run.sources.values()}
    if absent := " ".join(sorted(place for place in sources if not (plan.root / place).is_file())):
        raise UserError(f"expected {absent}, found nothing there: put it there by hand")
    plan.freeze()
    backends = sorted({name for run in todo for name in run.backends})
    packed = datetime.now(UTC).isoformat(timespec="seconds")
    about = {
        "to_run": [run.fingerprint for run in todo],
        "studies": studies,
        "backends": backends,
        "source": {**machine.source(plan.root), "packed": packed},
    }
    with tempfile.NamedTemporaryFile("w", suffix=".py") as main:
        main.write(MAIN)
        main.flush()
        files = {"__main__.py": Path(main.name), **_code(plan.root), **_of(plan.root, todo, needed)}
        contents.write(path, files, about)
    return (
        f"{path}: {path.stat().st_size / 1e6:,.1f} MB, {len(todo)} runs to make with {' and '.join(backends)}, and "
        f"{len(needed)} that they start from. There: `python {path.name} --minutes N`, here then `sixteen take`."
    )


def _expect_free(path: Path) -> None:
    """Refuse a path that names no zip, or one that stands there and is no bundle: a slip would replace it."""
    if path.suffix != ".zip" or path.is_dir():
        raise UserError(f"expected a file to write whose name ends with .zip, came {str(path)!r}")
    if path.exists():
        try:
            with contents.opened([path]):
                pass
        except UserError:
            raise UserError(
                f"{path} is there and is no bundle: give another name, or move it away"
            ) from None


def _code(root: Path) -> dict[str, Path]:
    """The package, so that Python finds it at the top of the bundle, and the scripts of rules."""
    package = Path(sixteen.__file__).parent
    found = {
        f"sixteen/{file.relative_to(package).as_posix()}": file for file in package.rglob("*.py")
    }
    return dict(sorted(found.items())) | {script: root / script for script in SCRIPTS.values()}


def _of(root: Path, todo: list[Run], needed: list[str]) -> dict[str, Path]:
    """Frozen plans, finished runs that others start from, and the checkpoints of unfinished ones."""
    folders: Iterable[Path] = [
        *(root / at for at in needed),
        *(root / PRIVATE / "scratch" / run.fingerprint for run in todo),
    ]
    files = [root / PLANS / f"{run.fingerprint}.json" for run in todo]
    files += [root / place for run in todo for place in run.sources.values()]  # published weights
    files += [file for folder in folders for file in record.files_in(folder)]
    return {file.relative_to(root).as_posix(): file for file in files}
