"""What a recipe of params.yaml says: the rule of the optimizer, its rate over time, and how data is drawn.

How long a phase trains isn't a part of it: the sentence says so (`-until-50`, in epochs counted from the start of the
sentence, so that order of batches and learning rate run on over a switch of precision).
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from sixteen.entry import Count, Entry, NotNegative, Positive, Share
from sixteen.training.schedules import Schedule, factors


class _Recipe(Entry):
    """What all optimizers share.

    `clip_norm` is the largest norm of all gradients together, or null; `averaging` the momentum of an average of the
    weights, which is then what is tested and saved, or null (not with batches in parts). A batch is computed in `gradient_accumulation` equal parts, one
    after the other, and updates the weights once, with the mean of their gradients; batch normalisation sees a part.
    """

    learning_rate: Positive
    schedule: Schedule
    clip_norm: Positive | None
    l2: NotNegative
    averaging: Annotated[float, Field(gt=0, lt=1)] | None
    label_smoothing: Share
    batch: Count
    gradient_accumulation: Count
    augmentation: Literal["none", "flip", "crop-flip", "resized-crop-flip"]

    @property
    def part(self) -> int:
        """Items that are computed at once."""
        return self.batch // self.gradient_accumulation

    @model_validator(mode="after")
    def _parts_are_equal(self) -> Self:
        if self.batch % self.gradient_accumulation:
            raise ValueError(
                f"expected a `batch` that is a multiple of `gradient_accumulation`, {self.gradient_accumulation}, came "
                f"{self.batch}"
            )
        if self.averaging is not None and self.gradient_accumulation > 1:
            raise ValueError(
                f"expected `averaging: null` with a batch in parts (`gradient_accumulation: {self.gradient_accumulation}`), "
                f"where Keras moves the average with every part and not with every update, came {self.averaging:g}"
            )
        return self


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
    """The learning rate of each of so many `steps` of an epoch, float32 [steps], see `schedules.factors`.

    The parts of a batch are steps with one rate.
    """
    parts = recipe.gradient_accumulation
    changed = recipe.learning_rate * factors(recipe.schedule, first, epoch, steps // parts, losses)
    return np.repeat(changed.astype(np.float32), parts)
