"""What a network must beat: the class named most often, classes by the words there are, language models that only count.

The last give log-likelihoods in nats, float64 [test tokens].
"""

from typing import Any

import numpy as np


def majority(labels: np.ndarray) -> float:
    """The accuracy of naming the most frequent class of these `labels` each time, 0 to 1."""
    return float(np.bincount(labels).max() / len(labels))


def unigram(train: np.ndarray, test: np.ndarray, words: int) -> np.ndarray:
    """By how often each word comes in the training text, plus one (Laplace)."""
    return np.log(_shares(train, words))[test]


def bigram(train: np.ndarray, test: np.ndarray, words: int, first: int) -> np.ndarray:
    """By the word before, mixed with the unigrams as of Witten and Bell (1991), method C; `first` comes before each text.

    Of a word v that was followed c(v) times by t(v) different words: P(w | v) = (c(v, w) + t(v) P(w)) / (c(v) + t(v)).
    """
    # A pair as one number; those of the training text once each, in order.
    pairs, counts = np.unique(_pairs(train, words, first), return_counts=True)
    kinds = np.bincount(pairs // words, minlength=words)
    followed = np.bincount(pairs // words, weights=counts, minlength=words)
    asked = _pairs(test, words, first)
    place = np.minimum(np.searchsorted(pairs, asked), len(pairs) - 1)
    seen = np.where(pairs[place] == asked, counts[place], 0)
    before = asked // words
    alone = _shares(train, words)[test]
    # A word that the training text never goes on from says nothing.
    t, c = np.where(followed[before] > 0, kinds[before], 1), followed[before]
    return np.log((seen + t * alone) / (c + t))


def by_words(train: np.ndarray, labels: np.ndarray, test: np.ndarray, words: int) -> np.ndarray:
    """Labels [test] by a logistic regression on which words each row has (Gururangan et al., arXiv:1803.02324).

    `train` [n, length] and `test` hold numbers of so many words; word 0 doesn't count.
    """
    # Here, not above: every plan imports all forms, and must not wait for scikit-learn.
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000).fit(_held(train, words), labels)
    return model.predict(_held(test, words))


def _shares(text: np.ndarray, words: int) -> np.ndarray:
    counts = np.bincount(text, minlength=words) + 1.0
    return counts / counts.sum()


def _pairs(text: np.ndarray, words: int, first: int) -> np.ndarray:
    before = np.concatenate([[first], text[:-1]]).astype(np.int64)
    return before * words + text


def _held(rows: np.ndarray, words: int) -> Any:
    """Which words each row has: a sparse matrix [n, words] of 0 and 1."""
    from scipy.sparse import csr_array

    places = np.unique(np.stack([np.nonzero(rows)[0], rows[rows > 0]]), axis=1)
    return csr_array((np.ones(places.shape[1]), places), shape=(len(rows), words))
