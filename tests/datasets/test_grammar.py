import hashlib
import itertools
import math

import numpy as np
import pytest
from pydantic import ValidationError

from sixteen.datasets.grammar import FOLLOWED, Grammar, Rule, grammar, items, read, shape, text
from sixteen.datasets.prepared.prepare import Preparation, prepare
from sixteen.datasets.prepared.tokens import Tokens

ENTRY = {
    "kind": "grammar",
    "seed": 0,
    "words": 12,
    "symbols": 4,
    "rules": 5,
    "depth": 4,
    "train": 3000,
    "validation": 400,
    "test": 600,
    "window": 10,
}


def entry(**changed):
    return Grammar.model_validate(ENTRY | changed)


def rules_of(**changed):
    return grammar(entry(**changed), np.random.RandomState(0))


def likelihood(rules, depth, sentence):
    """The probability of all texts that begin with these words, summed over every way to make them."""

    def of(stack, words):
        if not words:
            return 1.0
        if not stack:
            return of([0], words[1:]) if words[0] == 0 else 0.0
        rest = stack[1:]
        allowed = [rule for rule in rules[stack[0]] if len(rest) + len(rule.symbols) <= depth]
        total = sum(rule.weight for rule in allowed)
        return sum(
            rule.weight / total * of([*rule.symbols, *rest], words[1:])
            for rule in allowed
            if rule.word == words[0]
        )

    return of([0], sentence)


def test_the_bytes_are_those_of_every_machine():
    made = read(None, entry())
    digest = hashlib.sha256(made.train_tokens.tobytes() + made.test_tokens.tobytes()).hexdigest()
    assert digest == "c2408a837a2281c618aea51c739b435bae72696a5c87f99e7bd8cb2f8b3cc69a"


@pytest.mark.parametrize("depth", [1, 4])
def test_best_is_the_likelihood_of_each_word_after_all_before_it(depth):
    rules = rules_of()
    tokens, best = text(rules, depth, 60, np.random.RandomState(1))
    whole = [likelihood(rules, depth, tokens[:n].tolist()) for n in range(len(tokens) + 1)]
    ratios = [math.log(after / before) for before, after in itertools.pairwise(whole)]
    assert best == pytest.approx(ratios)
    assert (best == 0).any() and (best < -1).any()


def test_probabilities_of_the_next_word_add_up_to_one():
    rules = rules_of()
    tokens, _ = text(rules, 4, 8, np.random.RandomState(3))
    before = likelihood(rules, 4, tokens.tolist())
    after = [likelihood(rules, 4, [*tokens.tolist(), word]) for word in range(13)]
    assert sum(after) == pytest.approx(before)


def test_words_come_as_often_as_their_rules_say():
    rules = [[Rule(1, (), 3), Rule(2, (), 1)]]
    tokens, best = text(rules, 1, 20_000, np.random.RandomState(0))
    assert (tokens[1::2] == 0).all() and (best[1::2] == 0).all()
    assert (tokens[::2] == 1).mean() == pytest.approx(0.75, abs=0.01)
    assert best[::2].mean() == pytest.approx(
        0.75 * math.log(0.75) + 0.25 * math.log(0.25), abs=0.01
    )


def test_no_more_symbols_are_to_come_than_the_depth_allows():
    rules = [[Rule(1, (0, 0), 10**6), Rule(2, (), 1)]]
    for depth in (1, 3):
        tokens, best = text(rules, depth, 400, np.random.RandomState(0))
        held, most = 1, 0
        for token in tokens:
            held += {0: 1, 1: 1, 2: -1}[int(token)]
            most = max(most, held)
        assert most == depth
        assert (best[tokens == 2] == 0).mean() > 0.9  # nothing else was allowed


def test_rules_of_a_symbol_differ_in_their_word_and_one_ends():
    rules = rules_of(symbols=50)
    for ours in rules:
        assert len({rule.word for rule in ours}) == len(ours) == 5
        assert ours[0].symbols == ()
        assert sorted((rule.weight for rule in ours), reverse=True) == [
            10**6 // r for r in range(1, 6)
        ]
    assert {len(rule.symbols) for ours in rules for rule in ours} == set(FOLLOWED)
    below = {symbol for ours in rules for rule in ours for symbol in rule.symbols}
    assert below <= set(range(50)) and len(below) > 40
    assert {rule.word for ours in rules for rule in ours} == set(range(1, 13))


def test_the_parts_are_one_text_and_another_seed_makes_another():
    made = read(None, entry())
    assert [
        len(part) for part in (made.train_tokens, made.validation_tokens, made.test_tokens)
    ] == [
        3000,
        400,
        600,
    ]
    assert len(made.best) == 600 and made.best.dtype == np.float64
    assert made.vocabulary == ("<eos>", *(f"w{n}" for n in range(1, 13)))
    assert (made.best[made.test_tokens == 0] == 0).all()  # an end comes when nothing is left
    other = read(None, entry(train=2900, validation=500))
    assert np.array_equal(other.test_tokens, made.test_tokens)
    assert np.array_equal(other.best, made.best)
    assert not np.array_equal(read(None, entry(seed=1)).train_tokens, made.train_tokens)


def test_it_is_prepared_with_the_size_that_the_entry_says_and_baselines_in_their_order(tmp_path):
    facts = prepare(Preparation(dataset=entry()), {}, tmp_path, tmp_path)
    assert (facts["train_items"], facts["test_items"], facts["outputs"]) == items(entry())
    assert items(entry()) == (3000, 600, 13)
    assert facts["validation_items"] == 400
    assert facts["shape"] == list(shape(entry())) == [10]
    made, held = read(None, entry()), Tokens.load(tmp_path)
    for name in ("train_tokens", "validation_tokens", "test_tokens", "best"):
        assert np.array_equal(getattr(held, name), getattr(made, name)), name
    assert (held.vocabulary, held.shape) == (made.vocabulary, made.shape)
    assert facts["best_perplexity"] == pytest.approx(math.exp(-made.best.mean()))
    assert (
        1 < facts["best_perplexity"] < facts["bigram_perplexity"] < facts["unigram_perplexity"] < 13
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"rules": 13},
        {"words": 0},
        {"symbols": 0},
        {"depth": 0},
        {"train": 0},
        {"window": 0},
        {"seed": -1},
    ],
    ids=str,
)
def test_a_number_out_of_its_limits_is_refused(changed):
    with pytest.raises(ValidationError, match=next(iter(changed))):
        entry(**changed)
