"""One layer of LSTM on grids in NumPy, step by step, forward and backward, after arXiv:2403.02243 and its code; and what
holds the project's layer to it on whichever backend runs."""

import numpy as np

BATCH, STEPS, FEATURES, UNITS = 3, 5, 4, 6
NAMES = ("kernel", "recurrent_kernel", "bias")


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def affine(x, bits, axes, noise=0.0):
    """`x` on 2^bits numbers between its ends over `axes`."""
    if bits == 32:
        return x
    least, most = x.min(axis=axes, keepdims=True), x.max(axis=axes, keepdims=True)
    return on(x, bits, least, most - least, noise)


def on(x, bits, least, width, noise=0.0):
    places = np.float32(2**bits - 1)
    step = np.maximum(width / places, np.float32(1e-8))
    return np.rint(np.clip((x - least) / step + noise, 0, places)) * step + least


class ByNumpy:
    """Outputs of a training batch, and gradients for those of the outputs."""

    def __init__(self, weights, x, first, bits, gradients):
        self.W, self.U, self.b = (weights[name] for name in NAMES)
        self.bits, self.gradients = bits, gradients
        self.QW, self.QU = affine(self.W, bits, 0), affine(self.U, bits, 0)
        h, c = first
        self.kept, self.outputs, self.ranges = [], [], {"input": [], "output": []}
        for t in range(STEPS):
            self.ranges["input"].append((x[:, t].min(), np.ptp(x[:, t])))
            self.ranges["output"].append((h.min(), np.ptp(h)))
            qx, qh = affine(x[:, t], bits, None), affine(h, bits, None)
            z = qx @ self.QW + affine(self.b, bits, None) + qh @ self.QU
            i, f, g, o = np.split(z, 4, axis=1)
            i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
            before, c = c, f * c + i * g
            h = o * np.tanh(c)
            self.kept.append((qx, qh, i, f, g, o, before, c))
            self.outputs.append(h)
        self.last = h, c

    def backward(self, upstream, noise_of_inputs, noise_of_state):
        """Gradients of kernels, bias and inputs."""
        dW, dU, db = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.b)
        dx = np.zeros((BATCH, STEPS, FEATURES), np.float32)
        dh = dc = np.zeros((BATCH, UNITS), np.float32)
        for t in reversed(range(STEPS)):
            qx, qh, i, f, g, o, before, c = self.kept[t]
            dh = dh + upstream[:, t]
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            z = [dc * g * i * (1 - i), dc * before * f * (1 - f)]
            z += [dc * i * (1 - g**2), dh * np.tanh(c) * o * (1 - o)]
            dz = np.concatenate(z, axis=1)
            for_inputs = affine(dz, self.gradients, 1, noise_of_inputs[:, t])
            for_state = affine(dz, self.gradients, 1, noise_of_state[:, t])
            dW, db = dW + qx.T @ for_inputs, db + for_inputs.sum(0)
            dU = dU + qh.T @ for_state
            dx[:, t] = for_inputs @ self.QW.T
            dh, dc = for_state @ self.QU.T, dc * f
        return dW, dU, db, dx


def averages(ranges, before=(0.0, 0.0, 0.0)):
    """The moving range after these ranges of steps, one after the other."""
    moving = np.array(before)
    for least, width in ranges:
        moving = 0.9 * moving + 0.1 * np.array([least, width, 1])
    return moving


def quantized(low=3, gradients=4, ranges="moving"):
    from sixteen.precision.bits import Static
    from sixteen.precision.entry import FLOAT32, Quantized

    grids = {"low": low, "high": low, "gradients": gradients, "ranges": ranges}
    return Quantized(**FLOAT32.plain(), **grids, bits=Static(kind="static"))


def made(precision, seed=0):
    """A layer, its weights by name, inputs and upstream gradients, and noise by the draw of it."""
    from sixteen.networks.parts.carrying_lstm import QuantizedCarryingLstm

    draw = np.random.default_rng(seed)
    layer = QuantizedCarryingLstm(precision, (1, 2), UNITS, None)
    layer.build((None, STEPS, FEATURES))
    weights = {}
    for name in NAMES:
        variable = getattr(layer, name)
        weights[name] = draw.uniform(-0.6, 0.6, variable.shape).astype(np.float32)
        variable.assign(weights[name])
    x = draw.normal(0.2, 1, (BATCH, STEPS, FEATURES)).astype(np.float32)
    upstream = draw.normal(0, 1, (BATCH, STEPS, UNITS)).astype(np.float32)
    noises = draw.uniform(-0.5, 0.5, (2, BATCH, STEPS, 4 * UNITS)).astype(np.float32)
    return layer, weights, x, upstream, noises


def check(backend, bits, gradients):
    """Hold the layer to NumPy: outputs, what it carries, averages, gradients."""
    import keras

    from sixteen.networks.parts import carrying_lstm
    from sixteen.precision import quantizers

    layer, weights, x, upstream, noises = made(quantized(bits, gradients))
    layer.carry(BATCH)
    first = np.random.default_rng(9).uniform(-0.5, 0.5, (2, BATCH, UNITS)).astype(np.float32)
    for variable, value in zip(layer.carried, first, strict=True):
        variable.assign(value)
    drawn, modules = iter(noises), (carrying_lstm, quantizers)
    own = [module.uniform for module in modules]
    for module in modules:
        module.uniform = lambda *_: keras.ops.convert_to_tensor(next(drawn))
    try:
        found = (_by_tensorflow if backend == "tensorflow" else _by_jax)(layer, x, upstream)
    finally:
        for module, function in zip(modules, own, strict=True):
            module.uniform = function
    outputs, gradients_of, moved = found
    wanted = ByNumpy(weights, x, first, bits, gradients)
    near = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(outputs, np.stack(wanted.outputs, 1), **near)
    expected = wanted.backward(upstream, *noises)
    assert len(gradients_of) == len(expected) == 4
    for ours, theirs in zip(gradients_of, expected, strict=True):
        assert np.abs(theirs).max() > 0.1
        np.testing.assert_allclose(ours, theirs, **near)
    for name, value in zip(("carried_output", "carried_cell"), wanted.last, strict=True):
        np.testing.assert_allclose(moved[name], value, **near)
    for name in ("input", "output"):
        np.testing.assert_allclose(
            moved[f"{name}/input_range"], averages(wanted.ranges[name]), **near
        )


def _by_tensorflow(layer, x, upstream):
    import tensorflow as tf

    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
    watched = [*(getattr(layer, name) for name in NAMES), inputs]
    watched = [w if isinstance(w, tf.Tensor) else w.value for w in watched]
    gradients = tape.gradient(outputs, watched, output_gradients=tf.constant(upstream))
    return outputs.numpy(), [g.numpy() for g in gradients], _fixed(layer)


def _by_jax(layer, x, upstream):
    import jax

    fixed = [variable.value for variable in layer.non_trainable_variables]

    def run(trainable, x):
        return layer.stateless_call(trainable, fixed, x, training=True)

    trainable = [variable.value for variable in layer.trainable_variables]
    outputs, pull, moved = jax.vjp(jax.jit(run), trainable, x, has_aux=True)
    weights, inputs = pull(jax.numpy.asarray(upstream))
    for variable, value in zip(layer.non_trainable_variables, moved, strict=True):
        variable.assign(value)
    return np.asarray(outputs), [*map(np.asarray, (*weights, inputs))], _fixed(layer)


def _fixed(layer):
    """What isn't trained, by the ends of the names."""
    found = {}
    for variable in layer.non_trainable_variables:
        parts = variable.path.split("/")
        found[parts[-1]] = found["/".join(parts[-2:])] = variable.numpy()
    return found
