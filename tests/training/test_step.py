import numpy as np
import pytest
from small_runs import precision, recipe, resnet

from sixteen import networks
from sixteen.datasets.prepared.images import Images


@pytest.fixture
def images():
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (20, 8, 6, 3), dtype=np.uint8)
    labels = np.arange(20, dtype=np.int32) % 10
    tested = (pixels[::-1].copy(), labels[::-1].copy())
    return Images(pixels, labels, *tested, np.float32([100]), np.float32([50]), tuple("0123456789"))


@pytest.fixture
def step(keras_started, images):
    import keras

    from sixteen.tasks.classify_images import ClassifyImages
    from sixteen.training.step_tensorflow import TensorFlowStep

    model = networks.build(resnet(), (8, 6, 3), 10, precision("float32"), l2=1e-4, seed=0)
    # Of 20 test images the last batch has 4.
    about = (precision("float32"), recipe(augmentation="crop-flip", batch=8))
    return TensorFlowStep(model, keras.optimizers.SGD(0.1), ClassifyImages(images), *about)


def test_crops_and_flips_like_numpy(step, images):
    rows = np.int32([[3, 0, 8, 0], [4, 4, 4, 0], [5, 4, 4, 1], [6, 7, 1, 1]])
    inputs, labels = step.train_batch(step.train_data, rows)
    for row, image in zip(rows, inputs.numpy(), strict=True):
        index, down, right, flip = row
        plain = (images.train_images[index].astype(np.float32) - 100) / 50
        crop = np.pad(plain, ((4, 4), (4, 4), (0, 0)))[down : down + 8, right : right + 6]
        assert np.array_equal(image, crop[:, ::-1] if flip else crop)
    assert np.array_equal(labels, images.train_labels[[3, 4, 5, 6]])


def test_logits_are_those_of_the_model_in_order(step, images):
    inputs = (images.test_images.astype(np.float32) - 100) / 50
    expected = step.model(inputs, training=False).numpy()
    assert step.predictions(32) == pytest.approx(expected, abs=1e-4)
