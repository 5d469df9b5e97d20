"""Perplexities of counting, against counts by hand."""

from collections import Counter

import numpy as np
import pytest

from sixteen.datasets.prepared import baselines

TRAIN = np.array([1, 2, 0, 1, 2, 0, 1, 3, 0, 2], np.int32)
TEST = np.array([1, 3, 0, 3, 3, 4, 1], np.int32)
WORDS = 5  # 4 comes in the test text alone


def alone(word):
    return (Counter(TRAIN.tolist())[word] + 1) / (len(TRAIN) + WORDS)


def test_one_word_alone_is_counted_with_one_more_of_each():
    wanted = [np.log(alone(word)) for word in TEST]
    assert baselines.unigram(TRAIN, TEST, WORDS) == pytest.approx(wanted)


def test_pairs_are_counted_and_mixed_with_single_words_by_how_many_kinds_follow():
    pairs = Counter(zip([0, *TRAIN[:-1]], TRAIN, strict=True))
    wanted = []
    for before, word in zip([0, *TEST[:-1]], TEST, strict=True):
        counts = [count for (first, _), count in pairs.items() if first == before]
        t, c = len(counts), sum(counts)
        share = (pairs[before, word] + t * alone(word)) / (c + t) if c else alone(word)
        wanted.append(np.log(share))
    assert baselines.bigram(TRAIN, TEST, WORDS, 0) == pytest.approx(wanted)


def test_shares_of_all_words_add_up_to_one_after_any_word():
    for before in range(WORDS):
        found = [baselines.bigram(TRAIN, np.array([before, w]), WORDS, 0)[1] for w in range(WORDS)]
        assert np.exp(found).sum() == pytest.approx(1)


def test_the_most_frequent_class_of_the_test_set_is_what_naming_one_class_reaches():
    assert baselines.majority(np.int32([3, 1, 3, 0, 3, 1, 1, 3])) == 0.5


def test_classes_are_told_by_which_words_there_are_but_not_by_word_0_or_how_often_one_comes():
    train = np.array([[1, 2, 0], [2, 1, 1], [3, 2, 0], [2, 3, 0]] * 5, np.int32)
    labels = np.array([0, 0, 1, 1] * 5)
    test = np.array([[2, 2, 1], [0, 3, 0], [4, 3, 3]], np.int32)
    assert baselines.by_words(train, labels, test, WORDS).tolist() == [0, 1, 1]
