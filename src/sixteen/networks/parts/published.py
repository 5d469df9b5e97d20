"""Published weights that a network begins from: a safetensors file that you put into data/weights, read tensor by tensor."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field
from safetensors import SafetensorError, safe_open

from sixteen.entry import Entry, Sha256
from sixteen.errors import UserError

if TYPE_CHECKING:
    import keras

FOLDER = "data/weights"


class Published(Entry):
    """The file of that name in data/weights; `sha256` is null until you have said which one you mean.

    The digest is part of the fingerprint of each run of the network.
    """

    file: Annotated[
        str,
        Field(
            pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]*\.safetensors\z",
            description="a name that ends in .safetensors",
        ),
    ]
    sha256: Sha256 | None

    @property
    def place(self) -> str:
        """Where the file is, from the top of the project."""
        return f"{FOLDER}/{self.file}"


class Tensors:
    """The tensors of a published file that is opened for reading."""

    def __init__(self, path: Path, opened: Any) -> None:
        self.path, self.opened, self.unused = path, opened, set(opened.keys())

    def read(self, *names: str) -> np.ndarray:
        """The tensor of the first of these names that is there, float32. UserError for none, or another format."""
        name = next((name for name in names if name in self.unused), None)
        if name is None:
            raise UserError(
                f"expected the tensor {' or '.join(names)} in {self.path}, came none; put weights of the same network there"
            )
        self.unused.remove(name)
        tensor = self.opened.get_tensor(name)
        if tensor.dtype != np.float32:
            raise UserError(
                f"expected {name} of {self.path} in float32, came {tensor.dtype}; convert the file"
            )
        return tensor

    def give(self, variable: "keras.Variable", tensor: np.ndarray, name: str) -> None:
        """Put a tensor into a variable, rounded to its format. UserError for another shape."""
        import keras

        if tensor.shape != tuple(variable.shape):
            raise UserError(
                f"expected {name} of {self.path} for {list(variable.shape)} numbers, came {list(tensor.shape)}; put weights of "
                "the same network there, or mend the network or its dataset in params.yaml"
            )
        variable.assign(keras.ops.cast(tensor, variable.dtype))

    def leave(self, prefixes: Iterable[str]) -> list[str]:
        """The names that nothing has read. UserError if one of them begins with none of these prefixes."""
        left = sorted(self.unused)
        if other := next((name for name in left if not name.startswith(tuple(prefixes))), None):
            raise UserError(
                f"expected no tensor in {self.path} but those of the network and of {', '.join(prefixes)}, came {other}; put "
                "weights of the same network there"
            )
        return left


def opened(path: Path) -> Any:
    """Open a safetensors file, as a context. UserError if it can't be read as one."""
    try:
        return safe_open(path, framework="numpy")
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"expected a safetensors file at {path}, came one that can't be read as such ({error}); fetch it again"
        ) from error


def check(published: Published, path: Path) -> None:
    """UserError if the file at `path` isn't the one that is meant, or if nobody has said which one that is."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if published.sha256 is None:
        raise UserError(
            f"expected the sha256 of {published.file} in params.yaml, came null; the file at {path} has {found}: write that under "
            "`weights` of the network if it is the one you mean"
        )
    if published.sha256 != found:
        raise UserError(
            f"expected {path} with sha256 {published.sha256}, came {found}; put the right file there, or mend the sha256 under "
            "`weights` of the network if another is meant"
        )
