"""Noise of stochastic rounding: even, alike everywhere, without a trace of element, step or layer."""

import subprocess
import sys

import numpy as np
import pytest

PROGRAM = """
import sys, numpy as np
from sixteen.training import backends
backends.start("jax", 1)
import jax, keras
from sixteen.precision.noise import uniform
np.save(sys.argv[1], np.asarray(uniform((4, 5), keras.random.SeedGenerator(7))))
"""


@pytest.fixture(scope="module", autouse=True)
def keras_started():
    from sixteen.training import backends

    backends.start("tensorflow", threads=1)


def drawn(shape, seed=0, times=1):
    import keras

    from sixteen.precision.noise import uniform

    generator = keras.random.SeedGenerator(seed)
    return np.stack([np.asarray(uniform(shape, generator)) for _ in range(times)])


def by_numpy(size, seed, count):
    def mixed(x):
        x = (x ^ (x >> 16)) * 0x85EBCA6B % 2**32
        x = (x ^ (x >> 13)) * 0xC2B2AE35 % 2**32
        return x ^ (x >> 16)

    first = mixed(mixed(seed) ^ count)
    second = mixed(first ^ seed)
    numbers = [mixed((mixed((n + first) % 2**32) + second) % 2**32) >> 8 for n in range(size)]
    return np.float32(numbers) / np.float32(2**24) - np.float32(0.5)


def test_bits_are_those_of_whole_numbers_and_every_call_goes_on():
    found = drawn((4, 5), seed=7, times=2)
    assert found.dtype == np.float32
    for count, noise in enumerate(found):
        assert np.array_equal(noise.ravel(), by_numpy(20, 7, count))


def test_jax_draws_the_same_bits(tmp_path):
    pytest.importorskip("jax")
    place = tmp_path / "noise.npy"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(place)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(place), drawn((4, 5), seed=7)[0])


def test_numbers_are_even_and_neither_neighbours_nor_calls_nor_seeds_resemble_each_other():
    n = 200_000
    one, next_one = drawn((n,), times=2)
    other = drawn((n,), seed=1)[0]
    assert one.min() >= -0.5 and one.max() < 0.5
    counts = np.histogram(one, 100, (-0.5, 0.5))[0]
    assert ((counts - n / 100) ** 2 / (n / 100)).sum() < 99 + 5 * np.sqrt(2 * 99)
    assert abs(one.mean()) < 5 / np.sqrt(12 * n)
    assert one.var() == pytest.approx(1 / 12, rel=0.01)
    pairs = [(one, next_one), (one, other), *((one[:-lag], one[lag:]) for lag in (1, 2, 64, 256))]
    for first, second in pairs:
        assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(len(first))
