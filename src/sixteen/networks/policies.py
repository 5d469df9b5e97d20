"""The Keras dtype policies by which a network keeps what a precision entry promises."""

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
