"""Attention of several heads over the tokens of a row, in every precision, on grids too.

On grids as in the code of arXiv:2403.02243: both products take numbers on grids whose ranges are those of the batch, in
tests too, so that what a test predicts depends a little on which rows are tested together. A range is that of a head
and a token, and for keys of a head and a channel, over all rows of the batch; the gradients of both products come back
on grids with a range for each head and token.
"""

import math
from typing import Any

import keras
from keras import ops

from sixteen.precision.layers import Layers

MASKED = -1e4  # score of padding: in every format so low that its share is zero, and a number
BY_TOKEN, BY_CHANNEL = (0, 3), (0, 2)  # axes of [batch, heads, tokens, channels] that share a range


class Attention(keras.layers.Layer):
    """softmax(Q K^T / sqrt(size)) V (Vaswani et al., arXiv:1706.03762, section 3.2) of queries, keys and values.

    They are [batch, tokens, width], with the heads side by side, as is the result. `dropout` is the share of the softmax
    that is dropped in training.
    """

    def __init__(
        self, heads: int, dropout: keras.layers.Layer, layers: Layers, **about: Any
    ) -> None:
        super().__init__(**about)
        self.heads, self.dropout = heads, dropout
        self.of_queries = layers.forward(BY_TOKEN, "queries")
        self.of_keys = layers.forward(BY_CHANNEL, "keys")
        self.of_shares = layers.forward(BY_TOKEN, "shares")
        self.of_values = layers.forward(BY_TOKEN, "values")
        self.of_scores = layers.gradient(BY_TOKEN, "scores")
        self.of_context = layers.gradient(BY_TOKEN, "context")

    def call(self, queries: Any, keys: Any, values: Any, mask: Any, training: bool = False) -> Any:
        """[batch, tokens, width]; `mask`, bool [batch, tokens], is false where a token is padding."""
        q, k, v = map(self._split, (queries, keys, values))
        products = ops.matmul(self.of_queries(q), ops.swapaxes(self.of_keys(k), 2, 3))
        scores = self.of_scores(products, training=training) / math.sqrt(q.shape[-1])
        scores = ops.where(mask[:, None, None], scores, ops.cast(MASKED, scores.dtype))
        shares = self.dropout(ops.softmax(scores, axis=-1), training=training)
        context = ops.matmul(self.of_shares(shares), self.of_values(v))
        context = ops.swapaxes(self.of_context(context, training=training), 1, 2)
        return ops.reshape(context, (-1, *queries.shape[1:]))

    def _split(self, x: Any) -> Any:
        """[batch, heads, tokens, channels]."""
        _, tokens, width = x.shape
        return ops.swapaxes(ops.reshape(x, (-1, tokens, self.heads, width // self.heads)), 1, 2)
