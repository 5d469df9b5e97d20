"""The optimizer of a recipe: the rule, the scale of the loss, the average of the weights. All by Keras.

What is computed in which format (tests/training/test_dtypes_in_graph.py holds Keras to it):
- The update of a weight is computed in the format that this weight is stored in: float32 for master weights,
  the compute type without. So are momentum, Adam's moments and averages. Learning rate and other factors are
  rounded to that format first.
- Gradients of a scaled loss are unscaled right after the backward pass, before anything else uses them
  (arXiv:1710.03740, section 3.2). Those of master weights arrive in float32 and are unscaled in float32.
  Those of 16-bit weights are divided by a static factor in 16 bit; by a dynamic scale, which Keras keeps in
  float32, in float32, and are rounded back to 16 bit before the rule sees them. Both ways, what the scale
  has saved from underflow in the backward pass is lost again if its unscaled value is below half of the
  smallest subnormal number (2^-25 in float16).
- A dynamic scale is multiplied with the loss in float32. It can't reach 65536 where the loss or the L2
  penalty (computed in the format of its weights) is float16: the gradient that enters these is the scale
  itself, 65536 is infinite, so that step is skipped and the scale halved.
- Adam corrects its bias in the format of the weight too: 0.999 in float16 is 0.99902, and in bfloat16 it is 1,
  so that no weight would ever move; `sixteen.parameters` refuses that.
- AdamW's decay, like every rule here, applies to all trained numbers, those of batch norm as well. Keras subtracts
  it by itself: in a 16-bit weight, learning rate times decay below 2^-12 (float16) is lost to rounding.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from sixteen.errors import UserError
from sixteen.precision.formats import holds, range_of, scale_formats


def build(recipe: dict[str, Any], precision: dict[str, Any]) -> keras.optimizers.Optimizer:
    """The optimizer that a recipe names, with the loss scale of a precision entry.

    SGD (momentum 0 is plain), Adam and AdamW. Averages follow every update from the first one on, which they
    start from. Raises UserError for another optimizer, or for a factor that float16 can't hold.
    """
    rule = _rule(recipe)
    scale = precision["loss_scale"]
    if scale is None:
        return rule
    if scale["kind"] == "dynamic":
        settings = (rule, float(scale["start"]), scale["growth_interval"])
        if scale["factor"] == 2:
            return keras.optimizers.LossScaleOptimizer(*settings)
        return DynamicScale(*settings, factor=scale["factor"])
    for format in scale_formats(precision):
        if not holds(scale["factor"], format):
            # Dividing by infinity would make every gradient 0, without a word.
            raise UserError(
                f"expected a loss scale that {format} can hold ({range_of(format)}), came {scale['factor']:g}; "
                "correct `factor` of this precision in params.yaml"
            )
    rule.loss_scale_factor = float(scale["factor"])
    return rule


def _rule(recipe: dict[str, Any]) -> keras.optimizers.Optimizer:
    average = recipe["averaging"]
    settings: dict[str, Any] = {"learning_rate": float(recipe["learning_rate"])}
    if average is not None:
        settings |= {"use_ema": True, "ema_momentum": average["momentum"]}
    if recipe["optimizer"] == "sgd":
        # Keras takes no whole numbers here, and `momentum: 0` is one.
        return keras.optimizers.SGD(momentum=float(recipe["momentum"]), **settings)
    settings |= {key: float(recipe[key]) for key in ("beta_1", "beta_2", "epsilon")}
    if recipe["optimizer"] == "adam":
        return keras.optimizers.Adam(**settings)
    if recipe["optimizer"] == "adamw":
        return keras.optimizers.AdamW(weight_decay=recipe["weight_decay"], **settings)
    raise UserError(
        f"expected the optimizer sgd, adam or adamw, came {recipe['optimizer']!r}; correct `optimizer` of the "
        "recipe in params.yaml"
    )


class DynamicScale(keras.optimizers.LossScaleOptimizer):
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


def scale_of(optimizer: keras.optimizers.Optimizer) -> float:
    """The factor that the loss is multiplied with at present; 1 without loss scaling."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return float(optimizer.dynamic_scale.numpy())
    return optimizer.loss_scale_factor or 1.0


def updates_of(optimizer: keras.optimizers.Optimizer) -> int:
    """How many updates have been made; steps that dynamic loss scaling skipped don't count."""
    return int(optimizer.iterations.numpy())


@contextlib.contextmanager
def averaged(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Within, the model holds the average of its weights, if the recipe asks for one; then its own again.

    Before the first update there is no average yet. Batch-norm statistics stay those of the training.
    """
    inner: Any = getattr(optimizer, "inner_optimizer", optimizer)
    if not inner.use_ema or updates_of(optimizer) == 0:
        yield
        return
    own = [variable.numpy() for variable in model.trainable_variables]
    optimizer.finalize_variable_values(model.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, own, strict=True):
            variable.assign(value)
