"""Statements in fragments of English, and in which situations they are true.

A fragment has a few situations, which are all that can be the case as far as its statements go. A premise entails a
hypothesis that is true in all of its situations, and contradicts one that is true in none of them.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

LABELS = ("entailment", "neutral", "contradiction")
Word = tuple[str, ...]  # the forms of a word

# One, many, and what they are among others. Every eighth is of the same group: those of a group so have the same
# combinations kept for the test, since a sentence may name the group alone.
KINDS: tuple[Word, ...] = tuple(
    (one, f"{one}s", group)
    for kinds in (
        ("dog", "robot", "painter", "rose", "truck", "drum", "doll", "chair"),
        ("cat", "crane", "poet", "fern", "van", "flute", "kite", "bench"),
    )
    for one, group in zip(
        kinds,
        ("animal", "machine", "artist", "plant", "car", "instrument", "toy", "seat"),
        strict=True,
    )
)
VERBS: tuple[Word, ...] = tuple(
    (f"{verb}s", verb)
    for verb in (
        *("swim", "sing", "wait", "fall", "shine", "turn", "grow", "smell"),
        *("move", "hum", "sleep", "stand", "shake", "glow", "squeak", "lean"),
    )
)
NAMES: tuple[Word, ...] = tuple(
    (name,)
    for name in (
        *("anna", "ben", "carla", "david", "emma", "felix", "grace", "henry"),
        *("iris", "jonas", "kate", "leo", "mia", "noah", "olga", "paul"),
    )
)
# More and less of something.
SCALES: tuple[Word, ...] = (
    *(("taller", "shorter"), ("older", "younger"), ("richer", "poorer"), ("faster", "slower")),
    *(("louder", "quieter"), ("stronger", "weaker"), ("heavier", "lighter"), ("warmer", "colder")),
)
COUNTS = ("two", "three", "four")


class Form(NamedTuple):
    """A sentence with places for words, one word a place as `str.format` has it, and the situations in which it is true."""

    text: str
    situations: frozenset[Any]


class Fragment(NamedTuple):
    """What can be said, and about what.

    `hypotheses` come with their negations. `lists` has the words that fit into each place; places are `subjects` or
    `predicates`. Of sentences that differ in the word at one of the places `replaced`, neither says anything of the other.
    """

    premises: tuple[Form, ...]
    hypotheses: tuple[Form, ...]
    lists: dict[str, tuple[Word, ...]]
    subjects: tuple[str, ...]
    predicates: tuple[str, ...]
    replaced: tuple[str, ...]


def relation(premise: Form, hypothesis: Form) -> str:
    """The label of two sentences with the same words."""
    if premise.situations <= hypothesis.situations:
        return "entailment"
    return "contradiction" if premise.situations.isdisjoint(hypothesis.situations) else "neutral"


def _form(text: str, situations: Iterable[Any], true: Callable[[Any], bool]) -> Form:
    return Form(text, frozenset(filter(true, situations)))


def _quantifiers() -> Fragment:
    """How many of a kind, and how many of the others in its group, do it: all, a part, none. There are some of both."""
    situations = list(itertools.product(("all", "part", "none"), repeat=2))
    forms = []
    for noun, counted in (("{kind[0]}", 1), ("{kind[2]}", 2)):
        for text, true in (
            ("every", lambda s, n=counted: set(s[:n]) == {"all"}),
            ("not every", lambda s, n=counted: set(s[:n]) != {"all"}),
            ("some", lambda s, n=counted: set(s[:n]) != {"none"}),
            ("no", lambda s, n=counted: set(s[:n]) == {"none"}),
        ):
            forms.append(_form(f"{text} {noun} {{verb[0]}}", situations, true))
    return _of_kinds(forms)


def _counts() -> Fragment:
    """How many do it: up to three more than the last count, so that no count is all there can be."""
    situations = range(len(COUNTS) + 5)
    forms = []
    for number, name in enumerate(COUNTS, 2):
        for text, true in (
            ("at least", lambda s, n=number: s >= n),
            ("fewer than", lambda s, n=number: s < n),
            ("at most", lambda s, n=number: s <= n),
            ("more than", lambda s, n=number: s > n),
        ):
            forms.append(_form(f"{text} {name} {{kind[1]}} {{verb[1]}}", situations, true))
    return _of_kinds(forms)


def _of_kinds(forms: list[Form]) -> Fragment:
    lists, both = {"kind": KINDS, "verb": VERBS}, tuple(forms)
    return Fragment(both, both, lists, ("kind",), ("verb",), ("kind", "verb"))


def _comparatives() -> Fragment:
    """Which of two stands higher on a scale, if they don't stand at the same place."""
    situations = ("first", "second", "neither")
    forms = []
    for one, two, way in itertools.product("ab", "ab", range(2)):
        if one != two:
            above = "first" if (one == "a") == (way == 0) else "second"
            for text, true in (
                ("is", lambda s, above=above: s == above),
                ("is not", lambda s, above=above: s != above),
            ):
                words = f"{{{one}[0]}} {text} {{scale[{way}]}} than {{{two}[0]}}"
                forms.append(_form(words, situations, true))
    both = tuple(forms)
    lists = {"a": NAMES, "b": NAMES, "scale": SCALES}
    return Fragment(both, both, lists, ("a", "b"), ("scale",), ("scale",))


def _connectives() -> Fragment:
    """Whether somebody does one thing, and whether another."""
    situations = list(itertools.product((True, False), repeat=2))
    forms = tuple(
        _form(f"{{name[0]}} {text}", situations, true)
        for text, true in (
            ("{p[0]}", lambda s: s[0]),
            ("does not {p[1]}", lambda s: not s[0]),
            ("{q[0]}", lambda s: s[1]),
            ("does not {q[1]}", lambda s: not s[1]),
            ("{p[0]} and {q[0]}", lambda s: s[0] and s[1]),
            ("does not both {p[1]} and {q[1]}", lambda s: not (s[0] and s[1])),
            ("{p[0]} or {q[0]}", lambda s: s[0] or s[1]),
            ("neither {p[0]} nor {q[0]}", lambda s: not (s[0] or s[1])),
            ("{p[0]} but does not {q[1]}", lambda s: s[0] and not s[1]),
            ("{q[0]} or does not {p[1]}", lambda s: s[1] or not s[0]),
        )
    )
    lists = {"name": NAMES, "p": VERBS, "q": VERBS}
    return Fragment(forms, forms, lists, ("name",), ("p", "q"), ("name",))


FRAGMENTS = (_quantifiers(), _comparatives(), _connectives(), _counts())


def longest() -> int:
    """Words of the longest pair."""
    return max(
        sum(max(len(form.text.split()) for form in forms) for forms in fragment[:2])
        for fragment in FRAGMENTS
    )


def words_of() -> tuple[str, ...]:
    """All words, each once: those of the forms, then those of the lists."""
    return tuple(dict.fromkeys([*_said(), *_listed()]))


def _said() -> Iterator[str]:
    for fragment in FRAGMENTS:
        for form in (*fragment.premises, *fragment.hypotheses):
            yield from (word for word in form.text.split() if "{" not in word)


def _listed() -> Iterator[str]:
    for fragment in FRAGMENTS:
        for words in fragment.lists.values():
            yield from itertools.chain(*words)
