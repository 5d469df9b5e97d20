"""Attention on grids in NumPy, forward and backward, after the code of arXiv:2403.02243; and what holds the project's layer to
it on whichever backend runs."""

import numpy as np
from lstm_by_numpy import affine, quantized

BATCH, TOKENS, HEADS, SIZE = 3, 5, 2, 4
WIDTH = HEADS * SIZE
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0]], bool)
TOKEN, CHANNEL = (
    (0, 3),
    (0, 2),
)  # what shares a range: all rows, and the channels of a token or the tokens of a channel


def split(x):
    return x.reshape(len(x), -1, HEADS, SIZE).swapaxes(1, 2)


def joined(x):
    return x.swapaxes(1, 2).reshape(len(x), -1, WIDTH)


def softmax(scores):
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


class ByNumpy:
    """The result, and gradients for those of the result."""

    def __init__(self, inputs, mask, bits, gradients):
        q, k, v = map(split, inputs)
        self.gradients = gradients
        self.q, self.k = affine(q, bits, TOKEN), affine(k, bits, CHANNEL)
        scores = self.q @ self.k.swapaxes(2, 3) / np.float32(np.sqrt(SIZE))
        self.shares = softmax(np.where(mask[:, None, None], scores, -np.inf))
        self.on_grid, self.v = affine(self.shares, bits, TOKEN), affine(v, bits, TOKEN)
        self.result = joined(self.on_grid @ self.v)

    def backward(self, upstream, noise_of_scores, noise_of_context):
        """Gradients of queries, keys and values."""
        g = affine(split(upstream), self.gradients, TOKEN, noise_of_context)
        of_shares = g @ self.v.swapaxes(2, 3)
        of_values = self.on_grid.swapaxes(2, 3) @ g
        mean = (of_shares * self.shares).sum(-1, keepdims=True)
        s = self.shares * (of_shares - mean) / np.float32(np.sqrt(SIZE))
        s = affine(s, self.gradients, TOKEN, noise_of_scores)
        return joined(s @ self.k), joined(s.swapaxes(2, 3) @ self.q), joined(of_values)


def drawn(seed=0):
    """Queries, keys, values, gradients of the result and noise by the draw of it."""
    draw = np.random.default_rng(seed)
    inputs = draw.normal(0.2, 1, (3, BATCH, TOKENS, WIDTH)).astype(np.float32)
    upstream = draw.normal(0, 1, (BATCH, TOKENS, WIDTH)).astype(np.float32)
    shapes = (BATCH, HEADS, TOKENS, TOKENS), (BATCH, HEADS, TOKENS, SIZE)
    noises = [draw.uniform(-0.5, 0.5, shape).astype(np.float32) for shape in shapes]
    return inputs, upstream, noises


def made(precision):
    import keras

    from sixteen.networks.parts.attention import Attention
    from sixteen.precision.layers import Layers

    return Attention(HEADS, keras.layers.Dropout(0.0), Layers(precision, 0))


def check(backend, bits, gradients):
    """Hold the layer to NumPy: the result and the gradients, in training and, forward, in tests."""
    import keras

    from sixteen.precision import quantizers

    layer = made(quantized(bits, gradients))
    inputs, upstream, noises = drawn()
    wanted = ByNumpy(inputs, MASK, bits, gradients)
    near = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(np.asarray(layer(*inputs, MASK)), wanted.result, **near)
    own, left = quantizers.uniform, iter(noises)
    quantizers.uniform = lambda *_: keras.ops.convert_to_tensor(next(left))
    try:
        found = (_by_tensorflow if backend == "tensorflow" else _by_jax)(layer, inputs, upstream)
    finally:
        quantizers.uniform = own
    np.testing.assert_allclose(found[0], wanted.result, **near)
    for ours, theirs in zip(found[1], wanted.backward(upstream, *noises), strict=True):
        assert np.abs(theirs).max() > 0.1
        np.testing.assert_allclose(ours, theirs, **near)


def _by_tensorflow(layer, inputs, upstream):
    import tensorflow as tf

    inputs = [tf.constant(x) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        result = layer(*inputs, MASK, training=True)
    gradients = tape.gradient(result, inputs, output_gradients=tf.constant(upstream))
    return result.numpy(), [g.numpy() for g in gradients]


def _by_jax(layer, inputs, upstream):
    import jax

    fixed = [variable.value for variable in layer.non_trainable_variables]

    def run(*inputs):
        return layer.stateless_call([], fixed, *inputs, MASK, training=True)[0]

    result, pull = jax.vjp(jax.jit(run), *inputs)
    return np.asarray(result), [np.asarray(g) for g in pull(jax.numpy.asarray(upstream))]
