"""The Keras dtype policies by which a network keeps what a precision entry promises."""

import keras

from sixteen.precision.entry import Precision


def policies(precision: Precision) -> tuple[keras.DTypePolicy, keras.DTypePolicy]:
    """The policies of an entry: that of layers, and that of batch normalisation."""
    compute = precision.compute
    return _policy(compute, precision.storage), _policy(compute, precision.batch_norm)


def _policy(compute: str, storage: str) -> keras.DTypePolicy:
    return keras.DTypePolicy(compute if storage == compute else f"mixed_{compute}")
