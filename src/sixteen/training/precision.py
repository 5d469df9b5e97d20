"""What a precision entry of `params.yaml` promises, as Keras dtype policies, and proof that it is kept.

The fields:
- `compute`: format of activations, of their gradients and of the arithmetic between them.
- `master_weights`: weights and optimizer state are stored in float32 and cast for each use, so that small
  updates aren't lost (arXiv:1710.03740, section 3.1). Without, both are stored, and the update is computed,
  in the compute type (arXiv:2305.10947).
- `batch_norm`: storage of batch-norm parameters and statistics. Of its own because Keras 2, which
  arXiv:2311.18587 and arXiv:2305.10947 ran, kept them in float32 even under floatx float16, whereas Keras 3
  stores them like any other variable: a float16 moving average with momentum 0.99 doesn't move for
  differences below about 3 %.
- `loss`: format of softmax, logarithm and the mean over the batch.
- `loss_scale`: see `sixteen.training.optimizers`.

Where sums are accumulated (arXiv:1710.03740, section 3.3) can be chosen for the loss alone. Inside a matrix
product, a convolution or a sum over a tensor, the backend decides, and neither Keras nor XLA offers a switch:
XLA on CPUs adds 16-bit numbers in float32 and rounds the result once, in every precision here (measured in
tests/training/test_accumulation.py); a GPU may do otherwise. The arithmetic of batch and layer normalisation
is float32 in Keras, whatever their storage.
"""

from typing import Any

import keras

from sixteen.errors import UserError
from sixteen.precision import storage_of


def policies(precision: dict[str, Any]) -> tuple[keras.DTypePolicy, keras.DTypePolicy]:
    """The policies of an entry: that of layers, and that of batch normalisation."""
    compute = precision["compute"]
    return _policy(compute, storage_of(precision)), _policy(compute, precision["batch_norm"])


def _policy(compute: str, storage: str) -> keras.DTypePolicy:
    if storage == compute:
        return keras.DTypePolicy(compute)
    if storage == "float32":
        return keras.DTypePolicy(f"mixed_{compute}")
    raise UserError(
        f"expected storage in float32 or in the compute type {compute}, came {storage}; correct "
        "`batch_norm` of this precision in params.yaml"
    )


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """All layers, also those inside other layers (the dense ones of an attention layer, say)."""
    return model._flatten_layers(include_self=False)


def norms_of(model: keras.Model) -> set[str]:
    """The paths of the parameters and statistics of batch norm."""
    norms = (x for x in layers_of(model) if isinstance(x, keras.layers.BatchNormalization))
    return {variable.path for norm in norms for variable in norm.weights}


def check_dtypes(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, precision: dict[str, Any]
) -> None:
    """Make sure, before the first step, that every number is stored and computed as the entry promises.

    Looks at the tensors themselves: weights, batch-norm parameters and statistics, all that the optimizer
    keeps for a weight (momentum, Adam's moments, averages: stored like that weight), and at the compute type
    of each layer, with weights or without, at any depth, and of the logits. Raises UserError that names the
    first one that differs.
    """
    norms, stored = norms_of(model), storage_of(precision)
    storage = {
        variable.path: precision["batch_norm"] if variable.path in norms else stored
        for variable in model.weights
    }
    for variable in model.weights:
        _check(variable.path, storage[variable.path], variable)
    for layer in layers_of(model):
        computes = not isinstance(layer, keras.layers.InputLayer | keras.Model)
        if computes and layer.compute_dtype != precision["compute"]:
            _differs(f"the arithmetic of {layer.name}", precision["compute"], layer.compute_dtype)
    # Keras names what it keeps for a weight after that weight; the rest are scalars.
    owners = {
        f"{variable.path.replace('/', '_')}_{kind}": (variable.path, kind)
        for variable in model.trainable_variables
        for kind in ("momentum", "velocity", "average")
    }
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for variable in inner.variables:
        if variable.name in owners:
            path, kind = owners[variable.name]
            _check(f"the {kind} of {path}", storage[path], variable)
        elif len(variable.shape):
            raise UserError(
                f"expected state of the optimizer that belongs to a weight, came {variable.path}; teach "
                "sixteen.training.precision what this optimizer keeps"
            )
    for output in model.outputs:
        if output.dtype != precision["compute"]:
            _differs("the logits", precision["compute"], output.dtype)


def _check(name: str, expected: str, variable: keras.Variable) -> None:
    came = keras.backend.standardize_dtype(variable.value.dtype)
    if came != expected:
        _differs(name, expected, came)


def _differs(name: str, expected: str, came: str) -> None:
    raise UserError(
        f"expected {name} in {expected}, came {came}; the network doesn't keep what this precision of "
        "params.yaml promises: give each of its layers the policy that sixteen.training.precision offers"
    )
