"""Scales of the loss: what lifts gradients out of the underflow of 16 bit (arXiv:1710.03740, section 3.2).

Gradients of a scaled loss are unscaled right after the backward pass, before anything else uses them. Those of master
weights arrive in float32 and are unscaled in float32. Those of 16-bit weights are divided by a static factor in 16
bit; by a dynamic scale, which Keras keeps in float32, in float32, and are rounded back to 16 bit before the rule sees
them. Both ways, what the scale has saved from underflow in the backward pass is lost again if its unscaled value is
below half of the smallest subnormal number (2^-25 in float16).

A dynamic scale is multiplied with the loss in float32. It can't reach 65536 where the loss or the L2 penalty (computed
in the format of its weights) is float16: the gradient that enters these is the scale itself, 65536 is infinite, so
that step is skipped and the scale halved.
"""

from typing import Any

import keras
from keras import ops

from sixteen.precision.entry import LossScale


def scaled(rule: keras.optimizers.Optimizer, scale: LossScale | None) -> keras.optimizers.Optimizer:
    """The optimizer that scales the loss for `rule` and unscales its gradients; `rule` itself without a scale."""
    if scale is None:
        return rule
    if scale.kind == "static":
        rule.loss_scale_factor = scale.factor
        return rule
    settings = (rule, scale.start, scale.growth_interval)
    if scale.factor == 2:
        return keras.optimizers.LossScaleOptimizer(*settings)
    return FactorScaleOptimizer(*settings, factor=scale.factor)


def scale_of(optimizer: keras.optimizers.Optimizer) -> float:
    """The factor that the loss is multiplied with at present; 1 without loss scaling."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return float(optimizer.dynamic_scale.numpy())
    return optimizer.loss_scale_factor or 1.0


class FactorScaleOptimizer(keras.optimizers.LossScaleOptimizer):
    """Keras' dynamic loss scaling, which doubles and halves the scale, with another factor than 2."""

    def __init__(self, *settings: Any, factor: float) -> None:
        super().__init__(*settings)
        self.factor = factor

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Take or skip a step and move the scale (TensorFlow)."""
        before = ops.copy(self.dynamic_scale)  # its value, not the variable that is about to change
        super().apply(grads, trainable_variables)
        self.dynamic_scale.assign(self._moved(before, self.dynamic_scale))

    def stateless_apply(
        self, optimizer_variables: Any, grads: Any, trainable_variables: Any
    ) -> tuple[Any, Any]:
        """Take or skip a step and move the scale (JAX)."""
        weights, state = super().stateless_apply(optimizer_variables, grads, trainable_variables)
        place = next(i for i, v in enumerate(self.variables) if v is self.dynamic_scale)
        state[place] = self._moved(optimizer_variables[place], state[place])
        return weights, state

    def _moved(self, before: Any, after: Any) -> Any:
        """The scale after a step that Keras has moved from `before` to `after`: doubled, halved or kept."""
        smaller = ops.where(after < before, before / self.factor, before)
        return ops.where(after > before, before * self.factor, smaller)
