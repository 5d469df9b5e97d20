"""What a recipe of params.yaml says: the rule of the optimizer, its rate over time, and how data is drawn.

How long a phase trains isn't a part of it: the sentence says so (`-until-50`, in epochs counted from the start of the
sentence, so that order of batches and learning rate run on over a switch of precision).
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from sixteen.entry import Count, Entry, NotNegative, Positive, Share
from sixteen.training.schedules import Schedule, factors


class _Recipe(Entry):
    """What all optimizers share.

    `clip_norm` is the largest norm of all gradients together, or null; `averaging` the momentum of an average of the
    weights, which is then what is tested and saved, or null.
    """

    learning_rate: Positive
    schedule: Schedule
    clip_norm: Positive | None
    l2: NotNegative
    averaging: Annotated[float, Field(gt=0, lt=1)] | None
    batch: Count
    augmentation: Literal["none", "flip", "crop-flip"]


class Sgd(_Recipe):
    """Stochastic gradient descent; momentum 0 is plain."""

    optimizer: Literal["sgd"]
    momentum: Share


class Adam(_Recipe):
    """Adam (arXiv:1412.6980)."""

    optimizer: Literal["adam"]
    beta_1: Share
    beta_2: Share
    epsilon: Positive


class AdamW(_Recipe):
    """Adam with decoupled weight decay (arXiv:1711.05101)."""

    optimizer: Literal["adamw"]
    beta_1: Share
    beta_2: Share
    epsilon: Positive
    weight_decay: NotNegative


Recipe = Annotated[Sgd | Adam | AdamW, Field(discriminator="optimizer")]


def rates(
    recipe: Recipe, first: int, epoch: int, steps: int, losses: Sequence[float]
) -> np.ndarray:
    """The learning rate of each step of an epoch, float32 [steps], see `schedules.factors`."""
    changed = recipe.learning_rate * factors(recipe.schedule, first, epoch, steps, losses)
    return changed.astype(np.float32)
