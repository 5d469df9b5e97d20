"""The form of texts: words as numbers, in one file, and what is known of how well they can be foreseen."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sixteen.datasets.prepared import baselines
from sixteen.datasets.prepared.files import Prepared

EOS = "<eos>"  # ends every sentence


@dataclass(frozen=True)
class Tokens(Prepared):
    """The texts for training, validation and test, and how a network reads them.

    Tokens are int32 [n], places in `vocabulary`, which holds `<eos>`. `best` is the log-likelihood, float64 [n] in nats,
    of each test token given all before it by the process that made the text, or empty where nobody knows it. `shape` is
    that of what a network reads of a stream in a step: so many tokens.
    """

    train_tokens: np.ndarray
    validation_tokens: np.ndarray
    test_tokens: np.ndarray
    best: np.ndarray
    vocabulary: tuple[str, ...]
    shape: tuple[int, ...]

    @classmethod
    def random(cls, n: int, shape: tuple[int, ...], outputs: int) -> Self:
        """Texts of `n` windows of that shape each, of so many words drawn evenly."""
        draw = np.random.default_rng(0)
        train, validation, test = draw.integers(0, outputs, (3, n * shape[0]), dtype=np.int32)
        words = tuple(map(str, range(1, outputs)))
        return cls(train, validation, test, np.array([]), (EOS, *words), shape)

    def facts(self) -> dict[str, Any]:
        """Counts for the record, and test perplexities: of one word alone, of pairs, and the best that is possible."""
        words, end = len(self.vocabulary), self.vocabulary.index(EOS)
        pairs = baselines.bigram(self.train_tokens, self.test_tokens, words, end)
        alone = baselines.unigram(self.train_tokens, self.test_tokens, words)
        return {
            "train_items": len(self.train_tokens),
            "validation_items": len(self.validation_tokens),
            "test_items": len(self.test_tokens),
            "outputs": words,
            "shape": list(self.shape),
            "unigram_perplexity": float(np.exp(-alone.mean())),
            "bigram_perplexity": float(np.exp(-pairs.mean())),
            "best_perplexity": float(np.exp(-self.best.mean())) if len(self.best) else None,
        }
