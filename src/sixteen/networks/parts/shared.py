"""What the network families share: initial weights, widths, small images made larger."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sixteen.errors import UserError

if TYPE_CHECKING:
    import keras

SIDE = 32  # least height and width that networks made for photographs take
EMBEDDING = 0.05  # Keras' default for embeddings: uniform between -0.05 and 0.05


def draw_weights(model: "keras.Model", seed: int) -> None:
    """Draw all kernels and embeddings of `model` by numpy, in the order of `model.weights`.

    Kernels are Glorot-uniform, recurrent ones orthogonal, Keras' defaults, with fans counted as Keras does. The
    numbers are float32 and rounded to the storage type of each weight, so that every precision starts from the same
    ones. Biases and normalisation keep their constants.
    """
    import keras

    draw = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.name == "recurrent_kernel":
            values = _orthogonal(draw, weight.shape)
        elif weight.name.endswith("kernel"):
            values = _uniform(draw, weight.shape, math.sqrt(6 / sum(_fans(weight.shape))))
        elif weight.name == "embeddings":
            values = _uniform(draw, weight.shape, EMBEDDING)
        else:
            continue
        weight.assign(keras.ops.cast(values, weight.dtype))


def dropout_seeds(seed: int) -> np.random.Generator:
    """Seeds of dropout layers: a stream of its own, so that it doesn't repeat that of the weights."""
    return np.random.default_rng([seed, 1])


def scaled(filters: int, width: float) -> int:
    """`filters` times `width`, rounded. Raises UserError if none is left."""
    many = round(filters * width)
    if many < 1:
        raise UserError(
            f"expected a width that leaves at least one filter of {filters}, came {width}; raise `width` in "
            "params.yaml"
        )
    return many


def enlarged(shape: tuple[int, int, int]) -> tuple[int, tuple[int, int, int]]:
    """The whole factor that brings both sides to 32 at least, and the shape after it (8x8: 4, 32x32)."""
    height, width, channels = shape
    factor = math.ceil(SIDE / min(height, width, SIDE))
    return factor, (factor * height, factor * width, channels)


def enlarge(images: Any, factor: int, policy: Any) -> Any:
    """Repeat each pixel `factor` times in both directions; nothing is added for factor 1."""
    import keras

    if factor == 1:
        return images
    return keras.layers.UpSampling2D(factor, dtype=policy, name="enlarge")(images)


def _uniform(draw: np.random.Generator, shape: tuple[int, ...], limit: float) -> np.ndarray:
    """Float32 of this shape, from -`limit` to `limit`."""
    return (2 * draw.random(shape, dtype=np.float32) - 1) * np.float32(limit)


def _orthogonal(draw: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Float32 [rows, columns] with orthonormal rows, no fewer columns than rows, uniform among all such matrices.

    Computed in float64, so that the last digits of a LAPACK, which differ between machines, are rounded away.
    """
    q, r = np.linalg.qr(draw.standard_normal(shape[::-1]))
    # Signs, without which it wouldn't be uniform (Mezzadri, arXiv:math-ph/0609050).
    return (q * np.sign(np.diag(r))).T.astype(np.float32)


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Inputs and outputs of a kernel as Keras counts them: all axes but the last two are its field."""
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]
