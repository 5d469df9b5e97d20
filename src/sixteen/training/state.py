"""What a run leaves and what it can go on from: weights by name, and checkpoints that survive a kill.

Both are safetensors: identical runs give identical bytes, and opening one runs no code. Metadata is one
JSON string under one key, because the order of several keys would change from write to write.
"""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sixteen.errors import UserError
from sixteen.files import settle
from sixteen.precision.quantizers import RANGE
from sixteen.tasks.parts.carried import CARRIED

WEIGHTS = "weights.safetensors"
CHECKPOINT = "checkpoint.safetensors"
DIGEST = "sha256"

log = logging.getLogger("sixteen")


def weights_of(model: keras.Model) -> dict[str, np.ndarray]:
    """Weights and statistics as stored, by the names that the network gives its layers; nothing that is carried."""
    return {variable.path: variable.numpy() for variable in _kept(model)}


def carried_by(model: keras.Model) -> list[keras.Variable]:
    """Variables that hold what the model carries from batch to batch."""
    return [variable for variable in model.weights if variable.name.startswith(CARRIED)]


def _kept(model: keras.Model) -> list[keras.Variable]:
    return [variable for variable in model.weights if not variable.name.startswith(CARRIED)]


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
    """`save` with a digest of all, since no record vouches for a checkpoint."""
    save(path, tensors, about | {DIGEST: _digest(tensors, about)})


def load_checkpoint(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """What `save_checkpoint` wrote; None if there is nothing, or, with a word in the log, if it isn't that any more."""
    if not path.exists():
        return None
    try:
        tensors, about = load(path)
        if about.pop(DIGEST) == _digest(tensors, about):
            return tensors, about
    except (UserError, KeyError, AttributeError):
        pass
    log.warning("the checkpoint %s is damaged: training begins anew", path)
    return None


def _digest(tensors: dict[str, np.ndarray], about: dict[str, Any]) -> str:
    """SHA-256 over names, dtypes, shapes and bytes of tensors, and over what is said about them."""
    whole = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        whole.update(f"{name} {tensor.dtype} {tensor.shape} ".encode())
        whole.update(np.ascontiguousarray(tensor).tobytes())
    return whole.hexdigest()


def load_weights(model: keras.Model, path: Path) -> None:
    """Give a model the weights of an earlier run; a narrower type is widened, which is exact.

    Ranges of quantized inputs aren't weights: they begin anew where the earlier run has none, and are left behind where
    the model has none.
    Raises UserError for a tensor that is missing, left over, of another shape, or that storage of the
    model would round.
    """
    tensors, _ = load(path)
    for variable in _kept(model):
        tensor = tensors.pop(variable.path, None)
        if tensor is None and _is_range(variable.path):
            continue
        if tensor is None:
            raise UserError(
                f"expected the tensor {variable.path} in {path}, came none; start from a run of the same "
                "network"
            )
        if tensor.shape != variable.shape:
            raise UserError(
                f"expected {variable.path} of shape {tuple(variable.shape)}, came {tensor.shape} in {path}; "
                "start from a run of the same network and dataset"
            )
        if not np.can_cast(tensor.dtype, variable.numpy().dtype, "safe"):
            raise UserError(
                f"expected {variable.path} in {variable.dtype} or a type that it holds exactly, came "
                f"{tensor.dtype} in {path}; put a quantized-to-<precision> phrase before this one"
            )
        variable.assign(tensor)
    if tensors := [name for name in tensors if not _is_range(name)]:
        raise UserError(
            f"expected no tensor but those of the network, came {min(tensors)} in {path}; start from a run "
            "of the same network"
        )


def _is_range(name: str) -> bool:
    return name.rpartition("/")[2] == RANGE


def snapshot(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> dict[str, np.ndarray]:
    """All that a step changes: weights, statistics, random states, momentum, counters, loss scale."""
    return {name: variable.numpy() for name, variable in _everything(model, optimizer).items()}


def restore(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, tensors: dict[str, np.ndarray]
) -> None:
    """Set all that `snapshot` took."""
    for name, variable in _everything(model, optimizer).items():
        variable.assign(tensors[name])


def _everything(
    model: keras.Model, optimizer: keras.optimizers.Optimizer
) -> dict[str, keras.Variable]:
    # Numbered, because Keras counts the names of optimizers and random states up within a process.
    groups = {"model": model.variables, "optimizer": optimizer.variables}
    return {
        f"{group}/{number}": variable
        for group, variables in groups.items()
        for number, variable in enumerate(variables)
    }
