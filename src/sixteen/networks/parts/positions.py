"""The layer that tells a transformer where each token was."""

from typing import Any

import keras


class Positions(keras.layers.Layer):
    """Add a learned vector for each place to tokens [batch, tokens, dimension]."""

    def build(self, input_shape: Any) -> None:
        """Make room for one vector a place; `draw_weights` fills it."""
        self.embeddings = self.add_weight(
            shape=input_shape[1:], initializer="zeros", name="embeddings"
        )

    def call(self, inputs: Any) -> Any:
        """Tokens plus the vectors of their places, in the compute type."""
        return inputs + self.embeddings
