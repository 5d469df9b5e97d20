"""The optimizer of a recipe: the rule, clipping, the average of the weights. All by Keras.

What is computed in which format (tests/training/test_dtypes_in_graph.py holds Keras to it):
- The update of a weight is computed in the format that this weight is stored in: float32 for master weights,
  the compute type without. So are momentum, Adam's moments and averages. Learning rate and other factors are
  rounded to that format first.
- Gradients of a scaled loss are unscaled before anything else uses them, see `sixteen.precision.scales`.
- Clipping, by Keras' `global_clipnorm`, comes after that (arXiv:1710.03740, section 3.2). The norm of all gradients
  together and the clipped gradients are computed in float32, and these are rounded back to the formats of their
  weights. Keras by itself takes squares in the gradients' own formats: in float16 they are infinite from a norm of
  256 on and 0 for elements below 2^-13, and TensorFlow can't multiply float16 gradients by the factor at all where
  batch norm keeps float32 ones.
- Adam corrects its bias in the format of the weight too: 0.999 in float16 is 0.99902, and in bfloat16 it is 1,
  so that no weight would ever move; the parameters of a study refuse that.
- Gradients of the parts of a batch are added up in the format of their weight, and the sum is divided there. Where a
  dynamic scale skips a part, the first one of the next batch takes its place.
- AdamW's decay, like every rule here, applies to all trained numbers, those of batch norm as well. Keras subtracts
  it by itself: in a 16-bit weight, learning rate times decay below 2^-12 (float16) is lost to rounding.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from sixteen.precision.entry import Precision
from sixteen.precision.scales import scaled
from sixteen.training.recipe import Adam, AdamW, Recipe


def build(recipe: Recipe, precision: Precision) -> keras.optimizers.Optimizer:
    """The optimizer that a recipe names, with the loss scale of a precision entry.

    Averages follow every update from the first one on, which they start from.
    """
    return scaled(_rule(recipe), precision.loss_scale)


def _rule(recipe: Recipe) -> keras.optimizers.Optimizer:
    settings: dict[str, Any] = {
        "learning_rate": recipe.learning_rate,
        "global_clipnorm": recipe.clip_norm,
    }
    if recipe.gradient_accumulation > 1:
        settings |= {"gradient_accumulation_steps": recipe.gradient_accumulation}
    if recipe.averaging is not None:
        settings |= {"use_ema": True, "ema_momentum": recipe.averaging}
    match recipe.optimizer:
        case "sgd":
            rule = keras.optimizers.SGD(momentum=recipe.momentum, **settings)
        case "adam":
            rule = keras.optimizers.Adam(**_moments(recipe), **settings)
        case "adamw":
            rule = keras.optimizers.AdamW(
                weight_decay=recipe.weight_decay, **_moments(recipe), **settings
            )
    if recipe.clip_norm is not None:
        _clip_in_float32(rule)
    return rule


def _moments(recipe: Adam | AdamW) -> dict[str, float]:
    return {"beta_1": recipe.beta_1, "beta_2": recipe.beta_2, "epsilon": recipe.epsilon}


def _clip_in_float32(rule: Any) -> None:
    own = rule._clip_gradients

    def clipped(gradients: list[Any]) -> list[Any]:
        wide = own([ops.cast(gradient, "float32") for gradient in gradients])
        return [ops.cast(w, g.dtype) for w, g in zip(wide, gradients, strict=True)]

    rule._clip_gradients = clipped


def updates_of(optimizer: keras.optimizers.Optimizer) -> int:
    """How many updates have been made; steps that dynamic loss scaling skipped don't count."""
    return int(ops.convert_to_tensor(optimizer.iterations))


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
