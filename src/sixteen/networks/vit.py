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

from sixteen.entry import Count, Listed, Share
from sixteen.errors import UserError
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.shared import draw_weights, dropout_seeds
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

EPSILON = (
    1e-6  # of layer normalisation; below float16's normal numbers, but Keras adds it in float32
)

TASKS = ("classify_images",)


class Vit(Network):
    """A vision transformer, see the top of this module; `head` are the units of the dense layers before the logits."""

    family: Literal["vit"]
    blocks: Count
    patch: Count
    dimension: Count
    heads: Count
    mlp: Count
    head: Listed[Count]
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
    from sixteen.precision.policies import policies

    weights, _ = policies(precision)
    seeds = dropout_seeds(seed)
    patch, dimension = network.patch, network.dimension
    rows, columns = _patches(network, shape)
    regular = {"kernel_regularizer": keras.regularizers.L2(l2) if l2 else None}

    def dense(x: Any, units: int, name: str, activation: str | None = None) -> Any:
        return keras.layers.Dense(
            units, activation=activation, dtype=weights, name=name, **regular
        )(x)

    def drop(x: Any, rate: float, name: str) -> Any:
        drop_seed = int(seeds.integers(2**31))
        return keras.layers.Dropout(rate, seed=drop_seed, dtype=weights, name=name)(x)

    def norm(x: Any, name: str) -> Any:
        return keras.layers.LayerNormalization(epsilon=EPSILON, dtype=weights, name=name)(x)

    def add(x: Any, y: Any, name: str) -> Any:
        return keras.layers.Add(dtype=weights, name=name)([x, y])

    inputs = keras.Input(shape, dtype=precision.compute, name="images")
    rest = ((0, shape[0] - rows * patch), (0, shape[1] - columns * patch))
    x = keras.layers.Cropping2D(rest, dtype=weights, name="crop")(inputs)
    split = (rows, patch, columns, patch, shape[2])
    x = keras.layers.Reshape(split, dtype=weights, name="split")(x)
    x = keras.layers.Permute((1, 3, 2, 4, 5), dtype=weights, name="gather")(x)
    flat = (rows * columns, patch * patch * shape[2])
    x = keras.layers.Reshape(flat, dtype=weights, name="patches")(x)
    x = Positions(dtype=weights, name="positions")(dense(x, dimension, "projection"))
    for block in range(1, network.blocks + 1):
        name = f"block{block}"
        attention = keras.layers.MultiHeadAttention(
            network.heads, dimension, dtype=weights, name=f"{name}_attention", **regular
        )
        y, _ = attention(x, x, return_attention_scores=True)
        y = drop(y, network.dropout, f"{name}_dropout1")
        x = norm(add(x, y, f"{name}_add1"), f"{name}_norm1")
        y = dense(x, network.mlp, f"{name}_dense1", "gelu")
        y = drop(dense(y, dimension, f"{name}_dense2"), network.dropout, f"{name}_dropout2")
        x = norm(add(x, y, f"{name}_add2"), f"{name}_norm2")
    x = keras.layers.Flatten(dtype=weights, name="flatten")(norm(x, "norm"))
    x = drop(x, network.head_dropout, "dropout")
    for i, units in enumerate(network.head, 1):
        x = dense(x, units, f"head{i}", "gelu")
    model = keras.Model(inputs, dense(x, classes, "logits"), name="vit")
    draw_weights(model, seed)
    return model


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
            f"expected patches that fit into images of {shape[0]}x{shape[1]}, came {network['patch']}x"
            f"{network['patch']}; lower `patch` in params.yaml"
        )
    return rows, columns
