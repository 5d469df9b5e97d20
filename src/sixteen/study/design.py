"""Two-level factorial designs: which settings differ between arms, and which effects that can tell.

Box, Hunter & Hunter 2005 (Statistics for Experimenters, chapters 5 and 6). Full and regular fractional designs:
effects that a fraction can't tell apart are estimated, and named, as their sum.
"""

import itertools
from dataclasses import dataclass
from typing import Any

from sixteen.errors import UserError
from sixteen.study import sentence


@dataclass(frozen=True)
class Effect:
    """A contrast of arms: the mean of those with sign +1 minus the mean of those with -1.

    ``kind`` is ``main`` or ``interaction``; ``signs`` are by arm, in the order of the arms.
    """

    name: str
    kind: str
    signs: tuple[int, ...]


def settings_of(parameters: dict[str, Any], arms: list[str]) -> dict[str, dict[str, Any]]:
    """The settings of each arm's last phrase, precision and recipe together, by arm.

    ``parameters`` holds the sentences ``arms``, and the ``precisions`` and ``recipes`` that they name.
    ``observe`` is left out: what is watched doesn't change a run.
    """
    settings = {}
    for arm in arms:
        last = sentence.parse(parameters["arms"][arm])[-1]
        values = parameters["precisions"][last.precision] | parameters["recipes"][last.recipe]
        settings[arm] = {name: value for name, value in values.items() if name != "observe"}
    return settings


def effects_of(settings: dict[str, dict[str, Any]]) -> list[Effect]:
    """Main effects and two-factor interactions of arms with these settings (arm -> name -> value).

    A factor is a setting with two values over the arms; a value may be nested. Effects go from none, false
    or the smaller number to the other value, else from the value of the first arm. Raises UserError if the
    arms aren't a balanced, orthogonal design.
    """
    names = dict.fromkeys(name for values in settings.values() for name in values)
    signs: dict[str, tuple[int, ...]] = {}
    labels: dict[str, str] = {}
    for name in names:
        values = [arm.get(name) for arm in settings.values()]
        levels = [value for i, value in enumerate(values) if value not in values[:i]]
        if len(levels) > 2:
            told = ", ".join(map(_word, levels))
            _refuse(settings, f"{name} with {len(levels)} values: {told}")
        if len(levels) == 2:
            low, high = sorted(levels, key=_rank)
            signs[name] = tuple(-1 if value == low else 1 for value in values)
            labels[name] = _change(name, low, high)
    if not signs:
        _refuse(settings, "arms whose last phrases have the same settings")
    for name, column in signs.items():
        low, high = column.count(-1), column.count(1)
        if low != high:
            _refuse(settings, f"{name} with {low} arms at one value and {high} at the other")
    for (one, first), (other, second) in itertools.combinations(signs.items(), 2):
        if _dot(first, second):
            always = abs(_dot(first, second)) == len(first)
            how = "always change together" if always else "aren't orthogonal"
            _refuse(settings, f"{one} and {other}, which {how}")
    mains = [(labels[name], "main", column) for name, column in signs.items()]
    interactions = [
        (f"{one} x {other}", "interaction", tuple(a * b for a, b in zip(*columns, strict=True)))
        for (one, other), columns in zip(
            itertools.combinations(signs, 2),
            itertools.combinations(signs.values(), 2),
            strict=True,
        )
    ]
    return _unite(settings, [Effect(*effect) for effect in mains + interactions])


def _unite(settings: dict[str, Any], effects: list[Effect]) -> list[Effect]:
    """Effects with the same contrast as one, which estimates their sum: ``a x b + c x d``."""
    distinct: list[Effect] = []
    for effect in effects:
        for i, known in enumerate(distinct):
            dot = _dot(known.signs, effect.signs)
            if abs(dot) == len(effect.signs):
                sign = "+" if dot > 0 else "-"
                distinct[i] = Effect(f"{known.name} {sign} {effect.name}", known.kind, known.signs)
                break
            if dot:
                _refuse(settings, f"{effect.name}, partly confounded with {known.name}")
        else:
            distinct.append(effect)
    return distinct


def _rank(value: Any) -> tuple[int, float]:
    if value is None:
        return 0, 0
    return (1, value) if isinstance(value, int | float) else (2, 0)


def _change(name: str, low: Any, high: Any) -> str:
    """An effect in words, e.g. ``loss_scale: none -> dynamic``."""
    kinds = [value.get("kind") if isinstance(value, dict) else None for value in (low, high)]
    words = [_word(low), _word(high)]
    if kinds[0] != kinds[1]:  # that says enough; two values of one kind are told in full
        words = [kind or word for kind, word in zip(kinds, words, strict=True)]
    return f"{name}: {words[0]} -> {words[1]}"


def _word(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        kind = [value["kind"]] if "kind" in value else []
        rest = [f"{key} {_word(part)}" for key, part in value.items() if key != "kind"]
        return " ".join([*kind, ", ".join(rest)])
    return str(value)


def _dot(first: tuple[int, ...], second: tuple[int, ...]) -> int:
    return sum(a * b for a, b in zip(first, second, strict=True))


def _refuse(settings: dict[str, Any], came: str) -> None:
    raise UserError(
        f"expected arms {', '.join(settings)} that form a balanced, orthogonal two-level factorial, came "
        f"{came}; correct the arms under `factorial` of the study, or take the key out"
    )
