"""What a precision entry of params.yaml promises.

The fields:
- `compute`: format of activations, of their gradients and of the arithmetic between them.
- `master_weights`: weights and optimizer state are stored in float32 and cast for each use, so that small
  updates aren't lost (arXiv:1710.03740, section 3.1). Without, both are stored, and the update is computed,
  in the compute type (arXiv:2305.10947).
- `batch_norm`: storage of batch-norm parameters and statistics. Of its own because Keras 2, which
  arXiv:2311.18587 and arXiv:2305.10947 ran, kept them in float32 even under floatx float16, whereas Keras 3
  stores them like any other variable: a float16 moving average with momentum 0.99 doesn't move for
  differences below about 3 %.
- `loss`: format of softmax, logarithm and the mean over the batch.
- `loss_scale`: see `sixteen.training.optimizers`.

Where sums are accumulated (arXiv:1710.03740, section 3.3) can be chosen for the loss alone. Inside a matrix
product, a convolution or a sum over a tensor, the backend decides, and neither Keras nor XLA offers a switch:
XLA on CPUs adds 16-bit numbers in float32 and rounds the result once, in every precision here (measured in
tests/training/test_accumulation.py); a GPU may do otherwise. The arithmetic of batch and layer normalisation
is float32 in Keras, whatever their storage.
"""

from typing import Any

LARGEST_FLOAT16 = 65504


def storage_of(precision: dict[str, Any]) -> str:
    """The format of stored weights: float32 for master weights (arXiv:1710.03740, section 3.1)."""
    return "float32" if precision["master_weights"] else precision["compute"]
