"""Layers of networks on graphs, in every precision, quantized ones too.

What is quantized, and with which range, is as in the code of arXiv:2403.02243: features with one range a node, taken
from the batch in tests too; the kernel of a graph convolution with one a row of inputs; biases and gradients with one for the whole
tensor. A bias is added on grids: the sum so far is quantized again, and the gradient of the result. The square roots of
degrees, a single number a node, are their own grid and need none.
"""

from typing import Any

import keras
from keras import ops

from sixteen.precision.entry import Precision
from sixteen.precision.layers import Layers, as_it_is

EPSILON = 1e-5  # of normalisation, the default of PyTorch
ROW, WHOLE = (-1,), None  # axes that share a range: a row, the whole tensor


class Grids:
    """Makes the quantizers of layers, which let all pass where the precision doesn't quantize."""

    def __init__(self, precision: Precision, seed: int) -> None:
        self.layers = Layers(precision, seed)

    def forward(self, axes: tuple[int, ...] | None, name: str, wanted: bool = True) -> Any:
        """A quantizer of the forward pass with one range over `axes`; lets all pass where it isn't `wanted`."""
        return self.layers.forward(axes, name) if wanted else as_it_is

    def gradient(self, name: str, wanted: bool = True) -> Any:
        """A quantizer of the gradient with one range for the whole tensor."""
        return self.layers.gradient(WHOLE, name) if wanted else as_it_is


class GraphConvolution(keras.layers.Layer):
    """D^-1/2 A D^-1/2 X W + b over nodes [nodes, features] (Kipf and Welling, arXiv:1609.02907, without self-loops).

    A node without edges has degree 1 here. What is narrower is summed over edges: X W if it has fewer columns, else X.
    With `sums_on_grids`, so are the features that are scaled and summed over edges, and the gradients of both.
    """

    def __init__(self, units: int, grids: Grids, sums_on_grids: bool, **about: Any) -> None:
        self.penalty = about.pop("kernel_regularizer")
        super().__init__(**about)
        self.units = units
        self.of_features = grids.forward(ROW, "features")
        self.of_kernel = grids.forward(ROW, "kernel_grid")
        self.of_product = grids.gradient("product")
        self.scaling = _Scaling(grids, sums_on_grids, "source", self.dtype_policy)
        self.summing = NeighbourSum(grids, sums_on_grids, dtype=self.dtype_policy, name="sum")
        self.rescaling = _Scaling(grids, sums_on_grids, "target", self.dtype_policy)
        self.adding = Bias(units, grids, dtype=self.dtype_policy, name="add")

    def build(self, shape: Any) -> None:
        """Make room for the kernel; `draw_weights` fills it."""
        self.kernel = self.add_weight(
            shape=(shape[-1], self.units),
            initializer="zeros",
            regularizer=self.penalty,
            name="kernel",
        )
        self.adding.build((shape[0], self.units))

    def call(self, x: Any, edges: Any, degrees: Any, training: bool = False) -> Any:
        """[nodes, units] of features [nodes, features], edges int32 [2, edges] and degrees int32 [nodes]."""
        degrees = ops.cast(ops.maximum(degrees, 1), "float32")
        scale = ops.cast(ops.rsqrt(degrees)[:, None], self.compute_dtype)
        x = self.scaling(x, scale, training=training)
        if x.shape[-1] > self.units:
            x = self.summing(self._multiplied(x, training), edges, training=training)
        else:
            x = self._multiplied(self.summing(x, edges, training=training), training)
        x = self.rescaling(x, scale, training=training)
        return self.adding(x, training=training)

    def _multiplied(self, x: Any, training: bool) -> Any:
        product = ops.matmul(self.of_features(x), self.of_kernel(self.kernel))
        return self.of_product(product, training=training)


class _Scaling(keras.layers.Layer):
    """Features times a number a node."""

    def __init__(self, grids: Grids, on_grids: bool, name: str, policy: Any) -> None:
        super().__init__(name=f"scale_{name}", dtype=policy)
        self.of_features = grids.forward(ROW, "features", on_grids)
        self.of_gradient = grids.gradient("gradient", on_grids)

    def call(self, x: Any, scale: Any, training: bool = False) -> Any:
        """[nodes, features] times [nodes, 1]."""
        return self.of_gradient(self.of_features(x) * scale, training=training)


class NeighbourSum(keras.layers.Layer):
    """The sum of the features of the sources of all edges that end in a node, added up in the compute type."""

    def __init__(self, grids: Grids, on_grids: bool, **about: Any) -> None:
        super().__init__(**about)
        self.of_features = grids.forward(ROW, "features", on_grids)
        self.of_gradient = grids.gradient("gradient", on_grids)

    def call(self, x: Any, edges: Any, training: bool = False) -> Any:
        """[nodes, features] of features [nodes, features] and edges int32 [2, edges]."""
        sources = ops.take(self.of_features(x), edges[0], axis=0)
        total = ops.segment_sum(sources, edges[1], num_segments=ops.shape(x)[0])
        return self.of_gradient(total, training=training)


class Bias(keras.layers.Layer):
    """A bias for each of `units`, which begins at zero."""

    def __init__(self, units: int, grids: Grids, **about: Any) -> None:
        super().__init__(**about)
        self.units = units
        self.of_features = grids.forward(ROW, "features")
        self.of_bias = grids.forward(WHOLE, "bias_grid")
        self.of_gradient = grids.gradient("gradient")

    def build(self, shape: Any) -> None:
        """Make room for the bias."""
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, x: Any, training: bool = False) -> Any:
        """[nodes, units]."""
        total = self.of_features(x) + self.of_bias(self.bias)
        return self.of_gradient(total, training=training)


class WholeNormalization(keras.layers.Layer):
    """Mean 0 and variance 1 over all features of all nodes together, nothing learned, computed in float32.

    Layer normalisation over the whole tensor, as the code of arXiv:2403.02243 has it.
    """

    def call(self, x: Any) -> Any:
        """[nodes, features]."""
        wide = ops.cast(x, "float32")
        centred = wide - ops.mean(wide)
        normalised = centred * ops.rsqrt(ops.mean(ops.square(centred)) + EPSILON)
        return ops.cast(normalised, self.compute_dtype)


def between(x: Any, dropout: float, seed: int, layer: int, policy: Any) -> Any:
    """What stands between two convolutions, [nodes, features] as it takes: ReLU, normalisation, dropout."""
    normalised = WholeNormalization(dtype=policy, name=f"norm{layer}")(ops.relu(x))
    return keras.layers.Dropout(dropout, seed=seed, dtype=policy, name=f"drop{layer}")(normalised)
