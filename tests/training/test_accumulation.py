"""Where sums of 16-bit numbers are accumulated on CPUs: nearly always in float32, rounded once at the end.

Facts of the backends, not promises of this package: they say what `compute: float16` means on this machine.
"""

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("keras_started")

# 2048 + 0.5 is 2048 in float16, so a float16 accumulator that starts there never moves; in bfloat16, 256.
LARGE = {"float16": 2048.0, "bfloat16": 256.0}
SMALL = {"float16": 0.5, "bfloat16": 0.5}
COUNT = 4096


def on_xla(function, *arrays, dtype):
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("a GPU accumulates as its libraries choose")
    tensors = [tf.cast(tf.constant(array), dtype) for array in arrays]
    result = tf.function(function, jit_compile=True)(*tensors)
    assert result.dtype.name == dtype
    return float(tf.reshape(tf.cast(result, "float32"), [-1])[0])


def many(dtype):
    """One large number and many that are lost on it one by one; their sum is representable."""
    return np.float32([LARGE[dtype], *[SMALL[dtype]] * COUNT])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_products_convolutions_and_reductions_are_summed_in_float32(dtype):
    import tensorflow as tf
    from keras import ops

    numbers = many(dtype)
    total = LARGE[dtype] + SMALL[dtype] * COUNT
    ones = np.ones_like(numbers)
    rows, columns = np.tile(numbers, (32, 1)), np.tile(ones[:, None], (1, 32))
    images = np.tile(numbers, (2, 4, 4, 1))
    kernel = np.ones((1, 1, len(numbers), 8), np.float32)
    sums = {
        "product": on_xla(ops.matmul, rows, columns, dtype=dtype),
        "convolution": on_xla(
            lambda x, k: tf.nn.conv2d(x, k, 1, "SAME"), images, kernel, dtype=dtype
        ),
        "sum": on_xla(ops.sum, numbers, dtype=dtype),
        "gradient of a kernel": on_xla(
            lambda x, g: tf.raw_ops.Conv2DBackpropFilter(
                input=x,
                filter_sizes=[1, 1, 1, 1],
                out_backprop=g,
                strides=[1, 1, 1, 1],
                padding="SAME",
            ),
            numbers[None, :, None, None],
            ones[None, :, None, None],
            dtype=dtype,
        ),
    }
    assert sums == dict.fromkeys(sums, total)


def test_sums_may_pass_beyond_the_range_of_float16():
    from keras import ops

    numbers = np.float32([[40000.0, 40000.0, -40000.0]])
    product = on_xla(ops.matmul, numbers, np.ones((3, 1), np.float32), dtype="float16")
    assert product == 40000.0
    assert on_xla(ops.mean, np.full(256, 1000.0, np.float32), dtype="float16") == 1000.0


def test_subnormal_numbers_of_float16_are_kept():
    five = on_xla(lambda x: x * 0.5, np.float32([2.0**-23]), dtype="float16")
    assert five == 2.0**-24


ON_JAX = """
import json, sys
from sixteen.training import backends
backends.start("jax", 1)
import jax, keras, numpy as np
from keras import ops

dtype, large, small, count = sys.argv[1], float(sys.argv[2]), 0.5, 4096
numbers = np.float32([large, *[small] * count])
ones = np.ones_like(numbers)

def gradients(layer, x, upstream):
    layer.build(x.shape)
    x, upstream = ops.cast(x, dtype), ops.cast(upstream, dtype)

    def along(weights):
        outputs, _ = layer.stateless_call(weights, [], x)
        return ops.sum(ops.cast(outputs * upstream, "float32"))

    return jax.jit(jax.grad(along))([v.value for v in layer.trainable_variables])

rows = ops.cast(np.tile(numbers, (32, 1)), dtype), ops.cast(np.tile(ones[:, None], (1, 32)), dtype)
kernel, bias = gradients(
    keras.layers.Conv2D(4, 1, dtype=dtype),
    ones.reshape(17, 241, 1, 1),
    np.stack([numbers] * 4, -1).reshape(17, 241, 1, 4),
)
precise = jax.lax.DotAlgorithmPreset.F16_F16_F16
sums = {
    "product": jax.jit(ops.matmul)(*rows)[0, 0],
    "product that asks for less": jax.jit(lambda a, b: jax.lax.dot(a, b, precision=precise))(*rows)[0, 0],
    "gradient of a kernel": kernel.ravel()[0],
    "gradient of a bias": bias[0],
}
print(json.dumps({name: float(value) for name, value in sums.items()}))
"""


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_jax_sums_products_in_float32_and_gradients_of_biases_in_16_bit(dtype):
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX isn't installed")
    call = [sys.executable, "-c", ON_JAX, dtype, str(LARGE[dtype])]
    done = subprocess.run(call, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sums = json.loads(done.stdout)
    bias = sums.pop("gradient of a bias")
    total = LARGE[dtype] + SMALL[dtype] * COUNT
    assert sums == dict.fromkeys(sums, total)
    assert abs(bias - total) > 0.001 * total
