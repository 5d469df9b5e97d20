"""The code of a job, held from its first moment: what it imports later, and what processes that it starts import, is that.

A job imports late, waits hours for a device, and trains for hours more. An edit on disk meanwhile, and its revert, must
neither reach what it computes nor escape its record. So all modules of this package are read at once, and imported
from what was read. Bytecode is left out: Python tells by second and size whether it is that of a source.
"""

import shutil
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

PACKAGE = __name__.partition(".")[0]
FOLDER = Path(__file__).parents[1]


class Source(NamedTuple):
    """The text of a module and where it was read."""

    text: bytes
    file: Path


sources: dict[str, Source] = {}  # by module; empty in a process that holds nothing


class _Loader(SourceFileLoader):
    def get_data(self, path: str) -> bytes:
        return sources[self.name].text

    def path_stats(self, path: str) -> dict[str, float]:
        raise OSError  # so that no bytecode is written: it would be taken for that of what is on disk


class _Finder:
    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in sources:
            return None
        file = sources[name].file
        folders = [f"{file.parent}"] if file.name == "__init__.py" else None
        loader = _Loader(name, f"{file}")
        return spec_from_file_location(
            name, file, loader=loader, submodule_search_locations=folders
        )


def hold() -> None:
    """Read all modules of this package; what is imported of them from now on is what was read."""
    sources.update(_read())
    sys.meta_path.insert(0, _Finder)


def copy(into: Path) -> Path:
    """Write what is held into a folder, which is made anew; a process that has it in PYTHONPATH imports from there.

    Returns its absolute path. A process that holds nothing copies what is on disk.
    """
    shutil.rmtree(into, ignore_errors=True)
    for source in (sources or _read()).values():
        place = into / source.file.relative_to(FOLDER.parent)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(source.text)
    return into.resolve()


def _read() -> dict[str, Source]:
    found = {}
    for file in FOLDER.rglob("[!.]*.py"):  # an editor's own files are hidden, and may lead nowhere
        parts = file.relative_to(FOLDER.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Source(file.read_bytes(), file)
    return found
