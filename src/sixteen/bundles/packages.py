"""What runs need on any machine; imports none of it."""

import importlib.util
import sys

from sixteen.errors import UserError

PACKAGES = ("PIL", "keras", "ml_dtypes", "numpy", "pydantic", "safetensors", "tqdm")


def expect_packages(*backends: str) -> None:
    """Raises UserError if a package that runs need, or a backend, isn't there."""
    needed = (*PACKAGES, *backends)
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        raise UserError(
            f"expected {', '.join(needed)} in {sys.executable}, found no {', '.join(missing)}: install what is missing "
            "from wheels (`pip download` where there is a network), or pack with another `backend` (or `machines`) in params.yaml"
        )
