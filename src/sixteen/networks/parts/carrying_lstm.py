"""LSTM cells whose last state is the first one of the next batch, and their kind on grids of few bits.

Quantized as in the code of arXiv:2403.02243, with kernels W for the inputs and U for the state and a bias b:

    z_t = Q(x_t) Q(W) + Q(b) + Q(h_t-1) Q(U)

and gates, cell state and output, which come of z_t, in float32. W and U have a range for each output, b has one; x_t and
h_t-1 have one at each step, which moves their averages once a step. The gradients of the two products each come back on
grids of their own, a range for each row of the batch at each step.

What doesn't wait for the step before it is computed for all steps at once: the sums of the inputs, the noise, the
averages. The rest is a loop of the backend. Written out step by step, it is no faster on CPUs (20 steps of 64 units, on
grids, one thread: 13 against 8 ms a training step on TensorFlow, 4.7 against 3.4 on JAX) and takes five times as long to
compile (30 against 7 s).
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from sixteen.precision.bits import FULL
from sixteen.precision.entry import Quantized
from sixteen.precision.noise import uniform
from sixteen.precision.quantizers import (
    MOMENTUM,
    ForwardQuantizer,
    GradientQuantizer,
    MovingQuantizer,
    bits_now,
    fake_quantize,
    round_gradient,
)
from sixteen.tasks.parts import carried

GATES = 4  # input, forget, candidate and output, side by side in each kernel


class CarryingLstm(keras.layers.Layer):
    """Outputs [batch, steps, units] of inputs [batch, steps, features], in the compute type as is all that it computes."""

    def __init__(self, units: int, penalty: Any, **about: Any) -> None:
        """`penalty` is the regularizer of the kernels, or None."""
        super().__init__(**about)
        self.units, self.penalty = units, penalty
        self.carried: list[keras.Variable] = []

    def build(self, shape: Any) -> None:
        """Weights with the names that they have in Keras' LSTM, zero until they are drawn."""
        width = GATES * self.units
        about: dict[str, Any] = {"initializer": "zeros", "regularizer": self.penalty}
        self.kernel = self.add_weight(shape=(shape[-1], width), name="kernel", **about)
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, width), name="recurrent_kernel", **about
        )
        self.bias = self.add_weight(shape=(width,), initializer="zeros", name="bias")
        self.built = True

    def carry(self, batch: int) -> None:
        """Make room for the last output and cell state, [batch, units]. Without, every batch begins at zero."""
        shape = (batch, self.units)
        self.carried = [carried.hold(self, shape, name) for name in ("output", "cell")]

    def call(self, x: Any, training: bool = False) -> Any:
        """The outputs; takes up the state that is carried, and leaves the last one."""
        given, sums = self.sums(x, training)
        # Weightless, and so known to nobody: the loop is Keras' own, which XLA compiles on both backends.
        cell = _Cell(self.units, sums, dtype=self.dtype_policy)
        loop = keras.layers.RNN(
            cell, return_sequences=True, return_state=True, dtype=self.dtype_policy
        )
        outputs, *last = loop(given, initial_state=self.first(x))
        for variable, value in zip(self.carried, last, strict=False):
            variable.assign(value)
        return outputs

    def first(self, x: Any) -> list[Any]:
        """Output and cell state before the first step, [batch, units] each."""
        if not self.carried:
            return 2 * [ops.zeros((ops.shape(x)[0], self.units), self.compute_dtype)]
        return [ops.cast(ops.copy(v.value), self.compute_dtype) for v in self.carried]

    def sums(self, x: Any, training: bool) -> tuple[Any, Callable[[Any, Any], Any]]:
        """What is given to each step, [batch, steps, ...], and the function of that and h, [batch, units], that is z_t."""
        given = ops.matmul(x, self.kernel) + self.bias
        return given, lambda given, h: given + ops.matmul(h, self.recurrent_kernel)


class QuantizedCarryingLstm(CarryingLstm):
    """The same on grids, see the top of this module; float32."""

    def __init__(
        self,
        quantized: Quantized,
        noise_seeds: tuple[int, int],
        units: int,
        penalty: Any,
        **about: Any,
    ) -> None:
        """The noise of the gradients of the two products comes from `noise_seeds`."""
        super().__init__(units, penalty, **about)
        self.quantized = quantized
        self.of_kernel = ForwardQuantizer(quantized, (0,), name="kernel")
        self.of_bias = ForwardQuantizer(quantized, None, name="bias")
        self.of_input = SteppedQuantizer(quantized, name="input")
        self.of_output = SteppedQuantizer(quantized, name="output")
        self.of_gradient = GradientQuantizer(quantized, (-1,), noise_seeds[0], name="gradient")
        self.noise = keras.random.SeedGenerator(noise_seeds[1])

    def build(self, shape: Any) -> None:
        """Build the quantizers too."""
        super().build(shape)
        self.of_input.build(shape)
        self.of_output.build(shape)

    def call(self, x: Any, training: bool = False) -> Any:
        """See `CarryingLstm`."""
        first = self.first(x)[0]
        outputs = super().call(x, training)
        if training:
            before = ops.concatenate([first[:, None], outputs[:, :-1]], axis=1)
            self.of_output.move(before)
        return outputs

    def sums(self, x: Any, training: bool) -> tuple[Any, Callable[[Any, Any], Any]]:
        """See `CarryingLstm`."""
        given = ops.matmul(self.of_input(x, training=training), self.of_kernel(self.kernel))
        given = self.of_gradient(given + self.of_bias(self.bias), training=training)
        kernel, bits = self.of_kernel(self.recurrent_kernel), bits_now(self.quantized)
        if not training:
            return given, lambda given, h: given + ops.matmul(self.of_output.call(h), kernel)
        gradients = self.quantized.gradients
        if gradients >= FULL:
            return given, lambda given, h: given + ops.matmul(fake_quantize(h, bits, None), kernel)
        noise = uniform(given.shape, self.noise)

        def sum_of(given: Any, h: Any) -> Any:
            given, noise = ops.split(given, 2, axis=-1)
            product = ops.matmul(fake_quantize(h, bits, None), kernel)
            return given + round_gradient(product, noise, gradients, (1,))

        return ops.concatenate([given, noise], axis=-1), sum_of


class SteppedQuantizer(MovingQuantizer):
    """Like its base, of sequences [batch, steps, features]: in training every step has a range of its own."""

    def call(self, x: Any, training: bool = False) -> Any:
        """`x` on its grids; a test may give it one step, [batch, features], too."""
        if not training:
            return super().call(x, training=False)
        self.move(x)
        return fake_quantize(x, bits_now(self.quantized), (0, 2))

    def move(self, x: Any) -> None:
        """Move the averages by the range of each step, one after the other."""
        x = ops.stop_gradient(x)
        least, steps = ops.min(x, axis=(0, 2)), x.shape[1]
        now = ops.stack([least, ops.max(x, axis=(0, 2)) - least, ops.ones_like(least)])
        shares = (1 - MOMENTUM) * ops.power(MOMENTUM, ops.arange(steps - 1, -1, -1, "float32"))
        self.moving.assign(self.moving * MOMENTUM**steps + ops.sum(now * shares, axis=1))


class _Cell(keras.layers.Layer):
    """One step: output and cell state [batch, units] of what is given and of the last ones, as `sums` adds them up."""

    def __init__(self, units: int, sums: Callable[[Any, Any], Any], **about: Any) -> None:
        super().__init__(**about)
        self.state_size, self.sums = [units, units], sums

    def call(self, given: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        h, c = states
        gates = ops.split(self.sums(given, h), GATES, axis=-1)
        entered, kept, shown = (ops.sigmoid(gates[place]) for place in (0, 1, 3))
        c = kept * c + entered * ops.tanh(gates[2])
        h = shown * ops.tanh(c)
        return h, [h, c]
