"""Vision transformers for photographs, as Beyer et al. train them plainly (arXiv:2205.01580).

The image is cut into patches, each of which goes through a dense layer, plus sines and cosines of its row and column (fixed;
the paper's `posemb_sincos_2d`). A block is attention, then two dense layers (GELU between them), each of a normalised input,
with a residual sum (pre-norm). All tokens are normalised, averaged and go through the head. ViT-S/16 has `blocks` 12, `patch`
16, `dimension` 384, `heads` 6, `mlp` 1536. Initial weights are Keras' defaults, where the paper's head is zero at first.

Everything computes in the policy's type but for the inside of layer normalisation, as in `sixteen.networks.vit`.
"""

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import model_validator

from sixteen.entry import Size
from sixteen.errors import UserError
from sixteen.networks.parts.family import Network
from sixteen.networks.parts.shared import draw_weights
from sixteen.networks.parts.transformer import Transformer
from sixteen.precision.entry import Precision

if TYPE_CHECKING:
    import keras

LONGEST = 10_000  # wavelength of the sines, over 2 pi

TASKS = ("classify_images", "classify_image_files")


class PlainVit(Network):
    """A vision transformer, see the top of this module."""

    family: Literal["plain_vit"]
    blocks: Size
    patch: Size
    dimension: Size
    heads: Size
    mlp: Size

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.dimension % self.heads or self.dimension % 4:
            raise ValueError(
                f"expected a `dimension` that is a multiple of 4 and of `heads`, {self.heads}, came {self.dimension}"
            )
        return self


def build(
    network: PlainVit,
    shape: tuple[int, int, int],
    classes: int,
    precision: Precision,
    l2: float,
    seed: int,
) -> "keras.Model":
    """Build the network for images [batch, *shape] in the compute type; logits [batch, classes].

    UserError for images that aren't whole patches.
    """
    import keras

    rows, columns = _patches(network, shape)
    parts = Transformer(precision, l2)
    inputs = keras.Input(shape, dtype=precision.compute, name="images")
    x = parts.dense(parts.cut(inputs, network.patch), network.dimension, "projection")
    places = sines(rows, columns, network.dimension).astype(precision.compute)
    x = keras.ops.add(x, places)
    for block in range(1, network.blocks + 1):
        x = _block(parts, network, x, f"block{block}")
    x = parts.norm(x, "norm")
    x = keras.layers.GlobalAveragePooling1D(dtype=parts.weights, name="pool")(x)
    model = keras.Model(inputs, parts.dense(x, classes, "head"), name="plain_vit")
    draw_weights(model, seed)
    return model


def sines(rows: int, columns: int, dimension: int) -> np.ndarray:
    """Float32 [rows * columns, dimension]: a quarter each of sine and cosine of the column, then of the row."""
    y, x = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    quarter = dimension // 4
    rates = LONGEST ** -(np.arange(quarter) / max(quarter - 1, 1))
    angles = [place.reshape(-1, 1) * rates for place in (x, y)]
    parts = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _block(parts: Transformer, network: PlainVit, x: Any, name: str) -> Any:
    """Attention, then two dense layers, each of the normalised tokens and added to them."""
    y = parts.norm(x, f"{name}_norm1")
    y = parts.attention(y, network.heads, network.dimension // network.heads, name)
    x = parts.add(x, y, f"{name}_add1")
    y = parts.dense(parts.norm(x, f"{name}_norm2"), network.mlp, f"{name}_dense1", "gelu")
    return parts.add(x, parts.dense(y, network.dimension, f"{name}_dense2"), f"{name}_add2")


def layers(network: PlainVit) -> int:
    """Dense layers: projection, four of each attention and two more a block, the head."""
    return 1 + 6 * network.blocks + 1


def cost(network: PlainVit, shape: tuple[int, int, int], classes: int) -> int:
    """Multiply-adds of dense layers and attention in the forward pass of one image."""
    rows, columns = _patches(network, shape)
    tokens, dimension = rows * columns, network.dimension
    block = 4 * dimension**2 + 2 * tokens * dimension + 2 * dimension * network.mlp
    each = network.patch**2 * shape[2] * dimension + network.blocks * block
    return tokens * each + dimension * classes


def _patches(network: PlainVit, shape: tuple[int, int, int]) -> tuple[int, int]:
    """Rows and columns of patches."""
    if shape[0] % network.patch or shape[1] % network.patch:
        raise UserError(
            f"expected images that are whole patches of {network.patch}x{network.patch}, came {shape[0]}x{shape[1]}; choose "
            "another `patch` in params.yaml"
        )
    return shape[0] // network.patch, shape[1] // network.patch
