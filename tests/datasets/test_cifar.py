import numpy as np
import pytest

from sixteen.datasets import cifar10, cifar100
from sixteen.errors import UserError

RED, GREEN, BLUE = (np.arange(1024) % 199 + shift for shift in (0, 20, 50))
ARCHIVE = {"url": "https://example.org/data.tar.gz", "bytes": 1, "sha256": "0" * 64}
CIFAR10 = cifar10.Cifar10(kind="cifar10", normalisation="scalar", **ARCHIVE)
CIFAR100 = cifar100.Cifar100(kind="cifar100", normalisation="scalar", **ARCHIVE)
PIXELS = np.concatenate([RED, GREEN, BLUE]).astype(np.uint8).tobytes()


@pytest.fixture
def cifar10_members():
    folder = "cifar-10-batches-bin"
    members = {f"{folder}/batches.meta.txt": "\n".join(f"name{n}" for n in range(10)).encode()}
    for number in range(1, 6):
        members[f"{folder}/data_batch_{number}.bin"] = bytes([number]) + PIXELS
    members[f"{folder}/test_batch.bin"] = bytes([9]) + PIXELS + bytes([0]) + PIXELS
    return members


@pytest.fixture
def cifar100_members():
    folder = "cifar-100-binary"
    names = "\n".join(f"fine{n}" for n in range(100)).encode() + b"\n"
    return {
        f"{folder}/fine_label_names.txt": names,
        f"{folder}/train.bin": bytes([3, 77]) + PIXELS,
        f"{folder}/test.bin": bytes([19, 99]) + PIXELS,
    }


def test_planes_become_pixels_with_channels_last(make_tar, cifar10_members):
    images = cifar10.read(make_tar(cifar10_members), CIFAR10).train_images
    assert images.shape == (5, 32, 32, 3)
    assert images.dtype == np.uint8
    assert images[0, 2, 5].tolist() == [2 * 32 + 5, 2 * 32 + 25, 2 * 32 + 55]


def test_cifar10_batches_follow_each_other_and_test_is_apart(make_tar, cifar10_members):
    images = cifar10.read(make_tar(cifar10_members), CIFAR10)
    assert images.train_labels.tolist() == [1, 2, 3, 4, 5]
    assert images.train_labels.dtype == np.int32
    assert images.test_labels.tolist() == [9, 0]
    assert len(images.test_images) == 2
    assert images.classes == tuple(f"name{n}" for n in range(10))


def test_cifar100_reads_the_fine_label(make_tar, cifar100_members):
    images = cifar100.read(make_tar(cifar100_members), CIFAR100)
    assert images.train_labels.tolist() == [77]
    assert images.test_labels.tolist() == [99]
    assert images.train_images[0, 0, 0].tolist() == [0, 20, 50]
    assert images.classes[77] == "fine77"


def test_a_missing_member_is_named(make_tar, cifar10_members):
    del cifar10_members["cifar-10-batches-bin/data_batch_3.bin"]
    with pytest.raises(UserError, match=r"cifar-10-batches-bin/data_batch_3\.bin"):
        cifar10.read(make_tar(cifar10_members), CIFAR10)


@pytest.mark.parametrize("content", [b"", bytes([1]) + PIXELS[:-1], bytes([1]) + PIXELS + b"x"])
def test_a_member_that_is_not_whole_records_is_named(make_tar, cifar10_members, content):
    cifar10_members["cifar-10-batches-bin/data_batch_2.bin"] = content
    with pytest.raises(UserError, match=rf"3073 bytes in data_batch_2\.bin .* {len(content)} "):
        cifar10.read(make_tar(cifar10_members), CIFAR10)


def test_a_label_out_of_range_is_named(make_tar, cifar10_members):
    cifar10_members["cifar-10-batches-bin/test_batch.bin"] = bytes([10]) + PIXELS
    with pytest.raises(UserError, match=r"from 0 to 9 in test_batch\.bin of .*, came 10"):
        cifar10.read(make_tar(cifar10_members), CIFAR10)


def test_a_coarse_label_out_of_range_is_named(make_tar, cifar100_members):
    cifar100_members["cifar-100-binary/train.bin"] = bytes([20, 5]) + PIXELS
    with pytest.raises(UserError, match=r"from 0 to 19 in train\.bin of .*, came 20"):
        cifar100.read(make_tar(cifar100_members), CIFAR100)


def test_a_wrong_number_of_class_names_is_named(make_tar, cifar10_members):
    cifar10_members["cifar-10-batches-bin/batches.meta.txt"] = b"cat\ndog\n"
    with pytest.raises(UserError, match=r"expected 10 classes in batches\.meta\.txt .*, came 2"):
        cifar10.read(make_tar(cifar10_members), CIFAR10)


def test_a_truncated_archive_is_named(make_tar, cifar10_members):
    archive = make_tar(cifar10_members)
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(UserError, match=r"archive\.tar\.gz, came a file that cannot be read"):
        cifar10.read(archive, CIFAR10)
