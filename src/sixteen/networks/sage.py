"""GraphSAGE with mean aggregation (Hamilton et al., arXiv:1706.02216) as arXiv:2403.02243 ran it.

Each layer but the last is followed by ReLU, normalisation over all features of all nodes together without anything
learned, and dropout. As the authors' code has it: kernels for neighbours are Glorot-uniform for ReLU (twice the variance),
those for the node itself uniform between +-1 / sqrt(inputs), biases zero. It has 100-512-47 for OGBN-Products: `hidden` 512,
`layers` 2, `dropout` 0.2, with 32 + 32 sampled neighbours.
"""

import math
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sixteen.entry import Share, Size
from sixteen.errors import UserError
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.shared import dropout_seeds
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

TASKS = ("classify_nodes", "classify_nodes_sampled")
UNQUANTIZED = (
    "means over neighbours, unless `aggregation` is quantized",
    "sums of a node and its neighbours",
    "ReLU",
    "normalisation",
    "dropout",
)


class Sage(Network):
    """So many `layers` with `hidden` features between them.

    `aggregation` says whether the features that are averaged are quantized where the precision quantizes: FP-Agg (full)
    and Q-Agg (quantized) of arXiv:2403.02243.
    """

    family: Literal["sage"]
    hidden: Size
    layers: Size
    dropout: Share
    aggregation: Literal["full", "quantized"]


def build(
    network: Sage,
    shape: tuple[int, ...],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build the network for a whole graph, as `gcn` has it, if `shape` is the number of features alone.

    Else the numbers after it say how many neighbours are sampled in each hop, and the input is float [batch, nodes, features],
    the features of each target, of its neighbours, and of theirs. Logits [asked, classes] or [batch, classes]. UserError
    if there are not as many hops as layers.
    """
    import keras

    from sixteen.networks.parts import graphs, sage_layers
    from sixteen.precision.policies import policies

    size, *fanouts = shape
    _check_hops(network, fanouts)
    policy, _ = policies(precision)
    about = {"dtype": policy, "kernel_regularizer": keras.regularizers.L2(l2) if l2 else None}
    grids, seeds = graphs.Grids(precision, seed), dropout_seeds(seed)
    inputs, where = _inputs(size, fanouts, precision)
    x = inputs[0]
    for layer in range(1, network.layers + 1):
        units = network.hidden if layer < network.layers else classes
        quantized, hops = network.aggregation == "quantized", fanouts[: len(fanouts) + 1 - layer]
        convolution = sage_layers.SageConvolution(
            units, grids, quantized, hops, name=f"conv{layer}", **about
        )
        x = convolution(x, *where)
        if layer < network.layers:
            dropped = int(seeds.integers(2**31))
            x = graphs.between(x, network.dropout, dropped, layer, policy)
    x = keras.ops.squeeze(x, 1) if fanouts else keras.ops.take(x, inputs[-1], axis=0)
    model = keras.Model(inputs, x, name="sage")
    _draw(model, seed)
    return model


def layers(network: Sage) -> int:
    """Layers, each of two kernels."""
    return network.layers


def cost(network: Sage, shape: tuple[int, ...], classes: int) -> int:
    """Multiply-adds of kernels for one node, or for a target and all that is sampled for it; without means."""
    size, *fanouts = shape
    widths = [size, *[network.hidden] * (network.layers - 1), classes]
    nodes = [sum(accumulate(fanouts[:n], int.__mul__, initial=1)) for n in range(len(fanouts) + 1)]
    total = 0
    for layer, (inputs, outputs) in enumerate(pairwise(widths), start=1):
        of, to = (nodes[-layer], nodes[-layer - 1]) if fanouts else (1, 1)
        total += inputs * outputs * (to + (of if inputs > outputs else to))
    return total


def _check_hops(network: Sage, fanouts: list[int]) -> None:
    if fanouts and len(fanouts) != network.layers:
        raise UserError(
            f"expected as many hops of sampled neighbours as the {network.layers} layers of the network, came "
            f"{len(fanouts)}; choose a network of params.yaml with so many `layers`, or change the dataset's hops"
        )


def _inputs(size: int, fanouts: list[int], precision: Precision) -> tuple[list[Any], list[Any]]:
    """All inputs, and those of them that say where neighbours are."""
    import keras

    from sixteen.networks.parts.sage_layers import tree_nodes

    if fanouts:
        shape = (tree_nodes(fanouts), size)
        return [keras.Input(shape, dtype=precision.compute, name="features")], []
    features = keras.Input((size,), dtype=precision.compute, name="features")
    edges = keras.Input(batch_shape=(2, None), dtype="int32", name="edges")
    degrees, asked = (keras.Input((), dtype="int32", name=name) for name in ("degrees", "asked"))
    return [features, edges, degrees, asked], [edges, degrees]


def _draw(model: "keras.Model", seed: int) -> None:
    """Draw kernels in float32, in the order of `model.weights`, and round them to the type in which they are stored."""
    import keras

    draw = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.name == "kernel":
            inputs, outputs = weight.shape
            of_neighbours = "/neighbours/" in weight.path
            limit = math.sqrt(12 / (inputs + outputs)) if of_neighbours else 1 / math.sqrt(inputs)
            values = (2 * draw.random(weight.shape, dtype=np.float32) - 1) * np.float32(limit)
            weight.assign(keras.ops.cast(values, weight.dtype))
