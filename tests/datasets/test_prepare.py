import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from sixteen.datasets.archives.members import digest
from sixteen.datasets.prepared.images import Images
from sixteen.datasets.prepared.prepare import Preparation, prepare
from sixteen.errors import UserError

DOWNLOAD = {"url": "https://example.org/a.tar.gz", "bytes": 9, "sha256": "0" * 64}
DIGITS = {"kind": "digits", "normalisation": "scalar"}


def of(**entry):
    """The step's parameters for a dataset with these fields, read as params.yaml is."""
    return Preparation.model_validate({"dataset": entry})


def pets(tree: Path, **changed):
    entry = {
        "kind": "image-folder",
        "path": "pets",
        "normalisation": "channel",
        "sha256": digest(tree),
        "height": 3,
        "width": 4,
        "colour": "rgb",
    }
    return of(**(entry | changed))


def test_digits_are_split_by_class_and_scaled_to_255(tmp_path):
    facts = prepare(of(**DIGITS), {}, tmp_path, tmp_path)
    dataset = Images.load(tmp_path)
    train, test = (np.bincount(x) for x in (dataset.train_labels, dataset.test_labels))
    assert train.sum() + test.sum() == 1797
    assert ((train + test) // 5 == test).all()
    assert dataset.train_images.shape == (facts["train_items"], 8, 8, 1)
    assert (dataset.train_images.min(), dataset.train_images.max()) == (0, 255)
    assert dataset.classes == tuple("0123456789")
    assert facts["shape"] == [8, 8, 1]
    assert facts["test_items"] == len(dataset.test_labels)
    assert facts["outputs"] == 10


def test_a_dataset_takes_no_memory_before_it_is_looked_at(tmp_path):
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    pixels, labels = np.zeros((200, 1000, 1000, 1), np.uint8), np.zeros(200, np.int32)
    pixels[199, 0, 0] = 7
    one = np.ones(1, np.float32)
    Images(pixels, labels, pixels[199:], labels[:1], one, one, ("0",)).save(tmp_path)
    before = resident()
    loaded = Images.load(tmp_path)
    assert loaded.train_images.shape == pixels.shape
    assert loaded.test_images[0, 0, 0, 0] == 7
    assert resident() - before < pixels.nbytes / 10


def test_the_same_parameters_give_the_same_bytes(tmp_path, image_tree):
    for parameters, inputs in ((of(**DIGITS), {}), (pets(image_tree), {"archive": image_tree})):
        written = []
        for name in ("once", "twice"):
            into = tmp_path / parameters.dataset.kind / name
            into.mkdir(parents=True)
            prepare(parameters, inputs, into, tmp_path)
            written.append((into / "dataset.safetensors").read_bytes())
        assert written[0] == written[1]


@pytest.mark.parametrize(
    "normalisation, axes", [("scalar", (0, 1, 2, 3)), ("channel", (0, 1, 2))], ids=str
)
def test_mean_and_deviation_are_those_of_the_training_pixels(
    tmp_path, image_tree, normalisation, axes
):
    Image.new("RGB", (4, 3), (250, 7, 90)).save(image_tree / "train/cat/0.png")
    Image.new("RGB", (4, 3), (255, 255, 255)).save(image_tree / "test/cat/0.png")
    parameters = pets(image_tree, normalisation=normalisation)
    prepare(parameters, {"archive": image_tree}, tmp_path, tmp_path)
    dataset = Images.load(tmp_path)
    pixels = dataset.train_images.astype(np.float64)
    np.testing.assert_allclose(dataset.mean, np.atleast_1d(pixels.mean(axes)), rtol=1e-6)
    np.testing.assert_allclose(dataset.std, np.atleast_1d(pixels.std(axes)), rtol=1e-6)
    assert dataset.mean.dtype == dataset.std.dtype == np.float32


def test_unit_maps_pixels_to_0_to_1(tmp_path):
    prepare(of(kind="digits", normalisation="unit"), {}, tmp_path, tmp_path)
    dataset = Images.load(tmp_path)
    assert (dataset.mean.tolist(), dataset.std.tolist()) == ([0], [255])


def test_pixels_of_one_value_are_refused(tmp_path, image_tree):
    for path in image_tree.rglob("*.png"):
        Image.new("RGB", (4, 3), (40, 9, 200)).save(path)
    Image.new("RGB", (4, 3), (250, 9, 201)).save(image_tree / "train/cat/0.png")
    with pytest.raises(UserError, match="came only 9 in channel 1"):
        prepare(pets(image_tree), {"archive": image_tree}, tmp_path, tmp_path)


@pytest.mark.parametrize("kind", ["cifar10", "cifar100", "image-folder"])
def test_another_archive_is_refused_with_both_digests(tmp_path, make_tar, image_tree, kind):
    archive = make_tar({"a": b"x"})
    parameters = pets(image_tree, sha256="0" * 64)
    if kind != "image-folder":
        parameters = of(kind=kind, normalisation="scalar", **DOWNLOAD)
    with pytest.raises(
        UserError, match=f"{archive} with sha256 {'0' * 64}, came {digest(archive)}"
    ):
        prepare(parameters, {"archive": archive}, tmp_path, tmp_path)


def test_a_changed_directory_is_refused(tmp_path, image_tree):
    parameters = pets(image_tree)
    (image_tree / "train/cat/0.png").rename(image_tree / "train/cat/9.png")
    with pytest.raises(UserError, match=parameters.dataset.sha256):
        prepare(parameters, {"archive": image_tree}, tmp_path, tmp_path)


def test_a_folder_without_a_prepared_dataset_is_named(tmp_path):
    with pytest.raises(UserError, match=str(tmp_path / "dataset.safetensors")):
        Images.load(tmp_path)


def test_a_damaged_prepared_dataset_is_named(tmp_path):
    prepare(of(**DIGITS), {}, tmp_path, tmp_path)
    path = tmp_path / "dataset.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=str(path)):
        Images.load(tmp_path)


@pytest.mark.skipif(
    "SIXTEEN_CIFAR10_JPEG" not in os.environ,
    reason="SIXTEEN_CIFAR10_JPEG does not name a tar of the 60,000 CIFAR-10 images as JPEG",
)
def test_the_jpeg_images_of_cifar10_become_a_dataset(tmp_path):
    archive = Path(os.environ["SIXTEEN_CIFAR10_JPEG"])
    parameters = pets(archive, height=32, width=32)
    facts = prepare(parameters, {"archive": archive}, tmp_path, tmp_path)
    assert facts["shape"] == [32, 32, 3]
    dataset = Images.load(tmp_path)
    assert np.bincount(dataset.train_labels).tolist() == [5000] * 10
    assert np.bincount(dataset.test_labels).tolist() == [1000] * 10


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "ftp://example.org/a.tar.gz"},
        {"url": "https://example.org/"},
        {"url": "https://example.org/.."},
        {"url": "https://example.org/a b.tar"},
        {"url": "https://example.org/$(rm)"},
        {"url": "https://example.org/a.tar.gz\n"},
        {"bytes": 0},
        {"sha256": "0" * 63},
        {"normalisation": "pixelwise"},
        {"colour": "rgb"},
    ],
    ids=str,
)
def test_an_entry_that_is_no_dataset_is_refused(changed):
    entry = {"kind": "cifar10", "normalisation": "scalar", **DOWNLOAD}
    of(**entry)
    with pytest.raises(ValidationError, match=next(iter(changed))):
        of(**(entry | changed))


def test_a_kind_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(ValidationError, match=r"'cifar10'.*'digits'"):
        of(kind="imagenet")


def copied(tree: Path, *to: str):
    """Copies of one training picture among the pictures of the test."""
    for name in to:
        shutil.copyfile(tree / "train/cat/0.png", tree / name)


def test_test_pictures_that_are_trained_on_are_counted(tmp_path, image_tree):
    copied(image_tree, "test/dog/of-another-class.png")
    facts = prepare(pets(image_tree), {"archive": image_tree}, tmp_path, tmp_path)
    assert facts["seen_items"] == 1
    assert facts["test_items"] > 1


def test_a_test_that_is_trained_on_as_a_whole_is_refused(tmp_path, image_tree):
    copied(image_tree, *(f"{file.relative_to(image_tree)}" for file in image_tree.glob("test/*/*")))
    with pytest.raises(UserError, match="that aren't trained on, came all") as caught:
        prepare(pets(image_tree), {"archive": image_tree}, tmp_path, tmp_path)
    assert f"{caught.value}".endswith("put others into the test set")
