"""Which image comes when, and how it is augmented: numpy alone, from the seed and the epoch alone.

So both arms of a seed see the same batches, in every precision and on every backend, and a run that is
resumed sees what the uninterrupted one saw.
"""

import numpy as np

from sixteen.errors import UserError

PADDING = 4  # pixels on each side before a random crop (arXiv:1512.03385, section 4.2)


def epoch_rows(images: int, batch: int, augmentation: str, seed: int, epoch: int) -> np.ndarray:
    """The batches of one epoch: int32 [steps, batch, 4] of image, down, right (0 to 8 pixels), flip (0, 1).

    `epoch` counts from 1. Images come in a fresh permutation; the `images % batch` last ones of it are left
    out, others in each epoch, so that all batches have one shape. `augmentation` is "none", "flip" or "crop-flip".
    Raises UserError if the batch is larger than the training set.
    """
    steps = images // batch
    if steps == 0:
        raise UserError(
            f"expected a batch of at most {images} images, the training set, came {batch}; lower `batch` of "
            "the recipe in params.yaml"
        )
    draw = np.random.default_rng([seed, epoch])
    rows = np.zeros((steps, batch, 4), np.int32)
    rows[..., 0] = draw.permutation(images)[: steps * batch].reshape(steps, batch)
    if augmentation == "flip":
        rows[..., 1:3] = PADDING
    if augmentation == "crop-flip":
        rows[..., 1:3] = draw.integers(0, 2 * PADDING + 1, (steps, batch, 2))
    if augmentation != "none":
        rows[..., 3] = draw.integers(0, 2, (steps, batch))
    return rows
