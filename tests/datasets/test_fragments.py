"""Sentence pairs against a model checker that reads them as English: a label is what holds in all small worlds."""

import collections
import hashlib
import itertools
import re

import numpy as np
import pytest
from pydantic import ValidationError

from sixteen.datasets.fragments import Fragments, items, read, shape
from sixteen.datasets.parts.statements import KINDS, NAMES, SCALES, VERBS
from sixteen.datasets.prepared.pairs import Pairs
from sixteen.datasets.prepared.prepare import Preparation, prepare

LESS = {less: more for more, less in SCALES}
EACH = 2  # of a kind there are two in a world


def entry(**changed):
    about = {"kind": "fragments", "seed": 0, "words": 8, "train": 1800, "test": 900}
    return Fragments.model_validate(about | changed)


@pytest.fixture(scope="module")
def made():
    return read(None, entry())


def sentences(pairs, part):
    """Premise, hypothesis and label of each row, in words."""
    parts = (getattr(pairs, f"{part}_{what}") for what in ("tokens", "segments", "labels"))
    for tokens, segments, label in zip(*parts, strict=True):
        words = np.array(pairs.vocabulary)[tokens]
        real = np.array([word[0] != "[" for word in words])
        premise, hypothesis = (" ".join(words[real & (segments == s)]) for s in (0, 1))
        yield premise, hypothesis, pairs.classes[label]


class World(dict):
    """How many of a kind do something, how high somebody stands, whether somebody does it; it notes what it is asked."""

    def __missing__(self, key):
        self[key] = 0
        return 0


def holds(sentence, world):
    """Whether a sentence is true in a world."""
    if found := re.fullmatch(r"(\w+) is (not )?(\w+) than (\w+)", sentence):
        one, negation, word, two = found.groups()
        heights = [world["height", who, LESS.get(word, word)] for who in (one, two)]
        more = heights[0] < heights[1] if word in LESS else heights[0] > heights[1]
        return more != bool(negation)
    if found := re.fullmatch(r"(not every|every|some|no) (\w+) (\w+)", sentence):
        quantifier, kind, verb = found.groups()
        do = world["share", kind, verb]
        return {"every": do == EACH, "not every": do < EACH, "some": do > 0, "no": do == 0}[
            quantifier
        ]
    name, rest = sentence.split(" ", 1)
    patterns = {
        r"neither (\w+)s nor (\w+)s": lambda p, q: not p and not q,
        r"(\w+)s or (\w+)s": lambda p, q: p or q,
        r"does not (\w+)": lambda p: not p,
        r"(\w+)s": lambda p: p,
    }
    for pattern, true in patterns.items():
        if found := re.fullmatch(pattern, rest):
            return true(*(world["does", name, verb] for verb in found.groups()))
    raise AssertionError(sentence)


def label_of(premise, hypothesis):
    """What the truth of the premise says of the hypothesis, in all worlds of whatever the sentences ask."""
    asked, seen = World(), set()
    for sentence in (premise, hypothesis):
        holds(sentence, asked)
    most = {"height": 1, "share": EACH, "does": 1}
    for values in itertools.product(*(range(most[what] + 1) for what, *_ in asked)):
        world = World(zip(asked, values, strict=True))
        if holds(premise, world):
            seen.add(bool(holds(hypothesis, world)))
    return {(True,): "entailment", (False,): "contradiction", (False, True): "neutral"}[
        tuple(sorted(seen))
    ]


def test_every_label_is_that_of_all_worlds_and_all_come_as_often(made):
    for part, many in (("train", 600), ("test", 300)):
        found = collections.Counter()
        for premise, hypothesis, label in sentences(made, part):
            assert label == label_of(premise, hypothesis), (premise, hypothesis)
            found[label] += 1
        assert set(found.values()) == {many} and len(found) == 3


def combinations(sentence):
    """Pairs of a subject and a predicate by their numbers in the lists."""
    words = sentence.split()
    numbers = {
        what: [i for w in words for i, forms in enumerate(listed) if w in forms or f"{w}s" in forms]
        for what, listed in {"kind": KINDS, "name": NAMES, "verb": VERBS, "scale": SCALES}.items()
    }
    subjects = [("kind", i) for i in numbers["kind"]] + [("name", i) for i in numbers["name"]]
    predicates = [("verb", i) for i in numbers["verb"]] + [("scale", i) for i in numbers["scale"]]
    return set(itertools.product(subjects, predicates))


def test_the_test_has_combinations_that_training_never_saw_and_no_new_word(made):
    seen, words = {"train": set(), "test": set()}, {"train": set(), "test": set()}
    for part in seen:
        for premise, hypothesis, _ in sentences(made, part):
            for sentence in (premise, hypothesis):
                found = combinations(sentence)
                assert found
                seen[part] |= found
                words[part] |= set(sentence.split())
    assert not seen["train"] & seen["test"]
    # Kinds with verbs, names with verbs, names on scales: a quarter of 8 x 8 each.
    assert (len(seen["train"]), len(seen["test"])) == (3 * 48, 3 * 16)
    assert words["test"] <= words["train"]
    assert len(words["train"]) == len(made.vocabulary) - 3


def test_neither_sentence_alone_tells_the_label():
    made = read(None, entry(train=18000, test=9000))
    facts = made.facts()
    # Four standard errors of guessing.
    assert abs(facts["hypothesis_only_accuracy"] - 1 / 3) < 0.02
    assert abs(facts["premise_only_accuracy"] - 1 / 3) < 0.02
    rows = list(sentences(made, "train"))
    for place in (0, 1):
        counts = collections.Counter((_form(row[place]), row[2]) for row in rows)
        forms = {form for form, _ in counts}
        assert len(forms) == 4 + 2 + 4  # two of the fragments name their words in two orders
        for form in forms:
            each = [counts[form, label] for label in made.classes]
            mean = sum(each) / 3
            assert max(abs(one - mean) for one in each) < 4 * mean**0.5, (form, each)


def _form(sentence):
    listed = {word for words in (*KINDS, *NAMES, *VERBS, *SCALES) for word in words}
    return " ".join("_" if word in listed else word for word in sentence.split())


def test_the_bytes_are_those_of_every_machine_and_another_seed_makes_others(made):
    digest = hashlib.sha256(made.train_tokens.tobytes() + made.test_tokens.tobytes()).hexdigest()
    assert digest == "46406669ca44631cd1cce9d76e757a0bab785543ac06db3218703ec5ef4ff6c2"
    other = read(None, entry(seed=1))
    assert not np.array_equal(other.train_tokens, made.train_tokens)
    more = read(None, entry(words=16))
    assert more.shape == shape(entry(words=16)) == (15, len(made.vocabulary) + 8 * 6)


def test_it_is_prepared_with_the_size_that_the_entry_says(made, tmp_path):
    facts = prepare(Preparation(dataset=entry()), {}, tmp_path, tmp_path)
    assert (facts["train_items"], facts["test_items"], facts["outputs"]) == items(entry())
    assert facts["shape"] == list(shape(entry())) == list(made.shape)
    held = Pairs.load(tmp_path)
    for name in ("train_tokens", "test_segments", "test_labels"):
        assert np.array_equal(getattr(held, name), getattr(made, name)), name
    assert (held.classes, held.vocabulary) == (made.classes, made.vocabulary)


@pytest.mark.parametrize(
    "changed",
    [{"train": 0}, {"train": 1801}, {"test": 901}, {"words": 7}, {"words": 17}, {"seed": -1}],
    ids=str,
)
def test_a_number_out_of_its_limits_is_refused(changed):
    with pytest.raises(ValidationError, match=next(iter(changed))):
        entry(**changed)
