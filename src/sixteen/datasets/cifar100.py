"""The kind "cifar100": the official cifar-100-binary.tar.gz, with the 100 fine labels."""

from pathlib import Path
from typing import Literal

from sixteen.datasets.archives.cifar import Layout, read_binary
from sixteen.datasets.prepared.entry import Downloaded, Normalisation
from sixteen.datasets.prepared.images import Images

TASK = "classify_images"

LAYOUT = Layout(
    folder="cifar-100-binary",
    train=("train.bin",),
    test=("test.bin",),
    names="fine_label_names.txt",
    label_ranges=(20, 100),
)


class Cifar100(Downloaded):
    """The official archive."""

    kind: Literal["cifar100"]
    normalisation: Normalisation


def shape(entry: Cifar100) -> tuple[int, int, int]:
    """Height, width and channels of an image."""
    return (32, 32, 3)


def items(entry: Cifar100) -> tuple[int, int, int]:
    """Training images, test images and classes."""
    return (50_000, 10_000, 100)


def read(archive: Path, entry: Cifar100) -> Images:
    """Read the archive as `sixteen.datasets.archives.cifar.read_binary` does."""
    return Images.of(*read_binary(archive, LAYOUT), entry.normalisation)
