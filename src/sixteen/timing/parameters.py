"""What the step `time` reads."""

from typing import Annotated, Literal

from pydantic import Field

from sixteen.entry import Count, Entry, Listed, Name
from sixteen.networks import AnyNetwork
from sixteen.precision.entry import AnyPrecision
from sixteen.training.parameters import Training
from sixteen.training.recipe import Recipe

# Column `arm` of times.csv. A timing knows no names of arms, so that one serves all studies, however they call them.
ARMS: tuple[str, str] = ("first", "second")


class Arm(Entry):
    """What one side of a comparison trains with, and on."""

    backend: Literal["tensorflow", "jax"]
    threads: Count
    devices: Count
    precision: AnyPrecision
    recipe: Recipe


class Timing(Entry):
    """Two arms of one network, measured in so many turns A B of so many steps each."""

    task: Name
    network: AnyNetwork
    arms: Annotated[Listed[Arm], Field(min_length=2, max_length=2)]
    turns: Count
    steps: Count

    def training(self, arm: Arm, batch: int) -> Training:
        """The training of an arm in batches of `batch`, of which some steps are measured."""
        return Training(
            backend=arm.backend,
            threads=arm.threads,
            devices=arm.devices,
            seed=0,
            task=self.task,
            network=self.network,
            precision=arm.precision,
            recipe=arm.recipe.model_copy(update={"batch": batch}),
            until=1,
            checkpoint_epochs=1,
            checkpoint_steps=1,
            watched=(),
        )


class Job(Entry):
    """What one process measures: `steps` steps of a training, one by one."""

    training: Training
    steps: Count
