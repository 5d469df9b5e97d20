"""All parameters of a project, typed, and the names in sentences resolved.

Nothing has a default: DVC couldn't see it, and a number has one place.
"""

import dataclasses
from functools import cached_property
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import Field, ValidationError

from sixteen.datasets import AnyDataset
from sixteen.entry import Count, Entry, Listed, Name
from sixteen.errors import UserError
from sixteen.networks import AnyNetwork
from sixteen.networks.parts.family import Network
from sixteen.precision.bits import BitSchedule
from sixteen.precision.entry import AnyPrecision, LossScale, Precision
from sixteen.study import reading, sentence
from sixteen.study.axes import spelled
from sixteen.study.claim import Claim, Levels, Table
from sixteen.study.machine import Machine
from sixteen.study.paper import Paper
from sixteen.study.study import Study
from sixteen.training.recipe import Recipe
from sixteen.training.schedules import Schedule

# Keys whose value is a name of another section, which is put in its place.
NAMED = {
    "precisions": {"loss_scale": "loss_scales", "bits": "bits"},
    "recipes": {"schedule": "schedules"},
    "networks": {},
}
Any_ = TypeVar("Any_", bound=Entry)


class Parameters(Machine):
    """All of params.yaml, and `papers` by the names of their files.

    Its own `backend`, `threads` and `devices` hold where a phrase names none of `machines`.
    """

    checkpoint_epochs: Count
    checkpoint_steps: Count
    machines: dict[Name, Machine] = Field(default={})
    datasets: dict[Name, AnyDataset]
    networks: dict[Name, AnyNetwork]
    loss_scales: dict[Name, LossScale]
    bits: dict[Name, BitSchedule]
    precisions: dict[Name, AnyPrecision]
    schedules: dict[Name, Schedule]
    recipes: dict[Name, Recipe]
    statistics: Levels
    studies: Annotated[dict[Name, Study], Field(min_length=1)]
    targets: dict[Name, Annotated[Listed[Name], Field(min_length=1)]]
    papers: dict[str, Paper]

    def study(self, name: str) -> Study:
        """The study of that name. Raises UserError that lists the known ones."""
        if name not in self.studies:
            raise UserError(
                f"expected a name under `studies` in params.yaml ({', '.join(self.studies)}), came {name!r}"
            )
        return self.studies[name]

    def target(self, name: str) -> list[str]:
        """The studies of a target, or the one of that name."""
        if name in self.targets:
            return list(self.targets[name])
        self.study(name)
        return [name]

    def phrases(self, study: Study, network: str | None, arm: str) -> list[sentence.Phrase]:
        """The sentence of an arm for a network in its one spelling, see `Study.phrases` and `spelling`."""
        key = (study.sentences[arm], tuple(study.recipes.get(network or "", {}).items()))
        if key not in self._read:
            self._read[key] = [self._canonical(p) for p in study.phrases(network, arm)]
        return self._read[key]

    def precision(self, name: str) -> Precision:
        """The precision of a name, varied as the name says."""
        return self._resolve("precisions", name)[1]

    def recipe(self, name: str) -> Recipe:
        """The recipe of a name, varied as the name says."""
        return self._resolve("recipes", name)[1]

    def network(self, name: str) -> Network:
        """The network of a name, varied as the name says."""
        return self._resolve("networks", name)[1]

    @cached_property
    def usual(self) -> Machine:
        """What phrases train on that name no machine."""
        return Machine.model_validate({key: getattr(self, key) for key in Machine.model_fields})

    def machine(self, phrase: sentence.Phrase) -> Machine:
        """What a phrase trains on."""
        if phrase.machine is None:
            return self.usual
        if phrase.machine not in self.machines:
            raise UserError(
                f"expected a name under `machines` in params.yaml ({', '.join(self.machines) or 'there is none'}), came "
                f"{phrase.machine!r}"
            )
        return self.machines[phrase.machine]

    def spelling(self, section: str, name: str) -> str:
        """A name in its one spelling: keys in the order of the entry, values that the entry has anyway left out.

        So an axis that passes the entry's own value shares that run with a sentence that doesn't vary it.
        """
        return self._resolve(section, name)[0]

    def claims(self, study: Study) -> list[Claim]:
        """The claims that a study is to decide, paper by paper."""
        if study.claims is None:
            return []
        sets = (self.papers[paper].claims.get(study.claims, ()) for paper in study.papers)
        return [claim for found in sets for claim in found]

    def table(self, study: Study) -> Table | None:
        """The published table that a study is shown beside."""
        tables = (self.papers[paper].tables.get(study.published or "") for paper in study.papers)
        return next((table for table in tables if table), None)

    @cached_property
    def _read(self) -> dict[Any, list[sentence.Phrase]]:
        return {}

    @cached_property
    def _resolved(self) -> dict[tuple[str, str], tuple[str, Any]]:
        return {}

    def _resolve(self, section: str, name: str) -> tuple[str, Any]:
        key = (section, name)
        if key not in self._resolved:
            varied = sentence.varied(name)
            entries = getattr(self, section)
            if varied.entry not in entries:
                raise UserError(
                    f"expected a name under `{section}` in params.yaml ({', '.join(entries)}), came {varied.entry!r}"
                )
            self._resolved[key] = _vary(self, section, varied)
        return self._resolved[key]

    def _canonical(self, phrase: sentence.Phrase) -> sentence.Phrase:
        text, names = phrase.text, {}
        for key, section, before, after in (
            ("precision", "precisions", ("-in-", "-to-"), "-by-"),
            ("recipe", "recipes", ("-by-",), "-until-"),
        ):
            name = getattr(phrase, key)
            if name is not None:
                names[key] = self.spelling(section, name)
                for word in before:
                    ends = after if phrase.recipe is not None else ""
                    text = text.replace(f"{word}{name}{ends}", f"{word}{names[key]}{ends}", 1)
        return self._on(dataclasses.replace(phrase, text=text, **names))

    def _on(self, phrase: sentence.Phrase) -> sentence.Phrase:
        """The phrase with its machine in one spelling: none if it is that of the top, else the first that is the same."""
        if phrase.machine is None:
            return phrase
        asked, text = self.machine(phrase), phrase.text.removesuffix(f"-on-{phrase.machine}")
        if asked == self.usual:
            return dataclasses.replace(phrase, text=text, machine=None)
        first = next(name for name, known in self.machines.items() if known == asked)
        return dataclasses.replace(phrase, text=f"{text}-on-{first}", machine=first)


def _vary(parameters: Parameters, section: str, varied: sentence.Varied) -> tuple[str, Any]:
    """The one spelling of a varied name, and the entry that it stands for."""
    entry: Entry = getattr(parameters, section)[varied.entry]
    fields = type(entry).model_fields
    told, name = dict(varied.changes), varied.entry
    if unknown := [key for key in told if key not in fields]:
        raise UserError(
            f"expected a key of {section}/{varied.entry} to vary ({', '.join(fields)}), came {unknown[0]!r}"
        )
    values = {key: _value(parameters, section, key, text) for key, text in told.items()}
    try:
        made = type(entry).model_validate(entry.plain() | values)
    except ValidationError as error:
        place = f"{section}/{varied.entry} varied"
        raise UserError(
            "\n".join(reading.sentences(error, entry.plain() | values, place))
        ) from None
    changed = [key for key in fields if key in told and getattr(made, key) != getattr(entry, key)]
    if changed:
        name += "-with-" + "-and-".join(
            f"{key}-{_spelled(parameters, section, key, getattr(made, key))}" for key in changed
        )
    return name, made


def _value(parameters: Parameters, section: str, key: str, text: str) -> Any:
    if text == "none":
        return None
    if source := NAMED[section].get(key):
        known = getattr(parameters, source)
        if text not in known:
            raise UserError(f"expected a name under `{source}` ({', '.join(known)}), came {text!r}")
        return known[text].plain()
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        value = text
    if value is not None and not isinstance(value, bool | int | float | str):
        raise UserError(f"expected a number or a word for {key} in a sentence, came {text!r}")
    return value


def _spelled(parameters: Parameters, section: str, key: str, value: Any) -> str:
    """A value in its one spelling; of names that mean the same, the first."""
    source = NAMED[section].get(key)
    if source is None or value is None:
        return spelled(value)
    return next(name for name, known in getattr(parameters, source).items() if known == value)
