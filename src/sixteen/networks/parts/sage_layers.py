"""Layers of GraphSAGE with mean aggregation, over a whole graph or over sampled neighbours, in every precision.

What is quantized is as in the code of arXiv:2403.02243: inputs with one range a node, kernels with one an output, the gradient of
each product with one; the bias on grids, see `graphs`.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import keras
from keras import ops

from sixteen.networks.parts.graphs import ROW, Bias, Grids

OUTPUT = (0,)  # the axis of a kernel [inputs, outputs] along which numbers share a range


class SageConvolution(keras.layers.Layer):
    """W_own x + W_neighbours mean(x of the neighbours) + b (Hamilton et al., arXiv:1706.02216, mean aggregation as DGL has it).

    The mean is taken of what is narrower: of x, or of W x where that has fewer columns. With `means_on_grids` so are the
    features that are averaged, and the gradient of their mean. `fanouts` are how many neighbours were sampled in each hop,
    without those of the last layer's nodes; without any, neighbours are the sources of edges.
    """

    def __init__(
        self, units: int, grids: Grids, means_on_grids: bool, fanouts: Sequence[int], **about: Any
    ) -> None:
        penalty = about.pop("kernel_regularizer")
        super().__init__(**about)
        self.units, self.fanouts = units, tuple(fanouts)
        inner = {"penalty": penalty, "dtype": self.dtype_policy}
        self.neighbours = Product(units, grids, name="neighbours", **inner)
        self.own = Product(units, grids, name="own", **inner)
        self.of_features = grids.forward(ROW, "features", means_on_grids)
        self.of_gradient = grids.gradient("gradient", means_on_grids)
        self.adding = Bias(units, grids, dtype=self.dtype_policy, name="add")

    def build(self, shape: Any) -> None:
        """Make room for all weights."""
        self.neighbours.build(shape)
        self.own.build(shape)
        self.adding.build((*shape[:-1], self.units))
        self.built = True

    def call(self, x: Any, edges: Any = None, degrees: Any = None, training: bool = False) -> Any:
        """[nodes, units] of [nodes, features], edges and degrees; sampled: [batch, inner nodes, units], see `tree`."""
        sources = x
        narrows = x.shape[-1] > self.units
        if narrows:
            sources = self.neighbours(sources, training=training)
        sources = self.of_features(sources)
        if self.fanouts:
            x, mean = x[:, : inner_nodes(self.fanouts)], tree_mean(sources, self.fanouts)
        else:
            mean = edge_mean(sources, edges, degrees)
        mean = self.of_gradient(mean, training=training)
        if not narrows:
            mean = self.neighbours(mean, training=training)
        return self.adding(self.own(x, training=training) + mean, training=training)


class Product(keras.layers.Layer):
    """X W over the last axis."""

    def __init__(self, units: int, grids: Grids, penalty: Any, **about: Any) -> None:
        super().__init__(**about)
        self.units, self.penalty = units, penalty
        self.of_features = grids.forward(ROW, "features")
        self.of_kernel = grids.forward(OUTPUT, "kernel_grid")
        self.of_gradient = grids.gradient("gradient")

    def build(self, shape: Any) -> None:
        """Make room for the kernel."""
        self.kernel = self.add_weight(
            shape=(shape[-1], self.units),
            initializer="zeros",
            regularizer=self.penalty,
            name="kernel",
        )
        self.built = True

    def call(self, x: Any, training: bool = False) -> Any:
        """[..., units]."""
        product = ops.matmul(self.of_features(x), self.of_kernel(self.kernel))
        return self.of_gradient(product, training=training)


def edge_mean(x: Any, edges: Any, degrees: Any) -> Any:
    """The mean of `x` [nodes, features] over the sources of edges that end in a node, 0 where none does; compute type."""
    total = ops.segment_sum(ops.take(x, edges[0], axis=0), edges[1], num_segments=ops.shape(x)[0])
    return total / ops.cast(ops.maximum(degrees, 1), x.dtype)[:, None]


def tree_mean(x: Any, fanouts: Sequence[int]) -> Any:
    """The mean over the sampled neighbours of each inner node: [batch, inner nodes, features] of `x` [batch, nodes, features].

    Nodes are in the order of hops: the target, its neighbours, those of the first of them, and so on.
    """
    ends = list(accumulate(_hops(fanouts)))
    means = [
        ops.mean(
            ops.reshape(x[:, begin:end], (-1, (end - begin) // fanout, fanout, x.shape[-1])), axis=2
        )
        for begin, end, fanout in zip(ends, ends[1:], fanouts, strict=False)
    ]
    return ops.concatenate(means, axis=1)


def tree_nodes(fanouts: Sequence[int]) -> int:
    """How many nodes a target brings along, itself too."""
    return sum(_hops(fanouts))


def inner_nodes(fanouts: Sequence[int]) -> int:
    """How many of them have sampled neighbours themselves."""
    return tree_nodes(fanouts[:-1])


def _hops(fanouts: Sequence[int]) -> list[int]:
    """Nodes of each hop, beginning with the target."""
    return list(accumulate(fanouts, int.__mul__, initial=1))
