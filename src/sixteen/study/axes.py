"""Axes: a study says once what it varies, and the braces of its arms and networks are filled with each value.

An arm `after-{switch}: trained-in-float32-by-sgd-until-{switch}/...` with the axis `switch: [5, 10, 25]` is three arms.
Values that need a name of their own get one, `weights: {master: true, plain: false}`; an arm is named by names, a
sentence filled with values. An empty name leaves out its word: `{weights}-{scale}` with weights "" is the scale's alone.
"""

import itertools
import math
import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from sixteen.entry import NAME, Entry, Listed, Name, Text
from sixteen.errors import UserError

MOST = 10_000  # arms of a study
BRACES = r"\{([a-z0-9_-]+)\}"
Value = bool | int | float | str | None
Level = Annotated[str, Field(pattern=r"\A[a-z0-9._-]*\z")]
Axis = (
    Annotated[Listed[Value], Field(min_length=1)]
    | Annotated[dict[Level, Value], Field(min_length=1)]
)


class Factorial(Entry):
    """The arms of one template as a two-level design: `full`, or the `half` of it with an odd number of second levels.

    The half is the fraction of the highest resolution (Box, Hunter & Hunter 2005, chapter 6): its defining relation is
    the product of all factors, so that with five of them every main effect and every interaction of two is free.
    """

    arms: Text
    fraction: Literal["full", "half"]


def expand(
    templates: dict[str, str], axes: dict[Name, Axis], factorial: Factorial | None
) -> dict[str, dict[str, str]]:
    """The arms of each template, name to sentence, in the order of the axes, the last one fastest.

    Raises UserError for a brace that names no axis, a design that isn't one, and two arms of one name.
    """
    arms: dict[str, dict[str, str]] = {}
    for template, sentence in templates.items():
        arms[template] = {}
        for levels in _levels([template, sentence], axes, _halved(template, factorial)):
            name = _named(template, {axis: name for axis, (name, _) in levels.items()})
            if any(name in made for made in arms.values()):
                raise UserError(
                    f"expected arms with names of their own, came {name!r} twice from {template!r}: put all "
                    "axes of its sentence into its name"
                )
            arms[template][name] = _filled(sentence, {axis: v for axis, (_, v) in levels.items()})
    return arms


def places(
    templates: dict[str, str], axes: dict[Name, Axis], factorial: Factorial | None, along: Name
) -> dict[str, tuple[str, str]]:
    """Where each arm stands that has the axis `along` in its name: the name without it, and the name of the level.

    `float16-{rate}` along `rate` is `float16` at each rate. Raises UserError if no arm has the axis in its name.
    """
    found: dict[str, tuple[str, str]] = {}
    for template, sentence in templates.items():
        if along not in braces(template):
            continue
        for levels in _levels([template, sentence], axes, _halved(template, factorial)):
            names = {axis: name for axis, (name, _) in levels.items()}
            found[_named(template, names)] = (_named(template, names | {along: ""}), names[along])
    if not found:
        raise UserError(f"expected an axis that arms have in their names, came {along!r}")
    return found


def fill(template: str, axes: dict[Name, Axis]) -> list[str]:
    """A template with every combination of the axes that it mentions."""
    return [
        _filled(template, {axis: value for axis, (_, value) in levels.items()})
        for levels in _levels([template], axes, halved=False)
    ]


def braces(text: str) -> list[str]:
    """The names in the braces of a text."""
    return re.findall(BRACES, text)


def spelled(value: Value) -> str:
    """A value as a sentence spells it: `none`, `true`, numbers without an exponent."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return format(Decimal(repr(value)).normalize(), "f") if isinstance(value, float) else str(value)


def _levels(
    texts: list[str], axes: dict[Name, Axis], halved: bool
) -> list[dict[str, tuple[str, Value]]]:
    """Each combination of the axes that the texts mention: axis to (name, value) of its level."""
    if unknown := sorted({name for text in texts for name in braces(text)} - axes.keys()):
        raise UserError(
            f"expected braces that name an axis ({', '.join(axes) or 'there is none'}), came {{{unknown[0]}}}"
        )
    used = [axis for axis in axes if any(axis in braces(text) for text in texts)]
    named = {axis: _with_names(axes[axis]) for axis in used}
    if halved and any(len(levels) != 2 for levels in named.values()):
        raise UserError(
            f"expected axes of two levels each for half of a factorial, came "
            f"{', '.join(f'{axis} with {len(levels)}' for axis, levels in named.items())}"
        )
    if (many := math.prod(len(levels) for levels in named.values())) > MOST:
        raise UserError(f"expected axes that make at most {MOST:,} combinations, came {many:,}")
    chosen = itertools.product(*(range(len(levels)) for levels in named.values()))
    return [
        {axis: named[axis][i] for axis, i in zip(used, place, strict=True)}
        for place in chosen
        if not halved or sum(place) % 2
    ]


def _halved(template: str, factorial: Factorial | None) -> bool:
    return factorial is not None and template == factorial.arms and factorial.fraction == "half"


def _with_names(axis: Axis) -> list[tuple[str, Value]]:
    if isinstance(axis, dict):
        return list(axis.items())
    return [(spelled(value), value) for value in axis]


def _named(template: str, names: dict[str, str]) -> str:
    words = re.sub(BRACES, lambda match: names[match[1]], template)
    # A level may have a point or no name at all; what is written in full stands on the page as it is written.
    name = re.sub(r"-+", "-", words).strip("-").replace(".", "_") if names else words
    if not re.fullmatch(NAME, name):
        raise UserError(
            f"expected an arm with a name of small letters and digits, words joined by - or _, came {template!r}: call it "
            "otherwise, or name a level"
        )
    return name


def _filled(template: str, values: dict[str, Value]) -> str:
    return re.sub(BRACES, lambda match: spelled(values[match[1]]), template)
