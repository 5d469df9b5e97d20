"""Vision transformer for small images, as the code of arXiv:2305.10947 has it.

The image is cut into patches from its top left corner; pixels that fill no whole patch are left out (32 pixels
in patches of 6: five patches and 2 pixels left out, on the right and below). Each patch goes through a dense
layer, plus an embedding of its place. A block is attention, then two dense layers (GELU between them), each
with dropout, a residual sum and layer normalisation after it; every head has keys of the whole `dimension`,
so that heads need not divide it. The head flattens all tokens: normalisation, dropout, dense layers with GELU,
logits.

Everything computes in the policy's type but for the inside of layer normalisation, which Keras computes in
float32 and rounds. The softmax of the attention is 16-bit where the policy is: Keras' fused attention would
compute it in float32, and is avoided by asking for the shares. Keras draws dropout in the compute type, so
the same seed drops other elements in another precision.
"""

import itertools
from typing import TYPE_CHECKING, Any, Literal

from sixteen.entry import Listed, Share, Size
from sixteen.errors import UserError
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.shared import draw_weights, dropout_seeds
from sixteen.networks.parts.transformer import Transformer
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

TASKS = ("classify_images", "classify_image_files")


class Vit(Network):
    """A vision transformer, see the top of this module; `head` are the units of the dense layers before the logits."""

    family: Literal["vit"]
    blocks: Size
    patch: Size
    dimension: Size
    heads: Size
    mlp: Size
    head: Listed[Size]
    dropout: Share
    head_dropout: Share


def build(
    network: Vit,
    shape: tuple[int, int, int],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build the network for images [batch, *shape] in the compute type; logits [batch, classes].

    Raises UserError for patches larger than the image.
    """
    import keras

    from sixteen.networks.parts.positions import Positions

    parts = _Parts(network, precision, l2, seed)
    inputs = keras.Input(shape, dtype=precision.compute, name="images")
    x = parts.dense(parts.patches(inputs), network.dimension, "projection")
    x = Positions(dtype=parts.weights, name="positions")(x)
    for block in range(1, network.blocks + 1):
        x = parts.block(x, f"block{block}")
    x = keras.layers.Flatten(dtype=parts.weights, name="flatten")(parts.norm(x, "norm"))
    x = parts.drop(x, network.head_dropout, "dropout")
    for i, units in enumerate(network.head, 1):
        x = parts.dense(x, units, f"head{i}", "gelu")
    model = keras.Model(inputs, parts.dense(x, classes, "logits"), name="vit")
    draw_weights(model, seed)
    return model


class _Parts(Transformer):
    """The layers of a transformer with their policy; seeds of dropout are drawn in the order of the layers."""

    def __init__(self, network: Vit, precision: Precision, l2: float, seed: int) -> None:
        super().__init__(precision, l2)
        self.network = network
        self.seeds = dropout_seeds(seed)

    def patches(self, images: Any) -> Any:
        """Pixels of each whole patch, [batch, tokens, pixels]."""
        import keras

        patch, (height, width, channels) = self.network.patch, images.shape[1:]
        rows, columns = _patches(self.network, (height, width, channels))
        rest = ((0, height - rows * patch), (0, width - columns * patch))
        whole = keras.layers.Cropping2D(rest, dtype=self.weights, name="crop")(images)
        return self.cut(whole, patch)

    def block(self, x: Any, name: str) -> Any:
        """Attention, then two dense layers, each with dropout, residual sum and normalisation."""
        network = self.network
        y = self.attention(x, network.heads, network.dimension, name)
        y = self.drop(y, network.dropout, f"{name}_dropout1")
        x = self.norm(self.add(x, y, f"{name}_add1"), f"{name}_norm1")
        y = self.dense(x, network.mlp, f"{name}_dense1", "gelu")
        y = self.dense(y, network.dimension, f"{name}_dense2")
        y = self.drop(y, network.dropout, f"{name}_dropout2")
        return self.norm(self.add(x, y, f"{name}_add2"), f"{name}_norm2")

    def drop(self, x: Any, rate: float, name: str) -> Any:
        """Dropout."""
        import keras

        seed = int(self.seeds.integers(2**31))
        return keras.layers.Dropout(rate, seed=seed, dtype=self.weights, name=name)(x)


def layers(network: Vit) -> int:
    """Dense layers: projection, four of each attention and two more a block, the head."""
    return 1 + 6 * network.blocks + len(network.head) + 1


def cost(network: Vit, shape: tuple[int, int, int], classes: int) -> int:
    """Multiply-adds of dense layers and attention in the forward pass of one image."""
    rows, columns = _patches(network, shape)
    tokens, dimension = rows * columns, network.dimension
    keys = network.heads * dimension
    block = 4 * dimension * keys + 2 * tokens * keys + 2 * dimension * network.mlp
    total = tokens * (network.patch**2 * shape[2] * dimension + network.blocks * block)
    sizes = [tokens * dimension, *network.head, classes]
    return total + sum(a * b for a, b in itertools.pairwise(sizes))


def _patches(network: Vit, shape: tuple[int, int, int]) -> tuple[int, int]:
    """Rows and columns of whole patches."""
    rows, columns = shape[0] // network.patch, shape[1] // network.patch
    if not rows * columns:
        raise UserError(
            f"expected patches that fit into images of {shape[0]}x{shape[1]}, came {network.patch}x"
            f"{network.patch}; lower `patch` in params.yaml"
        )
    return rows, columns
