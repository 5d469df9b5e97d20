"""Layers as a precision entry asks for them: Keras' own, or their quantized kind, with the same names of weights.

A quantized layer computes, in the words of `sixteen.precision.quantizers`, y = Q(w) * Q(x) + Q(b): one range for the
input, one for each output channel of the kernel, one for the bias; the gradient of y comes back on a grid over its one
range, or over those that a network asks for, and all other gradients are computed from it in float32 (arXiv:2403.02243;
granularity of its authors' code).
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from sixteen.precision.entry import Precision, Quantized
from sixteen.precision.quantizers import ForwardQuantizer, GradientQuantizer, MovingQuantizer

Axes = Sequence[int] | None  # what shares a range; None is the whole tensor


class Layers:
    """Makes the layers of one network; the noise of each is a stream of its own from `seed`."""

    def __init__(self, precision: Precision, seed: int) -> None:
        self.precision = precision
        self.seeds = np.random.default_rng([seed, 2])

    def convolution(self, **about: Any) -> keras.layers.Layer:
        """A convolution in two dimensions, `about` as Keras' Conv2D has it."""
        if not isinstance(self.precision, Quantized):
            return keras.layers.Conv2D(**about)
        return QuantizedConv2D(self.precision, self.noise_seed(), **about)

    def depthwise(self, **about: Any) -> keras.layers.Layer:
        """A convolution of each channel by itself, without bias, `about` as Keras' DepthwiseConv2D has it."""
        if not isinstance(self.precision, Quantized):
            return keras.layers.DepthwiseConv2D(use_bias=False, **about)
        return QuantizedDepthwiseConv2D(self.precision, self.noise_seed(), **about)

    def dense(self, gradient_axes: Axes = None, **about: Any) -> keras.layers.Layer:
        """A dense layer, `about` as Keras' Dense has it; gradients of its output share a range over `gradient_axes`."""
        if not isinstance(self.precision, Quantized):
            return keras.layers.Dense(**about)
        return QuantizedDense(self.precision, self.noise_seed(), gradient_axes, **about)

    def forward(self, axes: Axes, name: str) -> Any:
        """A quantizer of the forward pass with one range over `axes`; where nothing is quantized, what lets all pass."""
        if not isinstance(self.precision, Quantized):
            return as_it_is
        return ForwardQuantizer(self.precision, axes, name=name)

    def gradient(self, axes: Axes, name: str) -> Any:
        """The same for the gradient."""
        if not isinstance(self.precision, Quantized):
            return as_it_is
        return GradientQuantizer(self.precision, axes, self.noise_seed(), name=name)

    def noise_seed(self) -> int:
        """The seed of the next layer that rounds stochastically."""
        return int(self.seeds.integers(2**31))


def as_it_is(x: Any, training: bool = False) -> Any:
    """What stands for a quantizer where nothing is quantized."""
    return x


class _OnGrids(keras.layers.Layer):
    """What quantized layers share."""

    def put_on_grids(
        self, quantized: Quantized, noise_seed: int, channels: int, gradient_axes: Axes = None
    ) -> None:
        """Make the quantizers; `channels` is how many axes of the kernel come before that of its outputs."""
        self.of_input = MovingQuantizer(quantized, name="input")
        self.of_kernel = ForwardQuantizer(quantized, tuple(range(channels)), name="kernel")
        self.of_bias = ForwardQuantizer(quantized, None, name="bias")
        self.of_gradient = GradientQuantizer(quantized, gradient_axes, noise_seed, name="gradient")

    def build(self, shape: Any) -> None:
        """Build the quantizers too: Keras knows the shape of the output, and so doesn't call to find it out."""
        super().build(shape)
        self.of_input.build(shape)


class QuantizedConv2D(_OnGrids, keras.layers.Conv2D):
    """A convolution over images [batch, height, width, channels] on grids; see the top of this module."""

    def __init__(self, quantized: Quantized, noise_seed: int, **about: Any) -> None:
        super().__init__(**about)
        self.put_on_grids(quantized, noise_seed, channels=3)

    def call(self, x: Any, training: bool = False) -> Any:
        """Float32 [batch, height, width, filters]."""
        y = self.convolution_op(self.of_input(x, training=training), self.of_kernel(self.kernel))
        if self.bias is not None:
            y = y + self.of_bias(self.bias)
        return self.of_gradient(y, training=training)


class QuantizedDepthwiseConv2D(_OnGrids, keras.layers.DepthwiseConv2D):
    """A convolution of each channel of images [batch, height, width, channels], without bias, on grids."""

    def __init__(self, quantized: Quantized, noise_seed: int, **about: Any) -> None:
        super().__init__(use_bias=False, **about)
        self.put_on_grids(quantized, noise_seed, channels=2)

    def call(self, x: Any, training: bool = False) -> Any:
        """Float32 [batch, height, width, channels]."""
        y = keras.ops.depthwise_conv(
            self.of_input(x, training=training),
            self.of_kernel(self.kernel),
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )
        return self.of_gradient(y, training=training)


class QuantizedDense(_OnGrids, keras.layers.Dense):
    """A dense layer over [batch, ..., features] on grids; see the top of this module."""

    def __init__(
        self, quantized: Quantized, noise_seed: int, gradient_axes: Axes = None, **about: Any
    ) -> None:
        super().__init__(**about)
        self.put_on_grids(quantized, noise_seed, channels=1, gradient_axes=gradient_axes)

    def call(self, x: Any, training: bool = False) -> Any:
        """Float32 [batch, ..., units]."""
        y = keras.ops.matmul(self.of_input(x, training=training), self.of_kernel(self.kernel))
        if self.bias is not None:
            y = y + self.of_bias(self.bias)
        return self.of_gradient(y, training=training)
