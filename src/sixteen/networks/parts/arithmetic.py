"""Multiply-adds of the networks of keras.applications, layer by layer and without Keras.

A plan wants them before anything is built, and Keras would take a minute, or memory of the GPU, to count
them. Each function walks through its network as keras.applications builds it; `counting` counts the same.
"""

from collections.abc import Callable, Sequence
from functools import partial

from sixteen.networks.parts.shared import scaled

GROWTH = 32  # filters that each layer of a DenseNet adds
# Filters, stride and repeats of MobileNetV2's blocks, arXiv:1801.04381, table 2; expanded six times but for
# the first.
BLOCKS = ((24, 2, 2), (32, 2, 3), (64, 2, 4), (96, 1, 3), (160, 2, 3), (320, 1, 1))
EXPANSION = 6


class Tally:
    """Height, width and channels of what flows through a network, and multiply-adds of each layer so far."""

    def __init__(self, shape: tuple[int, int, int], width: float) -> None:
        self.height, self.width, self.channels = shape
        self.multiplier = width
        self.adds: list[int] = []

    def shrink(self, stride: int) -> None:
        """A padded window with this stride."""
        self.height, self.width = -(-self.height // stride), -(-self.width // stride)

    def crop(self, window: int, stride: int) -> None:
        """A window of this size without padding."""
        self.height = (self.height - window) // stride + 1
        self.width = (self.width - window) // stride + 1

    def convolve(self, filters: int, kernel: int) -> None:
        """A convolution (or with kernel 1 a pointwise one) with so many times the multiplier filters."""
        channels, self.channels = self.channels, scaled(filters, self.multiplier)
        self._add(kernel**2 * channels * self.channels)

    def depthwise(self) -> None:
        """A 3x3 convolution of each channel."""
        self._add(9 * self.channels)

    def separable(self, filters: int) -> None:
        """A 3x3 convolution of each channel, then a pointwise one: one layer."""
        channels, self.channels = self.channels, scaled(filters, self.multiplier)
        self._add(9 * channels + channels * self.channels)

    def dense(self, units: int) -> None:
        """A dense layer on what is left after pooling to one place or flattening."""
        self.adds.append(self.height * self.width * self.channels * units)
        self.height, self.width, self.channels = 1, 1, units

    def head(self, classes: int) -> None:
        """The mean over all places, then the logits."""
        self.height, self.width = 1, 1
        self.dense(classes)

    def _add(self, each: int) -> None:
        self.adds.append(self.height * self.width * each)


def densenet(tally: Tally, classes: int, blocks: Sequence[int]) -> None:
    """Four blocks; each layer of a block adds channels, a transition halves them and the resolution."""
    tally.shrink(2)
    tally.convolve(64, 7)
    tally.shrink(2)
    filters = 64  # channels before they are multiplied, of which a transition takes half
    for block, count in enumerate(blocks):
        if block > 0:
            filters //= 2
            tally.convolve(filters, 1)
            tally.crop(2, 2)
        for _ in range(count):
            before = tally.channels
            tally.convolve(4 * GROWTH, 1)
            tally.convolve(GROWTH, 3)
            tally.channels += before
        filters += count * GROWTH
    tally.head(classes)


def xception(tally: Tally, classes: int) -> None:
    """Two convolutions and blocks of separable ones, with a pointwise shortcut where they halve."""
    for filters, stride in ((32, 2), (64, 1)):
        tally.crop(3, stride)
        tally.convolve(filters, 3)
    for filters in (128, 256, 728):
        _xception_block(tally, filters, filters)
    for _ in range(24):
        tally.separable(728)
    _xception_block(tally, 728, 1024)
    tally.separable(1536)
    tally.separable(2048)
    tally.head(classes)


def _xception_block(tally: Tally, first: int, second: int) -> None:
    channels, height, width = tally.channels, tally.height, tally.width
    tally.shrink(2)
    tally.convolve(second, 1)
    tally.channels, tally.height, tally.width = channels, height, width
    tally.separable(first)
    tally.separable(second)
    tally.shrink(2)


def mobilenetv2(tally: Tally, classes: int) -> None:
    """A convolution, inverted residual blocks, a pointwise convolution."""
    tally.shrink(2)
    tally.convolve(32, 3)
    tally.depthwise()
    tally.convolve(16, 1)
    before = 16
    for filters, stride, repeats in BLOCKS:
        for repeat in range(repeats):
            tally.convolve(EXPANSION * before, 1)
            tally.shrink(stride if repeat == 0 else 1)
            tally.depthwise()
            tally.convolve(filters, 1)
            before = filters
    tally.convolve(1280, 1)
    tally.head(classes)


NETWORKS: dict[str, Callable[[Tally, int], None]] = {
    "DenseNet121": partial(densenet, blocks=(6, 12, 24, 16)),
    "DenseNet169": partial(densenet, blocks=(6, 12, 32, 32)),
    "Xception": xception,
    "MobileNetV2": mobilenetv2,
}
