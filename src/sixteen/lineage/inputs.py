"""What a run reads: where it stands, its bytes by digest, and whether these stayed as they were while it read."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sixteen.errors import UserError
from sixteen.lineage import record
from sixteen.lineage.steps import Run, place_of

State = tuple[int, int, int]  # inode, bytes, and time of change


@dataclass(frozen=True)
class Inputs:
    """The `places` of each role, the digests of all files as `read`, and the `states` that these had before."""

    places: dict[str, Path]
    read: dict[str, str]
    states: dict[str, State | None]

    @contextlib.contextmanager
    def unchanged(self, root: Path, scratch: Path) -> Iterator[None]:
        """Raises UserError where a file has other bytes in the end: its digest is of what was there before.

        What was computed of it goes, with the checkpoints in `scratch`. Files whose state is another are read again, so
        that one that was touched, or replaced by its equal as by `dvc checkout`, is no change.
        """
        try:
            yield
        finally:
            for name, before in self.states.items():
                file = root / place_of(name)
                if _state(file) in (before, None):
                    continue
                if record.sha256_of(file) != self.read[name]:
                    shutil.rmtree(scratch, ignore_errors=True)
                    raise UserError(
                        f"{file} was written to while this run read it, so that what it made is thrown away: leave the file "
                        "alone, and call again"
                    )


def read(run: Run, root: Path) -> Inputs:
    """Where each role's bytes stand, and their digests as read: checked against the parents' records."""
    places = {role: root / path for role, path in run.parents.items()}
    digests: dict[str, str] = {}
    states: dict[str, State | None] = {}
    for path in dict.fromkeys(run.parents.values()):
        outputs = record.of(root, path)["outputs"]
        states |= {f"{path}/{name}": _state(root / path / name) for name in outputs}
        record.intact(root, path)
        digests |= {f"{path}/{name}": output["sha256"] for name, output in outputs.items()}
    for role, source in run.sources.items():
        places[role] = root / place_of(source)
        named = re.findall(r"\$\{?(\w+)", source)
        if missing := [name for name in named if name not in os.environ]:
            raise UserError(
                f"params.yaml gives {source} as the path of this dataset, and that variable isn't set: set it "
                f"to the folder or tar, for example `export {missing[0]}=/data/images.tar`"
            )
        if not places[role].exists():
            raise UserError(f"expected {places[role]}, found nothing there: put it there by hand")
        if places[role].is_file():
            states[source] = _state(places[role])
            digests[source] = record.sha256_of(places[role])
    return Inputs(places, digests, states)


def _state(file: Path) -> State | None:
    with contextlib.suppress(OSError):
        found = file.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
    return None
