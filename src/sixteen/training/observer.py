"""Theory beside measurement: what rounding does to a run, without changing the run.

At the weights theta that the run has stored, on one fixed batch, the run's own arithmetic is compared with
float32 arithmetic: a twin of the network in float32 that holds the same weights. Measured are the terms of
arXiv:2311.18587, section 4 (error of quantization, error of the gradient, the mean value theorem, the
descent) and of arXiv:1710.03740, section 3 (updates that rounding loses, gradients that underflow, and the
histograms of exponents of its figures 2b and 3). What underflows is counted in the gradient of the task's loss alone,
and so are the exponents: the one of L2 penalties knows no backward pass.

The mean value theorem asks for a smooth loss. Rounding the weights of a ReLU network also moves some units
across their kink, which no Hessian sees. How many is counted, and the change of the gradient is measured a
second time with every unit held on its side (`kinks`): the gap to the Hessian product that is then left is not due to them.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from sixteen import networks
from sixteen.precision.casts import error_of
from sixteen.precision.entry import FLOAT32
from sixteen.precision.formats import SIXTEEN_BIT
from sixteen.precision.scales import scale_of
from sixteen.training import optimizers, theory
from sixteen.training.derivatives import Derivatives, Derived
from sixteen.training.kinks import Crossing, Kinks
from sixteen.training.learner import Learner
from sixteen.training.observed import DESCENT, OBSERVATIONS, TABLES

__all__ = ["TABLES", "Observer"]

# Layers of the network itself: those inside of an attention have no tensor of their own to add to.
TAPPED = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.Dense,
)

Vectors = dict[str, np.ndarray]


class Observer:
    """Measures one run, at whatever weights it has when asked."""

    def __init__(self, learner: Learner) -> None:
        parameters = learner.parameters
        precision, self.recipe = parameters.precision, parameters.recipe
        self.learner, self.optimizer = learner, learner.optimizer
        self.rounds_weights = precision.storage != "float32"
        self.rounds_arithmetic = precision.compute != "float32"
        twin = (
            learner.model
        )  # in float32; its weights are given at each call, its statistics never used
        if self.rounds_arithmetic:
            about = (parameters.network, learner.task.shape, learner.task.outputs, FLOAT32)
            twin = networks.build(*about, self.recipe.l2, parameters.seed)
            learner.task.carry(twin, self.recipe.batch)
        self.tapped = tuple(layer for layer in twin.layers if isinstance(layer, TAPPED))
        self.exact = Derivatives(learner.step, twin, FLOAT32, self.tapped)
        self.kinks = Kinks(self.exact)
        self.own = self.exact
        if self.rounds_arithmetic:
            self.own = Derivatives(learner.step, learner.model, precision)
        variables = learner.model.trainable_variables
        ends = np.cumsum([int(np.prod(variable.shape)) for variable in variables])
        self.parts = {
            variable.path: slice(int(end) - int(np.prod(variable.shape)), int(end))
            for variable, end in zip(variables, ends, strict=True)
        }

    def observe(
        self, epoch: int, rows: np.ndarray, rate: float, cast_to: str
    ) -> dict[str, list[dict[str, Any]]]:
        """Rows of observations, descent, exponents and kinks at the present weights, on the first batch of `rows`.

        `rows` is [steps, batch, ...], `rate` the learning rate of the step that is looked at, `cast_to` the 16-bit
        format whose casting error is measured where weights are stored in float32. Variables of model and optimizer
        are afterwards as they were, bit for bit.
        """
        batch = next(iter(self.learner.task.batches(rows[:1])))
        theta = [variable.numpy() for variable in self.learner.model.trainable_variables]
        wide = [tensor.astype(np.float32) for tensor in theta]
        rounded = None if self.rounds_weights else _rounded(wide, cast_to)
        # Always with vectors where a Hessian is needed once, so that one compiled function serves all.
        errors = rounded and [q.astype(np.float32) - w for q, w in zip(rounded, wide, strict=True)]
        exact = self.exact.at(wide, batch, vectors=errors)
        scaled, gradient = self._gradients(theta, batch, exact)
        vectors = {"theta": _flat(wide), "exact": _flat(exact.gradients)}
        lone = exact
        if self.recipe.l2:
            lone = self.exact.at(wide, batch, vectors=errors, penalized=False)
        if self.rounds_arithmetic:
            vectors["gradient"] = _flat(gradient)
            vectors |= self._of_task(theta, batch, lone)
        crossing = None
        if rounded:
            there = [tensor.astype(np.float32) for tensor in rounded]
            changed = self.exact.at(there, batch, vectors=errors).gradients
            vectors["rounded"] = _flat(rounded)
            vectors["product"] = _flat(exact.products)
            vectors["change"] = _flat(changed) - vectors["exact"]
            if self.kinks.layers:
                crossing = self.kinks.between(wide, there, batch)
                vectors["held"] = _flat(crossing.gradients) - vectors["exact"]
        vectors |= self._updates(wide, scaled, gradient, rate)
        after = self.exact.at(_stepped(theta, gradient, rate), batch, vectors=errors).loss
        return {
            "observations": self._observations(epoch, vectors),
            "descent": [{"epoch": epoch, **_descent(exact, after, rate)}],
            "exponents": self._count_exponents(epoch, lone),
            "kinks": [] if crossing is None else _count_kinks(epoch, crossing),
        }

    def _gradients(
        self, theta: list[np.ndarray], batch: Any, exact: Derived
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The gradient by the run's own arithmetic: of the scaled loss, in the types of the weights; and unscaled.

        Unscaled in float32 alone: what underflowed stays zero.
        """
        scale = scale_of(self.optimizer)
        if self.rounds_arithmetic:
            scaled = self.own.at(theta, batch, scale).gradients
        else:
            scaled = [tensor * np.float32(scale) for tensor in exact.gradients]
        return scaled, [tensor.astype(np.float32) / np.float32(scale) for tensor in scaled]

    def _of_task(self, theta: list[np.ndarray], batch: Any, lone: Derived) -> Vectors:
        """The gradient of the task's loss alone, exact (`lone`) and by the run's own arithmetic, scaled as it is.

        Where weights stand in float32, the gradient of penalties fills what the backward pass has lost.
        """
        own = self.own.at(theta, batch, scale_of(self.optimizer), penalized=False)
        return {"task_exact": _flat(lone.gradients), "task": _flat(own.gradients)}

    def _observations(self, epoch: int, vectors: Vectors) -> list[dict[str, Any]]:
        return [
            {"epoch": epoch, "tensor": tensor}
            | _observation({name: vector[part] for name, vector in vectors.items()})
            for tensor, part in {**self.parts, "all": slice(None)}.items()
        ]

    def _updates(
        self,
        wide: list[np.ndarray],
        scaled: list[np.ndarray],
        gradient: list[np.ndarray],
        rate: float,
    ) -> Vectors:
        """What the optimizer means to add to the weights, and the weights after it did, from one gradient.

        Empty if the step is skipped because the scaled gradient overflows, or isn't finite anyway.
        """
        before = self.learner.snapshot()
        updates = optimizers.updates_of(self.optimizer)
        self.optimizer.learning_rate = rate
        self.learner.step.apply([ops.convert_to_tensor(tensor) for tensor in scaled])
        taken = optimizers.updates_of(self.optimizer) > updates
        variables = self.learner.model.trainable_variables
        after = [variable.numpy().astype(np.float32) for variable in variables]
        self.learner.restore(before)
        if not taken or not all(np.isfinite(tensor).all() for tensor in gradient):
            return {}
        return {"intended": _flat(self._intended(wide, gradient, rate)), "after": _flat(after)}

    def _intended(
        self, wide: list[np.ndarray], gradient: list[np.ndarray], rate: float
    ) -> list[np.ndarray]:
        """Updates by the rule of the run's optimizer in float32, from the state that it is in."""
        rule = optimizers.build(self.recipe, FLOAT32)
        # At zero, where no update is lost in float32 either; only weight decay looks at the weights.
        weights = [keras.Variable(np.zeros_like(tensor), dtype="float32") for tensor in wide]
        rule.build(weights)
        inner: Any = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        for slot, value in zip(rule.variables, inner.variables, strict=True):
            slot.assign(ops.cast(value, slot.dtype))
        rule.learning_rate = rate
        rule.apply([ops.convert_to_tensor(tensor) for tensor in gradient], weights)
        decay = rate * (rule.weight_decay or 0.0)
        return [
            weight.numpy() - np.float32(decay) * tensor
            for weight, tensor in zip(weights, wide, strict=True)
        ]

    def _count_exponents(self, epoch: int, exact: Derived) -> list[dict[str, Any]]:
        of = [("weights", name, g) for name, g in zip(self.parts, exact.gradients, strict=True)]
        of += [
            ("activations", layer.name, ops.convert_to_numpy(gradient))
            for layer, gradient in zip(self.tapped, exact.activations, strict=True)
        ]
        return [
            {"epoch": epoch, "of": kind, "tensor": name, "exponent": exponent, "count": count}
            for kind, name, values in of
            for exponent, count in theory.exponents(values)
        ]


def _count_kinks(epoch: int, crossing: Crossing) -> list[dict[str, Any]]:
    counts = {name: (units, crossing.crossed[name]) for name, units in crossing.units.items()}
    counts["all"] = (sum(crossing.units.values()), sum(crossing.crossed.values()))
    return [
        {"epoch": epoch, "layer": layer, "units": units, "crossed": crossed}
        for layer, (units, crossed) in counts.items()
    ]


def _rounded(wide: list[np.ndarray], cast_to: str) -> list[np.ndarray]:
    with np.errstate(over="ignore", under="ignore"):
        return [tensor.astype(SIXTEEN_BIT[cast_to]) for tensor in wide]


def _stepped(theta: list[np.ndarray], gradient: list[np.ndarray], rate: float) -> list[np.ndarray]:
    """The weights after one plain gradient step, rounded as the run stores them, in float32."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return [
            (w.astype(np.float32) - np.float32(rate) * g).astype(w.dtype).astype(np.float32)
            for w, g in zip(theta, gradient, strict=True)
        ]


def _descent(exact: Derived, after: float, rate: float) -> dict[str, float | None]:
    """L' <= L - eta ||g||^2 + R of arXiv:2311.18587, section 4, solved for R."""
    norm = theory.norm(_flat(exact.gradients))
    predicted = np.nan if norm is None else rate * norm**2
    actual = exact.loss - after
    values = (rate, exact.loss, after, predicted, actual, predicted - actual)
    cells = [float(value) if np.isfinite(value) else None for value in values]
    return dict(zip(DESCENT[1:], cells, strict=True))


def _observation(part: Vectors) -> dict[str, Any]:
    """The cells of one row of observations.csv from the vectors that could be measured."""
    row: dict[str, Any] = dict.fromkeys(OBSERVATIONS[2:])
    theta, exact = part["theta"], part["exact"]
    row["elements"] = theta.size
    row["weight_norm"], row["gradient_norm"] = theory.norm(theta), theory.norm(exact)
    if "rounded" in part:
        rounding = error_of(theta, part["rounded"])
        row["quantization_error"] = rounding["error_norm"]
        row["quantization_bound"] = rounding["bound_norm"]
        row["hessian_product"] = theory.norm(part["product"])
        row["gradient_change"] = theory.norm(part["change"])
        row["gradient_change_gap"] = theory.norm(part["change"] - part["product"])
    if "held" in part:
        row["held_change"] = theory.norm(part["held"])
        row["held_change_gap"] = theory.norm(part["held"] - part["product"])
    if "gradient" in part:
        row["gradient_error"] = theory.norm(part["gradient"] - exact)
        row["gradient_cosine"] = theory.cosine(part["gradient"], exact)
        row["underflowed_gradients"] = theory.underflowed(part["task_exact"], part["task"])
    if "intended" in part:
        updates = theory.lost_updates(part["intended"], theta, part["after"])
        row["updates"], row["lost_updates"] = updates
        row["update_norm"] = theory.norm(part["intended"])
        row["update_error"] = theory.update_error(part["intended"], theta, part["after"])
    return row


def _flat(tensors: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([tensor.ravel() for tensor in tensors])
