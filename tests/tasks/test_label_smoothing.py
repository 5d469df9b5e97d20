"""Label smoothing, arXiv:1512.00567, section 7: q'(k) = (1 - e) [k = y] + e / K."""

import numpy as np
import pytest

from sixteen.errors import UserError

pytestmark = pytest.mark.usefixtures("keras_started")


def test_a_share_of_each_label_is_spread_over_all_classes():
    from sixteen.tasks.parts.classification import cross_entropy

    draw = np.random.default_rng(0)
    logits, labels = draw.normal(size=(6, 4)).astype(np.float32), draw.integers(0, 4, 6)
    likelihoods = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    smoothed = 0.9 * np.eye(4)[labels] + 0.1 / 4
    wanted = -(smoothed * likelihoods).sum(axis=1).mean()
    got = float(cross_entropy(logits, labels.astype(np.int32), "float32", 0.1))
    assert got == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_what_is_smoothed_is_computed_in_the_format_of_the_loss(dtype):
    import keras

    from sixteen.tasks.parts.classification import cross_entropy

    logits = np.zeros((6, 4), np.float32)
    found = cross_entropy(logits, np.zeros(6, np.int32), dtype, 0.1)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    assert float(keras.ops.cast(found, "float32")) == pytest.approx(np.log(4), rel=0.01)


def test_boxes_have_no_labels_to_smooth():
    from sixteen.tasks.detect_objects import DetectObjects

    with pytest.raises(UserError, match=r"expected `label_smoothing: 0` .*, came 0.1.*choose"):
        DetectObjects.loss(None, None, None, "float32", 0.1)  # pyright: ignore
