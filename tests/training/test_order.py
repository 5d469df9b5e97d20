import numpy as np
import pytest

from sixteen.errors import UserError
from sixteen.tasks.parts.order import PADDING, epoch_rows


def test_order_is_a_permutation_of_seed_and_epoch_alone():
    rows = epoch_rows(100, 32, "none", seed=3, epoch=7)
    assert rows.shape == (3, 32, 4)
    assert len(set(rows[..., 0].ravel())) == 96
    assert np.array_equal(rows, epoch_rows(100, 32, "none", seed=3, epoch=7))
    for other in (epoch_rows(100, 32, "none", 3, 8), epoch_rows(100, 32, "none", 4, 7)):
        assert not np.array_equal(rows, other)


def test_what_an_epoch_leaves_out_comes_in_others():
    left = [
        set(range(100)) - set(epoch_rows(100, 32, "none", 3, e)[..., 0].ravel())
        for e in range(1, 9)
    ]
    assert all(len(one) == 4 for one in left)
    assert not set.intersection(*left)
    assert len(set.union(*left)) > 20


def test_augmentation_leaves_the_order_alone():
    plain = epoch_rows(100, 32, "none", seed=3, epoch=7)
    cropped = epoch_rows(100, 32, "crop-flip", seed=3, epoch=7)
    assert np.array_equal(plain[..., 0], cropped[..., 0])
    assert set(cropped[..., 1:3].ravel()) == set(range(9))
    assert set(cropped[..., 3].ravel()) == {0, 1}


def test_flips_alone_shift_nothing():
    flipped = epoch_rows(100, 32, "flip", seed=3, epoch=7)
    assert np.array_equal(flipped[..., 0], epoch_rows(100, 32, "none", seed=3, epoch=7)[..., 0])
    assert set(flipped[..., 1:3].ravel()) == {PADDING}
    assert set(flipped[..., 3].ravel()) == {0, 1}


def test_refuses_a_batch_larger_than_the_training_set():
    with pytest.raises(UserError, match="at most 100 images"):
        epoch_rows(100, 101, "none", seed=0, epoch=1)
