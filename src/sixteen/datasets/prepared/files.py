"""One file a prepared dataset: its arrays as tensors, the rest as JSON in the metadata."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sixteen.errors import UserError

FILE_NAME = "dataset.safetensors"


def save(folder: Path, dataset: Any) -> None:
    """Write a form (a dataclass of arrays, and of tuples of strings or numbers) into `folder`."""
    held = {field.name: getattr(dataset, field.name) for field in dataclasses.fields(dataset)}
    tensors = {name: value for name, value in held.items() if isinstance(value, np.ndarray)}
    about = {name: value for name, value in held.items() if name not in tensors}
    # One key: safetensors writes several in an order that changes from run to run.
    save_file(tensors, folder / FILE_NAME, metadata={"sixteen": json.dumps(about)})


def load(folder: Path, form: type) -> dict[str, Any]:
    """Read the fields of a form from `folder`. Raises UserError if there is none or it is damaged."""
    path = folder / FILE_NAME
    names = [field.name for field in dataclasses.fields(form)]
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads(file.metadata()["sixteen"])
            held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        held |= {name: tuple(value) for name, value in about.items() if name in names}
        return {name: held[name] for name in names}
    except (OSError, SafetensorError, TypeError, KeyError) as error:
        raise UserError(
            f"expected a prepared dataset at {path}, came a file that cannot be read as one "
            f"({error}); run prepare again"
        ) from error
