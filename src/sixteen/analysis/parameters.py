"""What the step `summarize` reads."""

from typing import Annotated, Literal

from pydantic import Field

from sixteen.entry import Entry, Listed, Name, Text
from sixteen.networks import AnyNetwork
from sixteen.precision.entry import AnyPrecision
from sixteen.study.claim import Claim, Levels, Table
from sixteen.study.machine import Machine
from sixteen.training.recipe import Recipe


class RunOf(Entry):
    """A run of a study: `evaluated`, `training` (of each phase), `quantized` and `observed` are roles among the inputs.

    `observed` has one role a phase, null for one that wasn't observed; `quantized` is null without a cast.
    """

    network: Text
    arm: Text
    seed: Annotated[int, Field(ge=0)]
    evaluated: Text
    training: Annotated[Listed[Text], Field(min_length=1)]
    quantized: Text | None
    observed: Annotated[Listed[Text | None], Field(min_length=1)]


class TimedOf(Entry):
    """Two arms whose time was measured in turns, by the run in the role `timed`: its first and its second."""

    network: Text
    arms: Annotated[Listed[Text], Field(min_length=2, max_length=2)]
    timed: Text


class Along(Entry):
    """Where arms stand along an axis: each by what it is called without it, and by the name of its level."""

    axis: Name
    arms: dict[Text, Annotated[Listed[str], Field(min_length=2, max_length=2)]]


class Summary(Machine):
    """A study as it was planned; `arms` are sentences by name.

    `papers` are as they are shown ("arXiv:2311.18587"). `networks`, `precisions` and `recipes` are by the names in paths
    and sentences, with their variations. `published` is the paper's table, `factorial` the arms of a design, `reach` the test accuracy of
    "time to equal accuracy"; each is null where the study has none, and so is `along`. `backend`, `threads` and `devices`
    hold where a sentence names none of `machines`.
    """

    study: Name
    title: Text
    papers: Listed[Text]
    scale: Literal["toy", "small", "paper"]
    task: Name
    dataset: Name
    arms: dict[Text, Text]
    claims: Listed[Claim]
    published: Table | None
    along: Along | None
    factorial: Listed[Text] | None
    reach: Annotated[float, Field(gt=0, le=1)] | None
    statistics: Levels
    networks: dict[Text, AnyNetwork]
    precisions: dict[Text, AnyPrecision]
    recipes: dict[Text, Recipe]
    machines: dict[Text, Machine]
    runs: Listed[RunOf]
    timed: Listed[TimedOf]
