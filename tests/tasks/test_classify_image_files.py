"""Crops of pictures: what is drawn, and that just that is seen."""

import io

import numpy as np
import pytest
from PIL import Image

from sixteen.datasets.prepared.image_files import Part, Pictures
from sixteen.errors import UserError
from sixteen.tasks.parts import crops, order

pytestmark = pytest.mark.usefixtures("keras_started")

DRAW = np.random.default_rng(0)
SIZES = DRAW.integers(20, 90, (12, 2))
SIDE = 16


def coded(size):
    file = io.BytesIO()
    pixels = DRAW.integers(0, 256, (size[0] // 4, size[1] // 4, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((size[1], size[0])).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def pictures():
    return [coded(size) for size in SIZES.tolist()]


@pytest.fixture(scope="module")
def task(pictures, tmp_path_factory):
    from sixteen.tasks.classify_image_files import bind

    folder = tmp_path_factory.mktemp("pictures")
    read = [(i, of, str(i)) for i, of in enumerate(pictures)]
    part = Part(np.arange(12, dtype=np.int32) % 3, lambda: read)
    Pictures(part, part, ("a", "b", "c"), SIDE, "unit").save(folder)
    return bind(folder)


def test_order_is_that_of_all_tasks_and_crops_are_a_function_of_seed_and_epoch():
    rows = crops.epoch_rows(SIZES, 4, "resized-crop-flip", 1, 2)
    assert np.array_equal(rows[..., 0], order.epoch_rows(12, 4, "none", 1, 2)[..., 0])
    assert np.array_equal(rows, crops.epoch_rows(SIZES, 4, "resized-crop-flip", 1, 2))
    alike = np.full((12, 2), 50)  # else crops would differ by the order alone
    first = crops.epoch_rows(alike, 4, "resized-crop-flip", 1, 2)[..., 1:]
    for seed, epoch in ((1, 3), (2, 2)):
        other = crops.epoch_rows(alike, 4, "resized-crop-flip", seed, epoch)[..., 1:]
        assert not np.array_equal(first, other)


def test_crops_have_the_areas_and_shapes_of_the_recipe_and_lie_inside():
    """8 to 100 % of the area, 3:4 to 4:3 (arXiv:1409.4842, section 6), everywhere in the picture, half of them flipped."""
    sizes = np.tile([[375, 500]], (20_000, 1))
    rows = crops.epoch_rows(sizes, 20_000, "resized-crop-flip", 0, 1)[0]
    _, top, left, height, width, flip = rows.T
    assert (top >= 0).all() and (left >= 0).all()
    assert (top + height <= 375).all() and (left + width <= 500).all()
    share, ratio = height * width / (375 * 500), width / height
    assert 0.079 < share.min() < 0.09 and share.max() > 0.9
    assert 0.74 < ratio.min() < 0.76 and 1.32 < ratio.max() < 1.35
    assert 0.48 < flip.mean() < 0.52
    # A uniform draw of the area, but for large crops, which often don't fit and are drawn again.
    assert 0.3 < np.median(share) < 0.5
    free = height < 375
    assert np.abs((top / (375 - height + 1e-9))[free].mean() - 0.5) < 0.02


def test_a_picture_that_no_crop_fits_gives_its_middle():
    rows = crops.epoch_rows(np.array([[4, 400]]), 1, "resized-crop-flip", 0, 1)[0, 0].tolist()
    assert rows[3:5] == [4, 5] and rows[1:3] == [0, (400 - 5) // 2]


def test_tests_see_the_middle_seven_eighths(task, pictures):
    """224 of 256 pixels of the shorter side (arXiv:1512.03385, section 3.4)."""
    (first, *_) = task.test_batches(5)
    for seen, content, (height, width) in zip(first, pictures, SIZES.tolist(), strict=False):
        side = round(0.875 * min(height, width))
        top, left = (height - side) // 2, (width - side) // 2
        middle = Image.open(io.BytesIO(content)).crop((left, top, left + side, top + side))
        wanted = np.asarray(middle.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
        assert np.array_equal(seen, wanted)
    assert np.array_equal(task.test_batches(5)[1], list(task.test_batches(5))[1])
    assert [len(batch) for batch in task.test_batches(5)] == [5, 5, 5]


def test_a_step_is_given_the_crops_that_its_rows_name_with_their_labels(task, pictures):
    rows = task.rows(4, "resized-crop-flip", 0, 1)
    seen = list(task.batches(rows))
    assert len(seen) == 3
    for (pixels, labels), batch in zip(seen, rows, strict=True):
        assert labels.tolist() == (batch[:, 0] % 3).tolist() and pixels.dtype == np.uint8
        for image, (number, top, left, height, width, flip) in zip(pixels, batch, strict=True):
            whole = Image.open(io.BytesIO(pictures[number])).convert("RGB")
            part = whole.crop((left, top, left + width, top + height))
            wanted = np.asarray(part.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
            assert np.array_equal(image, wanted[:, ::-1] if flip else wanted)
    assert 0 < rows[..., 5].sum() < rows[..., 5].size


def test_as_many_threads_as_there_may_be_read_the_same(task):
    rows = task.rows(2, "resized-crop-flip", 0, 1)
    alone = [pixels for pixels, _ in task.batches(rows)]
    task.threads = 4
    together = [pixels for pixels, _ in task.batches(rows)]
    task.threads = 1
    assert np.array_equal(alone, together)


@pytest.mark.parametrize("augmentation", ["flip", "crop-flip"])
def test_other_augmentations_are_refused_in_a_sentence(task, augmentation):
    with pytest.raises(UserError, match=f"for the task classify_image_files, came {augmentation}"):
        task.rows(4, augmentation, 0, 1)


def test_crops_of_pictures_are_refused_for_images_in_memory():
    from sixteen.datasets.prepared.images import Images
    from sixteen.tasks.classify_images import ClassifyImages

    with pytest.raises(UserError, match="for the task classify_images, came resized-crop-flip"):
        ClassifyImages(Images.random(4, (8, 8, 1), 2)).rows(2, "resized-crop-flip", 0, 1)
