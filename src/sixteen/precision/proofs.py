"""Proof, before the first step, that a model keeps what its precision entry promises."""

import keras

from sixteen.errors import UserError
from sixteen.precision.entry import Precision


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """All layers, also those inside other layers (the dense ones of an attention layer, say)."""
    return model._flatten_layers(include_self=False)


def norms_of(model: keras.Model) -> set[str]:
    """The paths of the parameters and statistics of batch norm."""
    norms = (x for x in layers_of(model) if isinstance(x, keras.layers.BatchNormalization))
    return {variable.path for norm in norms for variable in norm.weights}


def check_dtypes(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, precision: Precision
) -> None:
    """Make sure, before the first step, that every number is stored and computed as the entry promises.

    Looks at the tensors themselves: weights, batch-norm parameters and statistics, all that the optimizer
    keeps for a weight (momentum, Adam's moments, averages: stored like that weight), and at the compute type
    of each layer, with weights or without, at any depth, and of the logits. Raises UserError that names the
    first one that differs.
    """
    norms, stored = norms_of(model), precision.storage
    storage = {
        variable.path: precision.batch_norm if variable.path in norms else stored
        for variable in model.weights
    }
    for variable in model.weights:
        _check(variable.path, storage[variable.path], variable)
    for layer in layers_of(model):
        computes = not isinstance(layer, keras.layers.InputLayer | keras.Model)
        if computes and layer.compute_dtype != precision.compute:
            _differs(f"the arithmetic of {layer.name}", precision.compute, layer.compute_dtype)
    _check_state(model, optimizer, storage)
    for output in model.outputs:
        if output.dtype != precision.compute:
            _differs("the logits", precision.compute, output.dtype)


def _check_state(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, storage: dict[str, str]
) -> None:
    """What the optimizer keeps for a weight must have the format in `storage` of that weight."""
    # Keras names what it keeps for a weight after that weight; the rest are scalars.
    owners = {
        f"{variable.path.replace('/', '_')}_{kind}": (variable.path, kind)
        for variable in model.trainable_variables
        for kind in ("momentum", "velocity", "average", "gradient_accumulator")
    }
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for variable in inner.variables:
        if variable.name in owners:
            path, kind = owners[variable.name]
            _check(f"the {kind} of {path}", storage[path], variable)
        elif len(variable.shape):
            raise UserError(
                f"expected state of the optimizer that belongs to a weight, came {variable.path}; teach "
                "sixteen.precision.proofs what this optimizer keeps"
            )


def _check(name: str, expected: str, variable: keras.Variable) -> None:
    came = keras.backend.standardize_dtype(variable.value.dtype)
    if came != expected:
        _differs(name, expected, came)


def _differs(name: str, expected: str, came: str) -> None:
    raise UserError(
        f"expected {name} in {expected}, came {came}; the network doesn't keep what this precision of "
        "params.yaml promises: give each of its layers the policy that sixteen.precision.policies offers"
    )
