"""Learning rates over time: a factor on the recipe's rate for each step.

Every schedule begins with `warmup` epochs in which the rate rises linearly, step by step, to the recipe's rate (the
first step takes one such rise, the last one the full rate); what the schedule lowers, it lowers from there on. Epochs
count from the start of the sentence, warm-up included; where `restarts` is true, from the start of the phase instead,
so that the same schedule begins anew after a switch of precision.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from sixteen.entry import Count, Entry, Listed, Share


class _Schedule(Entry):
    warmup: Annotated[float, Field(ge=0)]
    restarts: bool


class _Lowering(_Schedule):
    """From the recipe's rate, at the end of the warm-up, to `end` times it, at the end of epoch `epochs`; then stays."""

    epochs: Count
    end: Share

    @model_validator(mode="after")
    def _begins(self) -> Self:
        if self.warmup >= self.epochs:
            raise ValueError(
                f"expected a `warmup` shorter than the {self.epochs} `epochs` of the schedule, which include it, came "
                f"{self.warmup:g}"
            )
        return self


class Constant(_Schedule):
    """The recipe's rate throughout."""

    kind: Literal["constant"]


class Step(_Schedule):
    """Times `factor` at the end of each of the epochs `at`."""

    kind: Literal["step"]
    at: Annotated[Listed[Count], Field(min_length=1)]
    factor: Annotated[float, Field(gt=0, lt=1)]


class Cosine(_Lowering):
    """Along half a cosine (arXiv:1608.03983, equation 5)."""

    kind: Literal["cosine"]


class Linear(_Lowering):
    """Along a line."""

    kind: Literal["linear"]


class Plateau(_Schedule):
    """Times `factor` whenever the mean training loss of an epoch hasn't fallen below its least for `patience` epochs."""

    kind: Literal["plateau"]
    factor: Annotated[float, Field(gt=0, lt=1)]
    patience: Count


Schedule = Annotated[Constant | Step | Cosine | Linear | Plateau, Field(discriminator="kind")]


def factors(
    schedule: Schedule, first: int, epoch: int, steps: int, losses: Sequence[float]
) -> np.ndarray:
    """What the recipe's rate is multiplied with in each step of `epoch` (from 1): float64 [steps].

    `first` is the last epoch before the phase, `losses` are the mean training losses of the finished epochs of the
    sentence. A function of its arguments alone, so that a run that is resumed has the rates of the uninterrupted one.
    """
    origin = first if schedule.restarts else 0
    done = epoch - 1 - origin
    times = done + np.arange(steps) / steps  # in epochs, at the start of each step
    match schedule:
        case Constant():
            lowered = np.ones(steps)
        case Step():
            lowered = np.full(steps, schedule.factor ** sum(done >= at for at in schedule.at))
        case Cosine():
            lowered = schedule.end + (1 - schedule.end) * _half_cosine(_passed(schedule, times))
        case Linear():
            lowered = 1 - (1 - schedule.end) * _passed(schedule, times)
        case Plateau():
            lowered = np.full(steps, schedule.factor ** _plateaus(schedule, losses[origin:]))
    if schedule.warmup == 0:
        return lowered
    return np.minimum((times + 1 / steps) / schedule.warmup, 1) * lowered


def _passed(schedule: Cosine | Linear, times: np.ndarray) -> np.ndarray:
    """How much of the way from the end of the warm-up to the last epoch lies behind, 0 to 1."""
    return np.clip((times - schedule.warmup) / (schedule.epochs - schedule.warmup), 0, 1)


def _half_cosine(passed: np.ndarray) -> np.ndarray:
    """From 1 to 0."""
    return (1 + np.cos(math.pi * passed)) / 2


def _plateaus(schedule: Plateau, losses: Sequence[float]) -> int:
    """How often the patience ended."""
    ended, waited, least = 0, 0, math.inf
    for loss in losses:
        waited = 0 if loss < least else waited + 1
        least = min(least, loss)
        if waited == schedule.patience:
            ended, waited = ended + 1, 0
    return ended
