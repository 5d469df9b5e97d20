"""Two-level factorial designs: which settings differ between arms, and which effects that can tell.

Box, Hunter & Hunter 2005 (Statistics for Experimenters, chapters 5 and 6). Full and regular fractional designs:
effects that a fraction can't tell apart are estimated, and named, as their sum.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sixteen.entry import Entry
from sixteen.errors import UserError
from sixteen.precision.entry import Precision
from sixteen.study import sentence


@dataclass(frozen=True)
class Effect:
    """A contrast of arms: the mean of those with sign +1 minus the mean of those with -1.

    `kind` is `main` or `interaction`; `signs` are by arm, in the order of the arms.
    """

    name: str
    kind: str
    signs: tuple[int, ...]


def settings_of(
    arms: dict[str, str], precisions: dict[str, Precision], recipes: Mapping[str, Entry]
) -> dict[str, dict[str, Any]]:
    """The settings of each arm's last phrase, by arm: precision, recipe, and `until` which epoch it trains.

    `arms` are sentences, `precisions` and `recipes` are by the names in them.
    """
    settings = {}
    for arm, text in arms.items():
        last = sentence.parse(text)[-1]
        assert last.recipe is not None  # a sentence ends in training
        entries = precisions[last.precision].plain() | recipes[last.recipe].plain()
        settings[arm] = entries | {"until": last.until}
    return settings


def effects_of(settings: dict[str, dict[str, Any]]) -> list[Effect]:
    """Main effects and two-factor interactions of arms with these settings (arm -> name -> value).

    A factor is a setting with two values over the arms; a value may be nested. Effects go from none, false
    or the smaller number to the other value, else from the value of the first arm. Raises UserError if the
    arms aren't a balanced, orthogonal design.
    """
    signs, labels = _factors(settings)
    if not signs:
        _refuse(settings, "arms whose last phrases have the same settings")
    _check_balance(settings, signs)
    mains = [Effect(labels[name], "main", column) for name, column in signs.items()]
    interactions = [
        Effect(f"{one} x {other}", "interaction", _product(first, second))
        for (one, first), (other, second) in itertools.combinations(signs.items(), 2)
    ]
    return _unite(settings, mains + interactions)


def _factors(
    settings: dict[str, dict[str, Any]],
) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """The signs of each setting with two values, in the order of the arms, and its change in words."""
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
    return signs, labels


def _check_balance(settings: dict[str, Any], signs: dict[str, tuple[int, ...]]) -> None:
    for name, column in signs.items():
        low, high = column.count(-1), column.count(1)
        if low != high:
            _refuse(settings, f"{name} with {low} arms at one value and {high} at the other")
    for (one, first), (other, second) in itertools.combinations(signs.items(), 2):
        if _dot(first, second):
            always = abs(_dot(first, second)) == len(first)
            how = "always change together" if always else "aren't orthogonal"
            _refuse(settings, f"{one} and {other}, which {how}")


def _unite(settings: dict[str, Any], effects: list[Effect]) -> list[Effect]:
    """Effects with the same contrast as one, which estimates their sum: `a x b + c x d`."""
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
    """An effect in words, e.g. `loss_scale: none -> dynamic`."""
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


def _product(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a * b for a, b in zip(first, second, strict=True))


def _dot(first: tuple[int, ...], second: tuple[int, ...]) -> int:
    return sum(a * b for a, b in zip(first, second, strict=True))


def _refuse(settings: dict[str, Any], came: str) -> None:
    raise UserError(
        f"expected arms {', '.join(settings)} that form a balanced, orthogonal two-level factorial, came "
        f"{came}; correct the arms under `factorial` of the study, or take the key out"
    )
