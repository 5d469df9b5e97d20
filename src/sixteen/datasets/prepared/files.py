"""One file a prepared dataset: its arrays as tensors, the rest as JSON in the metadata."""

import json
import mmap
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
        """The prepared dataset in `folder`. Raises UserError if there is none or it is damaged.

        Its arrays can't be written to, and lie in the file until they are looked at.
        """
        path = folder / FILE_NAME
        names = [field.name for field in fields(cls)]
        try:
            with safe_open(path, framework="numpy") as file:  # which looks whether all is there
                about = json.loads(file.metadata()["sixteen"])
            held = _mapped(path)
            held |= {name: tuple(value) for name, value in about.items() if name in names}
            return cls(**{name: held[name] for name in names})
        except (OSError, SafetensorError, TypeError, KeyError) as error:
            raise UserError(
                f"expected a prepared dataset at {path}, came a file that cannot be read as one "
                f"({error}); run prepare again"
            ) from error


def _mapped(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a sound file of safetensors as views of it.

    The library copies each. Where they are moved to a device they would stay in memory twice, and once more for each
    training beside; of a file in view the system keeps one copy, and drops what it needs room for.
    """
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
        described = json.loads(file.read(header))
        content = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    del described["__metadata__"]
    tensors = {}
    for name, tensor in described.items():
        first, end = (8 + header + offset for offset in tensor["data_offsets"])
        kind, bits = tensor["dtype"][0].lower(), int(tensor["dtype"][1:])  # as I32
        tensors[name] = content[first:end].view(f"<{kind}{bits // 8}").reshape(tensor["shape"])
    return tensors
