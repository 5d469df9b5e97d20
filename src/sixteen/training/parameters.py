"""What the steps `train`, `continue_training` and `observe` read."""

from typing import Annotated, Literal

from pydantic import Field

from sixteen.entry import Count, Entry, Listed, Name
from sixteen.networks import AnyNetwork
from sixteen.precision.entry import AnyPrecision
from sixteen.training.recipe import Recipe


class Watch(Entry):
    """What is measured of the theory: at the first epoch of a phase, every so many after it, and at its end.

    `cast_to` is the format whose casting error is measured where a run stores its weights in float32.
    """

    every: Count
    cast_to: Literal["float16", "bfloat16"]


class Watched(Entry):
    """An observation to be made while a run trains: for the run `fingerprint`, by `module` (named, so that its code
    is no part of the training, whose bytes it doesn't change)."""

    fingerprint: str
    module: str
    watch: Watch


class Training(Entry):
    """One phase of training.

    `until` is the last epoch, counted from the start of the sentence. `checkpoint_epochs`, `checkpoint_steps` and
    `watched` can't change the result: they are settings, and in no fingerprint.
    """

    backend: Literal["tensorflow", "jax"]
    threads: Count
    devices: Count
    seed: Annotated[int, Field(ge=0)]
    task: Name
    network: AnyNetwork
    precision: AnyPrecision
    recipe: Recipe
    until: Count
    checkpoint_epochs: Count
    checkpoint_steps: Count
    watched: Listed[Watched]


class Observation(Entry):
    """An observation of a phase of training: `training` as it was planned, and what of it is watched."""

    training: Training
    watch: Watch
