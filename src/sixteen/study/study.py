"""A study: which sentences are compared on which networks and seeds, and what that is to decide."""

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from sixteen.entry import Count, Entry, Listed, Name, Text
from sixteen.study import sentence
from sixteen.study.axes import Axis, Factorial, expand, fill, places
from sixteen.training.parameters import Watch


class Watching(Watch):
    """What is observed of a study's runs, in `all` phases of a sentence or in the `last` alone."""

    phases: Literal["all", "last"]


class Clock(Entry):
    """How times are measured alone: so many turns of A B, each of so many steps."""

    turns: Annotated[int, Field(ge=2, le=10_000)]
    steps: Count


class Study(Entry):
    """An entry of `studies`; keys with None or nothing as their value here may be absent there.

    `scale` says what a verdict is worth: toy (made data), small (real data, short or few), paper. The first arm is
    the reference that the others are compared with. `along` is the axis along which a page draws what the others differ
    by: `float16-{rate}` from `float32-{rate}`, say. `recipes` gives a network others than the sentences name, `reach`
    is the accuracy of "time to equal accuracy".
    """

    title: Text
    papers: Annotated[Listed[Text], Field(min_length=1)]
    scale: Literal["toy", "small", "paper"]
    notebook: Name
    claims: Name | None
    dataset: Name
    networks: Annotated[Listed[Text], Field(min_length=1)]
    seeds: Annotated[Listed[Annotated[int, Field(ge=0, le=2**31)]], Field(min_length=1)]
    arms: Annotated[dict[Text, Text], Field(min_length=1)]
    axes: dict[Name, Axis] = Field(default={})
    along: Name | None = None
    factorial: Factorial | None = None
    recipes: dict[Name, dict[Name, Name]] = Field(default={})
    published: Name | None = None
    observe: Watching | None = None
    time: Clock | None = None
    reach: Annotated[float, Field(gt=0, lt=1)] | None = None

    @cached_property
    def by_template(self) -> dict[str, dict[str, str]]:
        """The arms of each template of `arms`, see `axes.expand`."""
        return expand(self.arms, self.axes, self.factorial)

    @cached_property
    def sentences(self) -> dict[str, str]:
        """All arms: name to sentence."""
        return {name: text for arms in self.by_template.values() for name, text in arms.items()}

    @cached_property
    def places(self) -> dict[str, tuple[str, str]] | None:
        """Where arms stand along the axis `along`, see `axes.places`; None without one."""
        if self.along is None:
            return None
        return places(self.arms, self.axes, self.factorial, self.along)

    @cached_property
    def designed(self) -> list[str] | None:
        """The arms of the factorial, None without one."""
        return list(self.by_template[self.factorial.arms]) if self.factorial else None

    @cached_property
    def every_network(self) -> list[str]:
        """The networks, with axes filled in."""
        return [name for template in self.networks for name in fill(template, self.axes)]

    def phrases(self, network: str | None, arm: str) -> list[sentence.Phrase]:
        """The sentence of an arm, with the recipes that the study has for this network; None: as it is written."""
        return sentence.parse(self.sentences[arm], self.recipes.get(network or ""))
