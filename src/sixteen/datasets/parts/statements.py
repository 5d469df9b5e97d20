"""Statements in fragments of English, and in which situations they are true.

A fragment has a few situations, which are all that can be the case as far as its statements go. A premise entails a
hypothesis that is true in all of its situations, and contradicts one that is true in none of them.
"""

import itertools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

MOST = 16  # words of a list
Word = tuple[str, ...]  # the forms of a word

KINDS: tuple[Word, ...] = tuple(
    (kind,)
    for kind in (
        *("dog", "cat", "horse", "bird", "robot", "tractor", "crane", "drill"),
        *("painter", "actor", "sculptor", "poet", "rose", "fern", "tulip", "palm"),
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
    *(("bigger", "smaller"), ("wider", "narrower"), ("nearer", "farther"), ("happier", "sadder")),
    *(("softer", "harder"), ("thicker", "thinner"), ("sharper", "blunter"), ("brighter", "darker")),
)


class Form(NamedTuple):
    """A sentence with places for words, as `str.format` has them, and the situations in which it is true."""

    text: str
    situations: frozenset[Any]


class Fragment(NamedTuple):
    """What can be said, always together with its negation, and about what.

    `lists` has the words that fit into each place; places are `subjects` or `predicates`. Of sentences that differ in
    the word at one of the places `replaced`, neither says anything of the other.
    """

    forms: tuple[Form, ...]
    lists: dict[str, tuple[Word, ...]]
    subjects: tuple[str, ...]
    predicates: tuple[str, ...]
    replaced: tuple[str, ...]


def relation(premise: Form, hypothesis: Form) -> str:
    """The label of two sentences with the same words."""
    if premise.situations <= hypothesis.situations:
        return "entailment"
    return "contradiction" if premise.situations.isdisjoint(hypothesis.situations) else "neutral"


def _forms(
    situations: Iterable[Any], true: Iterable[tuple[str, Callable[[Any], bool]]]
) -> tuple[Form, ...]:
    possible = frozenset(situations)
    return tuple(Form(text, frozenset(filter(holds, possible))) for text, holds in true)


def _quantifiers() -> Fragment:
    """How many of a kind do it; there are some."""
    forms = _forms(
        ("all", "part", "none"),
        (
            ("every {kind[0]} {verb[0]}", lambda do: do == "all"),
            ("not every {kind[0]} {verb[0]}", lambda do: do != "all"),
            ("some {kind[0]} {verb[0]}", lambda do: do != "none"),
            ("no {kind[0]} {verb[0]}", lambda do: do == "none"),
        ),
    )
    lists = {"kind": KINDS, "verb": VERBS}
    return Fragment(forms, lists, ("kind",), ("verb",), ("kind", "verb"))


def _comparatives() -> Fragment:
    """Where one stands on a scale, seen from another."""
    forms = _forms(
        ("more", "less", "equal"),
        (
            ("{a[0]} is {scale[0]} than {b[0]}", lambda a: a == "more"),
            ("{a[0]} is not {scale[0]} than {b[0]}", lambda a: a != "more"),
            ("{a[0]} is {scale[1]} than {b[0]}", lambda a: a == "less"),
            ("{a[0]} is not {scale[1]} than {b[0]}", lambda a: a != "less"),
        ),
    )
    lists = {"a": NAMES, "b": NAMES, "scale": SCALES}
    return Fragment(forms, lists, ("a", "b"), ("scale",), ("scale",))


def _connectives() -> Fragment:
    """Whether somebody does one thing, and whether another."""
    forms = _forms(
        itertools.product((True, False), repeat=2),
        (
            ("{name[0]} {p[0]}", lambda does: does[0]),
            ("{name[0]} does not {p[1]}", lambda does: not does[0]),
            ("{name[0]} {p[0]} or {q[0]}", lambda does: does[0] or does[1]),
            ("{name[0]} neither {p[0]} nor {q[0]}", lambda does: not (does[0] or does[1])),
        ),
    )
    lists = {"name": NAMES, "p": VERBS, "q": VERBS}
    return Fragment(forms, lists, ("name",), ("p", "q"), ("name",))


FRAGMENTS = (_quantifiers(), _comparatives(), _connectives())


def longest() -> int:
    """Words of the longest sentence."""
    return max(len(form.text.split()) for fragment in FRAGMENTS for form in fragment.forms)


def words_of(many: int) -> tuple[str, ...]:
    """All words, each once: those of the forms, then those of the lists, so `many` of each list."""
    said = (form.text.split() for fragment in FRAGMENTS for form in fragment.forms)
    fixed = (word for word in itertools.chain(*said) if "{" not in word)
    listed = itertools.chain(*KINDS[:many], *VERBS[:many], *NAMES[:many], *SCALES[:many])
    return tuple(dict.fromkeys([*fixed, *listed]))
