"""Rules, scales and averages on a weight or two, with real tensors and without compiling anything."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from small_runs import ADAM, DYNAMIC, precision, recipe

pytestmark = pytest.mark.usefixtures("keras_started")

PLAIN = {"momentum": 0.0, "learning_rate": 1.0}


def weight(storage, values=(0.0, 0.0)):
    import keras

    return keras.Variable(np.float32(values), dtype=storage)


def applied(rule, format, variable, *gradients):
    """The optimizer after a step with each of the gradients, in the format of the weight."""
    import tensorflow as tf

    from sixteen.training import optimizers

    optimizer = optimizers.build(rule, format)
    optimizer.build([variable])
    kept = [(slot, slot.dtype) for slot in [variable, *optimizer.variables]]
    for gradient in gradients:
        optimizer.apply([tf.cast(tf.constant(gradient), variable.dtype)], [variable])
    assert all(slot.numpy().dtype == dtype for slot, dtype in kept)
    return optimizer


@pytest.mark.parametrize("factor", [2, 4, 1.5])
def test_dynamic_scale_grows_and_shrinks_by_its_factor(factor):
    from sixteen.precision.scales import scale_of
    from sixteen.training.optimizers import updates_of

    dynamic = {"kind": "dynamic", "start": 8, "growth_interval": 2, "factor": factor}
    mixed = precision("mixed_float16", loss_scale=dynamic)
    fine, infinite = (1.0, 0.5), (np.inf, 0.5)
    variable = weight("float32")
    optimizer = applied(recipe(**PLAIN), mixed, variable, fine, fine, fine)
    assert scale_of(optimizer) == 8 * factor
    assert variable.numpy()[0] == pytest.approx(-2 / 8 - 1 / (8 * factor))
    steps = (infinite, fine, infinite, infinite)
    optimizer = applied(recipe(**PLAIN), mixed, weight("float32"), *steps)
    assert scale_of(optimizer) == pytest.approx(8 / factor**3)
    assert updates_of(optimizer) == 1


JAX = """
import sys
sys.path[:0] = [{here!r}]
from sixteen.training import backends
backends.start("jax", 1)
import numpy as np
from test_optimizers import PLAIN, precision, recipe, weight
from sixteen.precision.scales import scale_of
from sixteen.training import optimizers
dynamic = {{"kind": "dynamic", "start": 8, "growth_interval": 2, "factor": 4}}
variable = weight("float32")
rule = optimizers.build(recipe(**PLAIN), precision("mixed_float16", loss_scale=dynamic))
rule.build([variable])
weights, state = [variable.value], [slot.value for slot in rule.variables]
scales = []
for gradient in ((1.0, 0.5), (1.0, 0.5), (1.0, np.inf), (np.nan, 1.0)):
    weights, state = rule.stateless_apply(state, [np.float32(gradient)], weights)
    for slot, value in zip(rule.variables, state, strict=True):
        slot.assign(value)
    scales.append(scale_of(rule))
assert scales == [8, 32, 8, 2], scales
assert optimizers.updates_of(rule) == 2
assert weights[0].tolist() == [-0.25, -0.125], weights
print("checked")
"""


def test_dynamic_scale_on_jax():
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX isn't installed")
    program = JAX.format(here=str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "checked", done.stderr


@pytest.mark.parametrize("kind", ["static", "dynamic"])
def test_master_weights_keep_what_a_scale_saved_and_float16_weights_lose_it(kind):
    scale = DYNAMIC if kind == "dynamic" else {"kind": "static", "factor": 32768}
    gradient = (2.0**-14, 2.0**-9)  # 2^-29 and 2^-24 when unscaled
    for master, expected in ((True, 2.0**-29), (False, 0.0)):
        stored = precision("mixed_float16", master_weights=master, loss_scale=scale)
        variable = weight("float32" if master else "float16")
        applied(recipe(**PLAIN), stored, variable, gradient)
        assert variable.numpy().tolist() == [-expected, -(2.0**-24)]


def test_update_of_a_float16_weight_is_rounded_to_float16_at_every_operation():
    # 0.9 is 0.89990234375 in float16; in float32 arithmetic with one rounding at the end, 0.03 * 0.9 would differ.
    variable = weight("float16", (1.0, 0.03))
    optimizer = applied(recipe(), precision("float16"), variable, (0.1, 0.07), (0.1, 0.07))
    expected, momentum = np.float16([1.0, 0.03]), np.float16([0, 0])
    for _ in range(2):
        step = np.float16([0.1, 0.07]) * np.float16(0.05)
        momentum = momentum * np.float16(0.9) - step
        expected = expected + momentum
    assert np.array_equal(optimizer.momentums[0].numpy(), momentum)
    assert np.array_equal(variable.numpy(), expected)


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_adam_is_that_of_its_paper(kind):
    """arXiv:1412.6980, algorithm 1; arXiv:1711.05101, algorithm 2."""
    about = {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 0.1, "learning_rate": 0.1}
    decay = {"weight_decay": 0.5} if kind == "adamw" else {}
    gradients = np.float32([[1.0, -0.02], [0.3, 0.5], [-2.0, 0.1]])
    variable = weight("float32", (1.0, 2.0))
    applied(recipe(**about, **decay, optimizer=kind), precision("float32"), variable, *gradients)
    expected, first, second = np.float64([1, 2]), np.zeros(2), np.zeros(2)
    for step, gradient in enumerate(gradients.astype(np.float64), 1):
        first = 0.8 * first + 0.2 * gradient
        second = 0.95 * second + 0.05 * gradient**2
        # Keras' epsilon is that of the paper's section 2, not corrected for the bias.
        size = 0.1 * np.sqrt(1 - 0.95**step) / (1 - 0.8**step)
        decayed = expected * (1 - 0.1 * decay.get("weight_decay", 0))
        expected = decayed - size * first / (np.sqrt(second) + 0.1)
    assert variable.numpy() == pytest.approx(expected, rel=1e-5)


def test_momentum_is_that_of_the_heavy_ball():
    variable = weight("float32")
    applied(recipe(learning_rate=0.5, momentum=0.8), precision("float32"), variable, (1, 2), (3, 4))
    # v = -0.5 g, then 0.8 v - 0.5 g; the weight is their sum.
    assert variable.numpy() == pytest.approx([-0.5 - 0.4 - 1.5, -1 - 0.8 - 2])


def test_adam_in_float16_divides_by_zero_unless_epsilon_is_raised():
    for epsilon, finite in ((1e-8, False), (1e-4, True)):
        variable = weight("float16", (1.0, 1.0))
        applied(recipe(**ADAM, epsilon=epsilon), precision("float16"), variable, (1e-3, 1e-1))
        assert np.isfinite(variable.numpy()).tolist() == [finite, True]


def test_adamw_decays_weights():
    variable = weight("float32", (1.0, 2.0))
    about = {"optimizer": "adamw", "epsilon": 1e-8, "weight_decay": 0.5, "learning_rate": 0.01}
    applied(recipe(**ADAM | about), precision("float32"), variable, (0.0, 0.0))
    assert variable.numpy() == pytest.approx([0.995, 1.99])


def test_average_is_there_within_and_gone_after():
    import keras

    from sixteen.training.optimizers import averaged

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    (kernel,) = model.trainable_variables
    kernel.assign([[0.0]])
    optimizer = applied(recipe(**PLAIN, averaging=0.75), precision("float32"), kernel)
    with averaged(model, optimizer):
        assert kernel.numpy() == 0.0  # nothing to average yet
    for gradient in (-1.0, -1.0, -1.0):
        optimizer.apply([keras.ops.convert_to_tensor([[gradient]])], [kernel])
    with averaged(model, optimizer):
        # Starts at the weight after the first update: 1, then 3/4 + 2/4, then 3/4 of that + 3/4.
        assert kernel.numpy() == 1.6875
    assert kernel.numpy() == 3.0


def test_an_average_in_float16_stops_short_of_its_goal_by_some_percent():
    """Where the step towards the goal, a hundredth of the way, is below half a unit of the average."""
    import keras

    from sixteen.training import optimizers

    goal = np.random.default_rng(0).uniform(1, 2, 500)
    for storage, least, most in (("float16", 0.03, 0.12), ("float32", 0, 1e-3)):
        model = keras.Sequential(
            [keras.Input((1,)), keras.layers.Dense(500, use_bias=False, dtype=storage)]
        )
        (kernel,) = model.trainable_variables
        averaging = recipe(**PLAIN, averaging=0.99)
        kernel.assign(1.2 * goal[None])
        zero = np.zeros((1, 500))
        optimizer = applied(averaging, precision(storage), kernel, zero)  # the average starts here
        kernel.assign(goal[None])
        for _ in range(1000):
            optimizer._update_model_variables_moving_average([kernel])
        with optimizers.averaged(model, optimizer):
            gap = kernel.numpy().astype(np.float64)[0] / goal - 1
        assert least <= np.abs(gap).max() <= most


def test_what_is_no_optimizer_or_would_silence_gradients_is_refused():
    with pytest.raises(ValidationError, match=r"'lion' .* 'sgd', 'adam', 'adamw'"):
        recipe(**ADAM | {"optimizer": "lion", "epsilon": 1e-8})
    with pytest.raises(ValidationError, match="to 65504"):
        precision("float16", loss_scale={"kind": "static", "factor": 65536})


@pytest.mark.parametrize("kind", [None, "static", "dynamic"])
@pytest.mark.parametrize("storage", ["float32", "float16"])
def test_gradients_are_clipped_by_their_norm_after_unscaling(kind, storage):
    import tensorflow as tf

    from sixteen.training import optimizers

    scale = {None: None, "static": {"kind": "static", "factor": 8}, "dynamic": DYNAMIC}[kind]
    factor = {None: 1, "static": 8, "dynamic": 32768}[kind]
    clipped = recipe(**PLAIN, clip_norm=0.5)
    mixed = precision("mixed_float16", master_weights=storage == "float32", loss_scale=scale)
    # Weights of float16 and batch norm of float32 together.
    variables = [weight(storage), weight("float32")]
    for gradients, norm in (((0.75, 0.0), (0.0, 1.0)), 1.25), (((0.25, 0.0), (0.0, 0.25)), 0):
        for variable in variables:
            variable.assign([0.0, 0.0])
        optimizer = optimizers.build(clipped, mixed)
        optimizer.build(variables)
        scaled = zip(gradients, variables, strict=True)
        optimizer.apply([tf.cast(tf.constant(g) * factor, v.dtype) for g, v in scaled], variables)
        shrunk = 0.5 / norm if norm else 1
        expected = -np.float32(gradients) * np.float32(shrunk)
        moved = np.stack([variable.numpy().astype(np.float32) for variable in variables])
        assert moved == pytest.approx(expected, rel=1e-3)
        assert np.linalg.norm(moved) == pytest.approx(0.5 if norm else np.sqrt(2) / 4, rel=1e-3)


def test_the_norm_is_taken_in_float32_also_of_float16_gradients():
    # Squares of these are infinite, and zero, in float16.
    for size, count in ((1000.0, 4), (2.0**-14, 2**14)):
        variable = weight("float16", np.zeros(count))
        clipped = recipe(**PLAIN, clip_norm=2.0**-8)
        applied(clipped, precision("float16"), variable, np.full(count, size, np.float32))
        moved = variable.numpy().astype(np.float64)
        assert np.linalg.norm(moved) == pytest.approx(2.0**-8, rel=1e-3)


JAX_CLIPS = """
import sys
sys.path[:0] = [{here!r}]
from sixteen.training import backends
backends.start("jax", 1)
import numpy as np
from test_optimizers import PLAIN, precision, recipe, weight
from sixteen.training import optimizers
for name, kind in (("mixed_float16", "float32"), ("float16_static", "float16")):
    variables = [weight(kind), weight("float32")]
    rule = optimizers.build(recipe(**PLAIN, clip_norm=0.5), precision(name))
    rule.build(variables)
    factor = rule.loss_scale_factor or rule.initial_scale if kind == "float32" else 128
    gradients = [np.asarray([0.75 * factor, 0], kind), np.float32([0, factor])]
    state = [slot.value for slot in rule.variables]
    weights, _ = rule.stateless_apply(state, gradients, [v.value for v in variables])
    assert [w.dtype.name for w in weights] == [kind, "float32"]
    moved = np.stack([np.asarray(w, np.float32) for w in weights])
    assert np.allclose(moved, -np.float32([[0.3, 0], [0, 0.4]]), rtol=1e-3), moved
print("checked")
"""


def test_gradients_are_clipped_on_jax():
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX isn't installed")
    program = JAX_CLIPS.format(here=str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "checked", done.stderr
