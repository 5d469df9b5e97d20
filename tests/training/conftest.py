"""A dataset of a few digits, and runs on it that several tests look at."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from small_runs import Runner

from sixteen.datasets.prepared.images import Images


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """256 images of digits to train on and 100 to test on, prepared."""
    folder = tmp_path_factory.mktemp("dataset")
    digits = load_digits()
    images = np.ascontiguousarray((digits.images[:356] * 15.9375).astype(np.uint8)[..., None])
    labels = digits.target[:356].astype(np.int32)
    Images(
        images[:256],
        labels[:256],
        images[256:],
        labels[256:],
        np.float32([images[:256].mean()]),
        np.float32([images[:256].std()]),
        tuple("0123456789"),
    ).save(folder)
    return folder


@pytest.fixture(scope="session")
def runner(tmp_path_factory, dataset):
    return Runner(tmp_path_factory.mktemp("runs"), dataset)


@pytest.fixture(scope="session")
def trained(runner):
    """Four epochs in float32."""
    return runner.run("trained")


@pytest.fixture(scope="session")
def keras_started():
    """Keras in the process of the tests, for what needs no training."""
    from sixteen.training import backends

    backends.start("tensorflow", threads=1)
