"""The source of each of our modules as this process runs it, whatever becomes of the file afterwards.

A job may wait hours for a device between importing its step and beginning, and trains for hours more. What is on disk
meanwhile, an edit or its revert, says nothing of what was imported.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

PACKAGE = __name__.partition(".")[0]

sources: dict[str, bytes] = {}


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType | None:
        sources[fullname] = self.get_data(self.path)
        return super().get_code(fullname)


class _Finder:
    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] != PACKAGE:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def watch() -> None:
    """Keep the source of what is imported of this package from now on."""
    sys.meta_path.insert(0, _Finder)
