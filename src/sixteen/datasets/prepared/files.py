"""One file a prepared dataset: its arrays as tensors, the rest as JSON in the metadata."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sixteen.errors import UserError

FILE_NAME = "dataset.safetensors"


@dataclass(frozen=True)
class Prepared:
    """What every form can: be written into a folder, and be read from there.

    A form is a dataclass of arrays, and of tuples of strings or numbers.
    """

    def save(self, folder: Path) -> None:
        """Write the dataset into `folder`: equal datasets give the same bytes."""
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        tensors = {name: value for name, value in held.items() if isinstance(value, np.ndarray)}
        about = {name: value for name, value in held.items() if name not in tensors}
        # One key: safetensors writes several in an order that changes from run to run.
        save_file(tensors, folder / FILE_NAME, metadata={"sixteen": json.dumps(about)})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the prepared dataset in `folder`. Raises UserError if there is none or it is damaged."""
        path = folder / FILE_NAME
        names = [field.name for field in fields(cls)]
        try:
            with safe_open(path, framework="numpy") as file:
                about = json.loads(file.metadata()["sixteen"])
                held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            held |= {name: tuple(value) for name, value in about.items() if name in names}
            return cls(**{name: held[name] for name in names})
        except (OSError, SafetensorError, TypeError, KeyError) as error:
            raise UserError(
                f"expected a prepared dataset at {path}, came a file that cannot be read as one "
                f"({error}); run prepare again"
            ) from error
