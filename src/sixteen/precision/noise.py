"""Noise for stochastic rounding: a hash of the number of each element, in whole numbers, alike on every backend.

The finalizer of MurmurHash3 (Appleby 2011), twice, with keys from the state of a random generator. The generators of
TensorFlow, compiled by XLA for a CPU, take 50 ns a number, more than all else of a small training step together (13 ms
of CPU time a step of a language model where this takes 3). Rounding asks for no more than that the numbers be even and
don't follow the data.
"""

import math
from typing import Any

import keras
from keras import ops

BITS = 24  # of the numbers, as many as float32 holds


def uniform(shape: tuple[int, ...], generator: keras.random.SeedGenerator) -> Any:
    """Float32 of this shape, evenly from -0.5 on to below 0.5, for the next state of the generator."""
    seed, count = ops.unstack(ops.cast(generator.next(), "uint32"), 2)
    first = _mixed(ops.bitwise_xor(_mixed(seed), count))
    second = _mixed(ops.bitwise_xor(first, seed))
    number = ops.cast(ops.reshape(ops.arange(math.prod(shape), dtype="int32"), shape), "uint32")
    mixed = _mixed(_mixed(number + first) + second)
    return ops.cast(ops.right_shift(mixed, _whole(32 - BITS)), "float32") / 2**BITS - 0.5


def _mixed(x: Any) -> Any:
    """Whole numbers, uint32, each to another one, all bits of which hang on all of its own."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = ops.bitwise_xor(x, ops.right_shift(x, _whole(shift))) * _whole(factor)
    return ops.bitwise_xor(x, ops.right_shift(x, _whole(16)))


def _whole(number: int) -> Any:
    return ops.convert_to_tensor(number, dtype="uint32")
