"""Files of tensors with what is said about them: weights, and checkpoints that survive a kill.

They are safetensors: identical runs give identical bytes, and opening one runs no code. Metadata is one
JSON string under one key, because the order of several keys would change from write to write.
"""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sixteen.errors import UserError
from sixteen.files import settle

CHECKPOINT = "checkpoint.safetensors"
DIGEST = "sha256"

log = logging.getLogger("sixteen")


def save(path: Path, tensors: dict[str, np.ndarray], about: dict[str, Any]) -> None:
    """Write tensors and what is said `about` them, so that `path` is whole or absent."""
    partial = path.with_name(f".{path.name}.partial")
    save_file(
        {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()},
        partial,
        metadata={"sixteen": json.dumps(about)},
    )
    settle(partial, path)


def load(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read tensors and what is said about them. Raises UserError if the file is absent or damaged."""
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads(file.metadata()["sixteen"])
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
    except (OSError, SafetensorError, TypeError, KeyError, ValueError) as error:
        raise UserError(
            f"expected tensors in {path}, came a file that can't be read ({error}); remove that file and call "
            "again"
        ) from error


def save_checkpoint(path: Path, tensors: dict[str, np.ndarray], about: dict[str, Any]) -> None:
    """`save` with a digest of all, since no record vouches for a checkpoint, and of whose it is: its folder is named so."""
    save(path, tensors, about | {DIGEST: _digest(path.parent.name, tensors, about)})


def load_checkpoint(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """What `save_checkpoint` wrote; None if there is nothing, or, with a word in the log, if it isn't that any more."""
    if not path.exists():
        return None
    try:
        tensors, about = load(path)
        if about.pop(DIGEST) == _digest(path.parent.name, tensors, about):
            return tensors, about
    except (UserError, KeyError, AttributeError, TypeError):
        pass
    log.warning("the checkpoint %s is damaged or another run's, nothing goes on from there", path)
    return None


def _digest(run: str, tensors: dict[str, np.ndarray], about: dict[str, Any]) -> str:
    """SHA-256 over the name of a run, names, dtypes, shapes and bytes of tensors, and what is said about them."""
    whole = hashlib.sha256(json.dumps([run, about], sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        whole.update(f"{name} {tensor.dtype} {tensor.shape} ".encode())
        whole.update(np.ascontiguousarray(tensor).tobytes())
    return whole.hexdigest()
