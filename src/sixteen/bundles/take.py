"""Bring home what was made elsewhere: each run is checked as its record says, and gets its name last."""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sixteen.bundles import contents
from sixteen.errors import UserError
from sixteen.files import settle
from sixteen.lineage import record
from sixteen.lineage.fingerprint import LENGTH
from sixteen.lineage.locks import exclusive, own
from sixteen.lineage.places import PRIVATE
from sixteen.lineage.plan import Plan
from sixteen.training.tensors import CHECKPOINT, load_checkpoint
from sixteen.training.under_way import REPORTS

# What a bundle may bring: names that lead anywhere else are none of ours.
RUNS = re.compile(rf"(?:{'|'.join(record.ROOTS)})/.+/[0-9a-f]{{{LENGTH}}}")
CHECKPOINTS = re.compile(
    rf"{re.escape(f'{PRIVATE}/scratch')}/(?P<of>[0-9a-f]{{{LENGTH}}})/[^/]+(?:/.+)?"
)


def take(files: list[Path], plan: Plan) -> str:
    """Take the runs, checkpoints and logs of a bundle that `sixteen run` wrote into the project; tells what came.

    A run that is here already stays as it is, and so does a checkpoint that is as far or further. Raises UserError for a run that isn't as its record says, that isn't what
    its fingerprint says, or that started from other bytes than are here; those before it have been taken then.
    While snakemake is at work nothing is taken: it would make what it has planned again.
    """
    root = plan.root
    with own(root, "sixteen take"), contents.opened(files) as bundle:
        made = bundle.listed.made
        if made is None:
            raise UserError(f"expected what `sixteen run` wrote, came {bundle.name}: run it first")
        if strange := [
            path for path in made if not RUNS.fullmatch(path) or ".." in path.split("/")
        ]:
            raise UserError(
                f"expected runs below {' and '.join(record.ROOTS)} in {bundle.name}, came {', '.join(strange)}: don't trust "
                "that bundle"
            )
        taken = [path for path in made if _run(bundle, path, root)]
        begun = _checkpoints(bundle, root)
        bundle.extract([name for name in bundle.listed.files if name.startswith("logs/")], root)
    told = f"{len(taken)} runs taken, {len(made) - len(taken)} were here, {begun} checkpoints of unfinished ones"
    studies = " ".join(bundle.listed.studies)
    return (
        f"{told}. `snakemake --cores all {studies}` makes the rest.{_unplanned(made, plan, bundle)}"
    )


def _unplanned(made: list[str], plan: Plan, bundle: contents.Bundle) -> str:
    """That snakemake won't go on from some of the runs, as a sentence."""
    if not (others := sum(path not in plan.runs for path in made)):
        return ""
    source = bundle.about.get("source")
    commit = source.get("git_commit") if isinstance(source, dict) else None
    return (
        f" {others} of {len(made)} runs aren't planned here, and it makes others in their place: code or parameters are not "
        f"those with which the bundle was packed{f' (git commit {commit})' if commit else ''}; `sixteen why` tells what differs."
    )


@contextlib.contextmanager
def _arriving(top: Path) -> Iterator[Path]:
    """A hidden folder on the file system of its runs, without what a killed call may have left in it."""
    folder = top / ".taken"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(bundle: contents.Bundle, path: str, root: Path) -> bool:
    """Take a run; False where it is here."""
    if (root / path / record.NAME).exists():
        return False
    top = next(top for top in record.ROOTS if path.startswith(f"{top}/"))
    with _arriving(root / top) as into:
        bundle.extract([name for name in bundle.listed.files if name.startswith(f"{path}/")], into)
        kept = _expected(bundle, path, into, root)
        with exclusive(root, kept["fingerprint"], f"the run {path}"):
            if (root / path / record.NAME).exists():  # made meanwhile by a job that was waited for
                return False
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(
                root / path, ignore_errors=True
            )  # Snakemake leaves empty folders of outputs
            settle(into / path, root / path)
    return True


def _expected(bundle: contents.Bundle, path: str, into: Path, root: Path) -> dict[str, Any]:
    """The record of a run that has arrived, if it is what it says and started from what is here."""
    try:
        kept = record.intact(into, path)
    except UserError as error:
        # It names a place that is about to go, and says what to do about runs that are here.
        found = f"{error}".partition(": ")[0].replace(f"{into}/", "")
        raise UserError(
            f"expected the run {path} in {bundle.name} as it was made, came another: {found}; copy the bundle again, and if "
            "that doesn't help don't trust it"
        ) from None
    named = {f"{path}/{name}" for name in (record.NAME, *kept["outputs"])}
    if strange := sorted({n for n in bundle.listed.files if n.startswith(f"{path}/")} - named):
        raise UserError(
            f"expected of the run {path} in {bundle.name} the files that its record names, came {', '.join(strange)} too: don't "
            "trust that bundle"
        )
    for parent in dict.fromkeys(kept["parents"].values()):
        try:
            outputs = record.of(root, parent)["outputs"]
        except UserError as error:
            raise UserError(f"{path} of {bundle.name} stands on another run: {error}") from None
        for name, output in outputs.items():
            if kept["inputs"].get(f"{parent}/{name}") != output["sha256"]:
                raise UserError(
                    f"{path} of {bundle.name} started from another {parent}/{name} than is here: pack again, and run "
                    "that"
                )
    return kept


def _checkpoints(bundle: contents.Bundle, root: Path) -> int:
    """Take what unfinished runs left, where it is further than what such a run has left here."""
    begun: dict[str, list[str]] = {}
    for name in bundle.listed.files:
        if found := CHECKPOINTS.fullmatch(name):
            begun.setdefault(found["of"], []).append(name)
    taken = 0
    for fingerprint, names in begun.items():
        place = f"{PRIVATE}/scratch/{fingerprint}"
        with (
            _arriving(root / PRIVATE) as into,
            exclusive(root, fingerprint, f"the run {fingerprint}"),
        ):
            bundle.extract(names, into)
            if reached(into / place) > reached(root / place):
                shutil.rmtree(root / place, ignore_errors=True)
                (root / place).parent.mkdir(exist_ok=True)
                settle(into / place, root / place)
                taken += 1
    return taken


def reached(scratch: Path) -> tuple[int, int]:
    """The epochs of a checkpoint, and the steps of the next one; (-1, 0) for what a training would begin anew from."""
    if (kept := load_checkpoint(scratch / CHECKPOINT)) is None:
        return -1, 0
    tensors, about = kept
    epochs = about.get("epochs_done")
    return (epochs, len(tensors.get(REPORTS, ()))) if isinstance(epochs, int) else (-1, 0)
