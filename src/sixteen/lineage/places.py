"""Where a project keeps what it makes, and whether folders may stand there."""

import os
from collections.abc import Iterable
from pathlib import Path

from sixteen.errors import UserError

PRIVATE = Path(".sixteen")
BUNDLE = f"{PRIVATE}/bundle.json"  # what a bundle says of itself, there and where it was unpacked
KEPT = ("data/prepared", "results", "reports")


def expect_folders(places: Iterable[Path]) -> None:
    """Raises UserError if a file, or a link to nowhere, stands at one of the places or above it."""
    known: set[str] = {""}
    for place in places:
        above = f"{place}"
        while above not in known:
            known.add(above)
            above = os.path.dirname(above)
    for folder in sorted(known):
        if os.path.lexists(folder) and not os.path.isdir(folder):
            came = "a file" if os.path.exists(folder) else "a link to nowhere"
            raise UserError(
                f"expected a folder at {folder}, came {came}: move it away, then call again"
            )
