"""Graph convolutional networks (Kipf and Welling, arXiv:1609.02907) as arXiv:2403.02243 ran them.

Graph convolutions with symmetric normalisation and without self-loops, each but the last followed by ReLU,
normalisation over all features of all nodes together without anything learned, and dropout. Kernels are Glorot-uniform,
biases zero. The authors' code has 128-512-512-40 for OGBN-Arxiv: `hidden` 512, `layers` 3, `dropout` 0.2.
"""

import itertools
from typing import TYPE_CHECKING, Literal

from sixteen.entry import Share, Size
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.shared import draw_weights, dropout_seeds
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

TASKS = ("classify_nodes",)
UNQUANTIZED = (
    "square roots of degrees",
    "sums over edges and the scaling by degrees, unless `aggregation` is quantized",
    "ReLU",
    "normalisation",
    "dropout",
)


class Gcn(Network):
    """So many `layers` of graph convolution with `hidden` features between them.

    `aggregation` says whether the features that are summed over edges, and scaled by degrees, are quantized where the
    precision quantizes: FP-Agg (full) and Q-Agg (quantized) of arXiv:2403.02243.
    """

    family: Literal["gcn"]
    hidden: Size
    layers: Size
    dropout: Share
    aggregation: Literal["full", "quantized"]


def build(
    network: Gcn,
    shape: tuple[int],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build the network; it takes a list of four tensors.

    They are features [nodes, features] in the compute type, edges int32 [2, edges] of sources and targets, degrees
    int32 [nodes], and int32 [asked], the nodes that are asked for. Logits [asked, classes].
    """
    import keras

    from sixteen.networks.parts import graphs
    from sixteen.precision.policies import policies

    policy, _ = policies(precision)
    about = {"dtype": policy, "kernel_regularizer": keras.regularizers.L2(l2) if l2 else None}
    grids, seeds = graphs.Grids(precision, seed), dropout_seeds(seed)
    features = keras.Input(shape, dtype=precision.compute, name="features")
    edges = keras.Input(batch_shape=(2, None), dtype="int32", name="edges")
    degrees, asked = (keras.Input((), dtype="int32", name=name) for name in ("degrees", "asked"))
    x = features
    for layer in range(1, network.layers + 1):
        units = network.hidden if layer < network.layers else classes
        convolution = graphs.GraphConvolution(
            units, grids, network.aggregation == "quantized", name=f"conv{layer}", **about
        )
        x = convolution(x, edges, degrees)
        if layer < network.layers:
            dropped = int(seeds.integers(2**31))
            x = graphs.between(x, network.dropout, dropped, layer, policy)
    x = keras.ops.take(x, asked, axis=0)
    model = keras.Model([features, edges, degrees, asked], x, name="gcn")
    draw_weights(model, seed)
    return model


def layers(network: Gcn) -> int:
    """Graph convolutions."""
    return network.layers


def cost(network: Gcn, shape: tuple[int], classes: int) -> int:
    """Multiply-adds of kernels for one node; sums over edges, of which nodes have unlike many, aren't counted."""
    widths = [shape[0], *[network.hidden] * (network.layers - 1), classes]
    return sum(a * b for a, b in itertools.pairwise(widths))
