"""A dataset of a few digits, and runs on it that several tests look at."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from small_runs import Killed, Run, Runner, parameters

from sixteen.datasets.prepared.images import Images
from sixteen.training.parameters import Training


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
        # The other way round: in their own order their labels are those of the first training images.
        np.ascontiguousarray(images[:255:-1]),
        np.ascontiguousarray(labels[:255:-1]),
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


@pytest.fixture
def run(keras_started, dataset, tmp_path, monkeypatch):
    """A function that runs a session of two epochs into a folder, in this process and without XLA; killed in an
    epoch if so asked."""
    import tensorflow as tf

    from sixteen.training import session
    from sixteen.training.step_tensorflow import TensorFlowStep

    def uncompiled(self, function):
        return tf.function(function, autograph=False)

    monkeypatch.setattr(TensorFlowStep, "jit", uncompiled)

    def run(name, killed_in=None, start=None, **settings):
        into, scratch = tmp_path / name, tmp_path / "scratch" / name
        into.mkdir(exist_ok=True)
        scratch.mkdir(exist_ok=True, parents=True)
        plain = parameters(**({"until": 2} | settings)) | {
            "checkpoint_epochs": 1,
            "checkpoint_steps": 1000,
        }
        one = session.Session(Training.model_validate(plain), dataset, start, scratch)
        epoch = one._epoch

        def dying(number, progress):
            if number == killed_in:
                raise Killed
            epoch(number, progress)

        one._epoch = dying
        one.run()
        one.write(into)
        run.last = one
        return Run(into, one.facts(), "")

    return run
