"""Network families: one module each, found by the name that `params.yaml` gives under `family`.

A family offers a subclass of `Network` with its fields, `TASKS` (names of the tasks that it serves), `build` (a Keras
model), `layers` (how many weighted layers there really are) and `cost` (multiply-adds of one item); and
`UNQUANTIZED`, what stays in float32 where a precision quantizes, if it makes its layers by `sixteen.precision.layers`. One
that can begin from published weights has the field `weights` and `load_published`. Only that and `build` need
Keras: a plan asks for the others and must neither wait for TensorFlow nor take a GPU's memory for it.
`parts.counting` counts the same in a built network.
"""

import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from sixteen.entry import union_of
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.published import Published, check
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

    AnyNetwork = Network
else:
    AnyNetwork = union_of(__name__, __path__, Network, "family")


def build(
    network: Network,
    shape: tuple[int, ...],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build a network for items [batch, *shape] that returns logits [batch, classes], or what its task says it does.

    Weights are drawn by numpy from `seed` in float32, then rounded to the storage type of `precision`, so
    that every precision and backend starts from the same numbers. `l2` is the factor on squared kernels.
    """
    return _family(network).build(network, shape, classes, precision, l2, seed)


def published(network: Network) -> Published | None:
    """The published weights that training begins from, if it begins from any."""
    return getattr(network, "weights", None)


def load_published(network: Network, model: "keras.Model", path: Path) -> None:
    """Give a built network its published weights, which are at `path`. UserError if they aren't, or don't fit."""
    weights = published(network)
    assert weights is not None  # the plan gives a path to no other network
    check(weights, path)
    _family(network).load_published(network, model, path)


def layers(network: Network) -> int:
    """How many weighted layers the network really has, whatever its name says."""
    return _family(network).layers(network)


def cost(network: Network, shape: tuple[int, ...], classes: int) -> int:
    """Multiply-adds of the forward pass of one item of `shape`: (height, width, channels), (length, channels)."""
    return _family(network).cost(network, shape, classes)


def tasks(network: Network) -> tuple[str, ...]:
    """The tasks that the network can be trained for."""
    return _family(network).TASKS


def unquantized(network: Network) -> tuple[str, ...] | None:
    """What of the network stays in float32 where a precision quantizes; None if it has no quantized layers."""
    return getattr(_family(network), "UNQUANTIZED", None)


def activation_elements(model: "keras.Model") -> int:
    """Elements of the outputs of all operations of a built network for one item."""
    # Here, not above: Keras.
    from sixteen.networks.parts import counting

    return counting.activation_elements(model)


def _family(network: Network) -> ModuleType:
    return importlib.import_module(f"{__name__}.{network.family}")
