"""What a model carries from batch to batch: state of a recurrence, which is no weight.

It lives in variables of the model that aren't trained, so that both backends and checkpoints handle it like batch
statistics; their names begin with `CARRIED`. (Keras' own `stateful` keeps states outside of the variables, where neither
JAX nor a checkpoint finds them.)
"""

from typing import Any

import keras
from keras import ops

CARRIED = "carried"


def hold(layer: keras.layers.Layer, shape: tuple[int, ...], name: str) -> keras.Variable:
    """Give a layer, built already, a variable for what it carries: zero at first, in the format of its weights."""
    # Keras locks a layer once it is built; how many streams there are is known later, from the recipe.
    tracker: Any = layer._tracker
    tracker.unlock()
    about: dict[str, Any] = {"shape": shape, "initializer": "zeros", "trainable": False}
    variable = layer.add_weight(name=f"{CARRIED}_{name}", **about)
    tracker.lock()
    return variable


def reset(model: keras.Model) -> None:
    """Zero all that the model carries."""
    for variable in model.non_trainable_variables:
        if variable.name.startswith(CARRIED):
            variable.assign(ops.zeros_like(variable.value))
