"""The kind "cifar10": the official cifar-10-binary.tar.gz."""

from pathlib import Path
from typing import Literal

from sixteen.datasets.archives.cifar import Layout, read_binary
from sixteen.datasets.prepared.entry import Downloaded, Normalisation
from sixteen.datasets.prepared.images import Images

TASK = "classify_images"

LAYOUT = Layout(
    folder="cifar-10-batches-bin",
    train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    test=("test_batch.bin",),
    names="batches.meta.txt",
    label_ranges=(10,),
)


class Cifar10(Downloaded):
    """The official archive."""

    kind: Literal["cifar10"]
    normalisation: Normalisation


def shape(entry: Cifar10) -> tuple[int, int, int]:
    """Height, width and channels of an image."""
    return (32, 32, 3)


def items(entry: Cifar10) -> tuple[int, int, int]:
    """Training images, test images and classes."""
    return (50_000, 10_000, 10)


def read(archive: Path, entry: Cifar10) -> Images:
    """Read the archive as `sixteen.datasets.archives.cifar.read_binary` does."""
    return Images.of(*read_binary(archive, LAYOUT), entry.normalisation)
