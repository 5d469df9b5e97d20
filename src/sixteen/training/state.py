"""What a run leaves and what it can go on from: weights by name, and all that a step changes."""

from pathlib import Path

import keras
import numpy as np

from sixteen.errors import UserError
from sixteen.precision.quantizers import RANGE
from sixteen.tasks.parts.carried import CARRIED
from sixteen.training.tensors import load

WEIGHTS = "weights.safetensors"


def weights_of(model: keras.Model) -> dict[str, np.ndarray]:
    """Weights and statistics as stored, by the names that the network gives its layers; nothing that is carried."""
    return {variable.path: variable.numpy() for variable in _kept(model)}


def carried_by(model: keras.Model) -> list[keras.Variable]:
    """Variables that hold what the model carries from batch to batch."""
    return [variable for variable in model.weights if variable.name.startswith(CARRIED)]


def _kept(model: keras.Model) -> list[keras.Variable]:
    return [variable for variable in model.weights if not variable.name.startswith(CARRIED)]


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
