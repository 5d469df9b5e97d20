"""What a precision entry of `params.yaml` promises, as Keras dtype policies, and proof that it is kept.

The fields: `variables` (storage of weights and momentum), `compute` (activations and gradients),
`batch_norm` (storage of batch-norm parameters and statistics; its arithmetic is always float32), `loss`,
and `loss_scale`. Batch-norm storage is a field of its own because Keras 2, which arXiv:2311.18587 and
arXiv:2305.10947 ran, kept it in float32 even under floatx float16, whereas Keras 3 stores it like any other
variable: a float16 moving average with momentum 0.99 doesn't move for differences below about 3 %.
Master weights (arXiv:1710.03740, section 3.1) are `variables: float32` with `compute: float16`.
"""

from typing import Any

import keras

from sixteen.errors import UserError


def policies(precision: dict[str, Any]) -> tuple[keras.DTypePolicy, keras.DTypePolicy]:
    """The policies of an entry: that of layers, and that of batch normalisation."""
    compute = precision["compute"]
    return _policy(compute, precision["variables"]), _policy(compute, precision["batch_norm"])


def _policy(compute: str, storage: str) -> keras.DTypePolicy:
    if storage == compute:
        return keras.DTypePolicy(compute)
    if storage == "float32":
        return keras.DTypePolicy(f"mixed_{compute}")
    raise UserError(
        f"expected storage in float32 or in the compute type {compute}, came {storage}; correct "
        "`variables` and `batch_norm` of this precision in params.yaml"
    )


def with_loss_scale(
    optimizer: keras.optimizers.Optimizer, precision: dict[str, Any]
) -> keras.optimizers.Optimizer:
    """Wrap the optimizer in dynamic loss scaling where the entry asks for it (arXiv:1710.03740, 3.2)."""
    scale = precision["loss_scale"]
    if scale is None:
        return optimizer
    return keras.optimizers.LossScaleOptimizer(
        optimizer, initial_scale=scale["start"], dynamic_growth_steps=scale["growth_interval"]
    )


def check_dtypes(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, precision: dict[str, Any]
) -> None:
    """Make sure, before the first step, that every number is stored and computed as the entry promises.

    Looks at the tensors themselves: weights, batch-norm parameters and statistics, momentum (stored like
    the weight that it belongs to), and at the compute type of each layer, with weights or
    without, and of the logits. Raises
    UserError that names the first one that differs.
    """
    storage = {}
    for layer in model.layers:
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        for variable in layer.weights:
            storage[variable.path] = precision["batch_norm" if is_norm else "variables"]
            _check(variable.path, storage[variable.path], variable)
        computes = not isinstance(layer, keras.layers.InputLayer)
        if computes and layer.compute_dtype != precision["compute"]:
            _differs(f"the arithmetic of {layer.name}", precision["compute"], layer.compute_dtype)
    inner: Any = getattr(optimizer, "inner_optimizer", optimizer)
    if inner.momentum:
        for variable, momentum in zip(model.trainable_variables, inner.momentums, strict=True):
            _check(f"the momentum of {variable.path}", storage[variable.path], momentum)
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
