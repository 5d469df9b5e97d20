"""BERT (Devlin et al., arXiv:1810.04805) as it classifies pairs of sentences.

The embeddings of a token, its place and its segment are added and normalised. A block is attention, a dense layer, then two
more (GELU between them), each time with dropout, residual sum and layer normalisation after it. The first token goes
through the pooler, a dense layer with tanh, and the classifier. BERT-base has `blocks` 12, `dimension` 768, `heads` 12,
`mlp` 3072, `dropout` 0.1. Initial weights are Keras' defaults, or, but for the classifier, the published `weights`.

Quantized as in the code of arXiv:2403.02243: all dense layers and both products of the attention; the gradients of a
dense layer within the blocks have a range for each place in a row, over all rows of the batch. In 16 bit, everything
computes in that format but for the inside of layer normalisation, as in `sixteen.networks.vit`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import model_validator

from sixteen.entry import Share, Size
from sixteen.networks.parts import bert
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.published import Published
from sixteen.networks.parts.shared import draw_weights, dropout_seeds
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

EPSILON = 1e-12  # of layer normalisation, as in the published code
SEGMENTS = 2
BY_PLACE = (0, 2)  # axes of [batch, length, dimension] that share a range

TASKS = ("classify_pairs",)
UNQUANTIZED = (
    "embeddings",
    "layer normalisation",
    "softmax",
    "GELU and tanh",
    "residual sums",
    "dropout",
)


class Encoder(Network):
    """So many `blocks` of attention with `heads` heads and two dense layers, the first with `mlp` units.

    `weights` are published ones that training begins from; without that key it begins from random ones.
    """

    family: Literal["encoder"]
    blocks: Size
    dimension: Size
    heads: Size
    mlp: Size
    dropout: Share
    weights: Published | None = None

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.dimension % self.heads:
            raise ValueError(
                f"expected a `dimension` that is a multiple of `heads`, {self.heads}, came {self.dimension}"
            )
        return self


def build(
    network: Encoder,
    shape: tuple[int, int],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build the network for rows of `shape`: so many tokens, of so many words. It takes a list of three tensors.

    They are tokens and segments, int32 [batch, tokens], and a mask, bool [batch, tokens], false at padding. Logits
    [batch, classes] in the compute type.
    """
    import keras

    length, words = shape
    parts = _Parts(network, precision, l2, seed)
    tokens, segments = (
        keras.Input((length,), dtype="int32", name=n) for n in ("tokens", "segments")
    )
    mask = keras.Input((length,), dtype="bool", name="mask")
    x = parts.embeddings(tokens, segments, words)
    for block in range(1, network.blocks + 1):
        x = parts.block(x, mask, f"block{block}")
    x = parts.dense(x[:, 0], network.dimension, "pooler", "tanh")
    logits = parts.dense(parts.drop(x, "pooler_dropout"), classes, "classifier")
    model = keras.Model([tokens, segments, mask], logits, name="encoder")
    draw_weights(model, seed)
    return model


def load_published(network: Encoder, model: "keras.Model", path: Path) -> None:
    """Give the built network the published weights at `path`, see `bert.load`."""
    bert.load(model, network.blocks, path)


class _Parts:
    """The layers of an encoder with their policy; seeds of dropout are drawn in the order of the layers."""

    def __init__(self, network: Encoder, precision: Precision, l2: float, seed: int) -> None:
        import keras

        from sixteen.precision.layers import Layers
        from sixteen.precision.policies import policies

        self.network = network
        self.weights, _ = policies(precision)
        self.layers, self.seeds = Layers(precision, seed), dropout_seeds(seed)
        self.penalty = keras.regularizers.L2(l2) if l2 else None

    def embeddings(self, tokens: Any, segments: Any, words: int) -> Any:
        """What goes into the first block, [batch, length, dimension]."""
        import keras

        from sixteen.networks.parts.positions import Positions

        x, y = (
            keras.layers.Embedding(many, self.network.dimension, dtype=self.weights, name=name)(of)
            for of, many, name in ((tokens, words, "words"), (segments, SEGMENTS, "segment"))
        )
        x = Positions(dtype=self.weights, name="positions")(self._add(x, y, "embeddings"))
        return self.drop(self._norm(x, "embeddings_norm"), "embeddings_dropout")

    def block(self, x: Any, mask: Any, name: str) -> Any:
        """Attention and two dense layers, [batch, length, dimension]."""
        from sixteen.networks.parts.attention import Attention

        network = self.network
        parts = [
            self.dense(x, network.dimension, f"{name}_{part}") for part in ("query", "key", "value")
        ]
        attention = Attention(
            network.heads,
            self._dropout(f"{name}_shares_dropout"),
            self.layers,
            dtype=self.weights,
            name=f"{name}_attention",
        )
        y = self.dense(attention(*parts, mask), network.dimension, f"{name}_output")
        y = self.drop(y, f"{name}_dropout1")
        x = self._norm(self._add(x, y, f"{name}_add1"), f"{name}_norm1")
        y = self.dense(x, network.mlp, f"{name}_dense1", "gelu")
        y = self.drop(self.dense(y, network.dimension, f"{name}_dense2"), f"{name}_dropout2")
        return self._norm(self._add(x, y, f"{name}_add2"), f"{name}_norm2")

    def dense(self, x: Any, units: int, name: str, activation: str | None = None) -> Any:
        """A dense layer on each token, or on one."""
        import keras

        layer = self.layers.dense(
            gradient_axes=BY_PLACE if len(x.shape) == 3 else None,
            units=units,
            kernel_regularizer=self.penalty,
            dtype=self.weights,
            name=name,
        )
        if activation is None:
            return layer(x)
        return keras.layers.Activation(activation, dtype=self.weights, name=f"{name}_{activation}")(
            layer(x)
        )

    def drop(self, x: Any, name: str) -> Any:
        """Dropout."""
        return self._dropout(name)(x)

    def _dropout(self, name: str) -> Any:
        import keras

        seed = int(self.seeds.integers(2**31))
        return keras.layers.Dropout(self.network.dropout, seed=seed, dtype=self.weights, name=name)

    def _norm(self, x: Any, name: str) -> Any:
        import keras

        return keras.layers.LayerNormalization(epsilon=EPSILON, dtype=self.weights, name=name)(x)

    def _add(self, x: Any, y: Any, name: str) -> Any:
        import keras

        return keras.layers.Add(dtype=self.weights, name=name)([x, y])


def layers(network: Encoder) -> int:
    """Dense layers: six a block, pooler and classifier."""
    return 6 * network.blocks + 2


def cost(network: Encoder, shape: tuple[int, int], classes: int) -> int:
    """Multiply-adds of dense layers and attention in the forward pass of one pair."""
    (length, _), width = shape, network.dimension
    block = 4 * width**2 + 2 * length * width + 2 * width * network.mlp
    return length * network.blocks * block + width**2 + width * classes
