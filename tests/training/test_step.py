import numpy as np
import pytest
from small_runs import PRECISIONS, RECIPE

from sixteen import networks
from sixteen.datasets import Dataset


@pytest.fixture
def dataset():
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (20, 8, 6, 3), dtype=np.uint8)
    labels = np.arange(20, dtype=np.int32) % 10
    return Dataset(
        images, labels, images, labels, np.float32([100]), np.float32([50]), tuple("0123456789")
    )


@pytest.fixture
def step(keras_started, dataset):
    import keras

    from sixteen.training.step_tensorflow import TensorFlowStep

    network = {"family": "resnet", "depth": 8, "width": 4}
    precision = PRECISIONS["float32"]
    model = networks.build(network, (8, 6, 3), 10, precision, l2=1e-4, seed=0)
    recipe = RECIPE | {"augmentation": "crop-flip"}
    return TensorFlowStep(model, keras.optimizers.SGD(0.1), dataset, precision, recipe)


def test_crops_and_flips_like_numpy(step, dataset):
    rows = np.int32([[3, 0, 8, 0], [4, 4, 4, 0], [5, 4, 4, 1], [6, 7, 1, 1]])
    images, labels = step._train_batch(step.train_data, rows)
    for row, image in zip(rows, images.numpy(), strict=True):
        index, down, right, flip = row
        plain = (dataset.train_images[index].astype(np.float32) - 100) / 50
        crop = np.pad(plain, ((4, 4), (4, 4), (0, 0)))[down : down + 8, right : right + 6]
        assert np.array_equal(image, crop[:, ::-1] if flip else crop)
    assert np.array_equal(labels, dataset.train_labels[[3, 4, 5, 6]])


def test_logits_are_those_of_the_model_in_order(step, dataset):
    images = (dataset.test_images.astype(np.float32) - 100) / 50
    expected = step.model(images, training=False).numpy()
    assert step.logits() == pytest.approx(expected, abs=1e-4)
