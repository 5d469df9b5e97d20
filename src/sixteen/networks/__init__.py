"""Network families: one module each, found by the name that `params.yaml` gives under `family`.

A family offers `build` (a Keras model that returns logits), `layers` (how many weighted layers there really
are) and `cost` (multiply-adds of one image). Only `build` needs Keras: a plan asks for the others and must
neither wait for TensorFlow nor take a GPU's memory for it. `counting` counts the same in a built network.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sixteen.errors import UserError

if TYPE_CHECKING:
    import keras


def build(
    network: dict[str, Any],
    shape: tuple[int, int, int],
    classes: int,
    precision: dict[str, Any],
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build a network for images [batch, *shape] that returns logits [batch, classes].

    Weights are drawn by numpy from `seed` in float32, then rounded to the storage type of `precision`, so
    that every precision and backend starts from the same numbers. `l2` is the factor on squared kernels.
    """
    return _family(network).build(network, shape, classes, precision, l2, seed)


def layers(network: dict[str, Any]) -> int:
    """How many weighted layers the network really has, whatever its name says."""
    return _family(network).layers(network)


def cost(network: dict[str, Any], shape: tuple[int, int, int], classes: int) -> int:
    """Multiply-adds of the forward pass of one image of `shape` (height, width, channels)."""
    return _family(network).cost(network, shape, classes)


def activation_elements(model: "keras.Model") -> int:
    """Elements of the outputs of all operations of a built network for one image."""
    # Here, not above: Keras.
    from sixteen.networks import counting

    return counting.activation_elements(model)


def _family(network: dict[str, Any]) -> ModuleType:
    name = f"{__name__}.{network['family']}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise UserError(
            f"expected a family that is a module of sixteen.networks, came {network['family']!r}; "
            "correct `family` in params.yaml, or add the module"
        ) from error
