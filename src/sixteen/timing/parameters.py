"""What the step `time` reads."""

from typing import Annotated, Literal

from pydantic import Field

from sixteen.entry import Count, Entry, Listed, Name
from sixteen.networks import AnyNetwork
from sixteen.precision.entry import Precision
from sixteen.training.recipe import Recipe


class Arm(Entry):
    """An arm of a study, as its last phrase trains."""

    name: Name
    precision: Precision
    recipe: Recipe


class Timing(Entry):
    """Two arms on a network and dataset, in so many turns A B, each of so many steps."""

    backend: Literal["tensorflow", "jax"]
    threads: Count
    task: Name
    network: AnyNetwork
    arms: Annotated[Listed[Arm], Field(min_length=2, max_length=2)]
    turns: Annotated[int, Field(ge=2)]
    steps: Count
