"""What a network must beat: the class named most often, and language models that only count.

Those give log-likelihoods in nats, float64 [test tokens].
"""

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


def _shares(text: np.ndarray, words: int) -> np.ndarray:
    counts = np.bincount(text, minlength=words) + 1.0
    return counts / counts.sum()


def _pairs(text: np.ndarray, words: int, first: int) -> np.ndarray:
    before = np.concatenate([[first], text[:-1]]).astype(np.int64)
    return before * words + text
