"""Bring home what was made elsewhere: each run is checked as its record says, and gets its name last."""

import re
import shutil
import tempfile
from pathlib import Path

from sixteen.bundles import contents
from sixteen.errors import UserError
from sixteen.files import settle
from sixteen.lineage import record
from sixteen.lineage.fingerprint import LENGTH
from sixteen.lineage.locks import exclusive
from sixteen.lineage.places import PRIVATE

# What a bundle may bring: names that lead anywhere else are none of ours.
RUNS = re.compile(rf"(?:{'|'.join(record.ROOTS)})/.+/[0-9a-f]{{{LENGTH}}}")
CHECKPOINTS = re.compile(
    rf"{re.escape(f'{PRIVATE}/scratch')}/(?P<of>[0-9a-f]{{{LENGTH}}})/[^/]+(?:/.+)?"
)


def take(files: list[Path], root: Path) -> str:
    """Take the runs, checkpoints and logs of a bundle that `sixteen run` wrote into the project; tells what came.

    A run that is here already stays as it is. Raises UserError for a run that isn't as its record says, that isn't what
    its fingerprint says, or that started from other bytes than are here; those before it have been taken then.
    """
    (root / PRIVATE).mkdir(exist_ok=True)
    with contents.opened(files) as bundle, tempfile.TemporaryDirectory(dir=root / PRIVATE) as into:
        if "made" not in bundle.about:
            raise UserError(f"expected what `sixteen run` wrote, came {bundle.name}: run it first")
        made = bundle.about["made"]
        if strange := [
            path for path in made if not RUNS.fullmatch(path) or ".." in path.split("/")
        ]:
            raise UserError(
                f"expected runs below {' and '.join(record.ROOTS)} in {bundle.name}, came {', '.join(strange)}: don't trust "
                "that bundle"
            )
        taken = [path for path in made if _run(bundle, path, Path(into), root)]
        begun = _checkpoints(bundle, root)
        logs = [name for name in bundle.digests if name.startswith("logs/")]
        bundle.extract(logs, root)
    told = f"{len(taken)} runs taken, {len(made) - len(taken)} were here, {begun} checkpoints of unfinished ones"
    studies = " ".join(bundle.about["studies"])
    return f"{told}. `snakemake --cores all {studies}` makes the rest."


def _run(bundle: contents.Bundle, path: str, into: Path, root: Path) -> bool:
    """Take a run; False where it is here."""
    if (root / path / record.NAME).exists():
        return False
    bundle.extract([name for name in bundle.digests if name.startswith(f"{path}/")], into)
    kept = record.intact(into, path)
    if not kept["fingerprint"] == path.rpartition("/")[2] == record.fingerprint_in(kept):
        raise UserError(
            f"{path} of {bundle.name} isn't what its fingerprint says: don't trust that bundle"
        )
    for parent in dict.fromkeys(kept["parents"].values()):
        for name, output in record.of(root, parent)["outputs"].items():
            if kept["inputs"].get(f"{parent}/{name}") != output["sha256"]:
                raise UserError(
                    f"{path} of {bundle.name} started from another {parent}/{name} than is here: pack again, and run "
                    "that"
                )
    with exclusive(root, kept["fingerprint"], f"the run {path}"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(root / path, ignore_errors=True)  # Snakemake leaves empty folders of outputs
        settle(into / path, root / path)
    return True


def _checkpoints(bundle: contents.Bundle, root: Path) -> int:
    """Take what unfinished runs left, in place of what such a run has left here."""
    begun: dict[str, list[str]] = {}
    for name in bundle.digests:
        if found := CHECKPOINTS.fullmatch(name):
            begun.setdefault(found["of"], []).append(name)
    for fingerprint, names in begun.items():
        with exclusive(root, fingerprint, f"the run {fingerprint}"):
            shutil.rmtree(root / PRIVATE / "scratch" / fingerprint, ignore_errors=True)
            bundle.extract(names, root)
    return len(begun)
