"""The kind "cifar100": the official cifar-100-binary.tar.gz, with the 100 fine labels."""

from pathlib import Path

from sixteen.datasets import Images
from sixteen.datasets.cifar import Layout, read_binary

LAYOUT = Layout(
    folder="cifar-100-binary",
    train=("train.bin",),
    test=("test.bin",),
    names="fine_label_names.txt",
    label_ranges=(20, 100),
)


def read(archive: Path, parameters: dict) -> Images:
    """Read the archive as `sixteen.datasets.cifar.read_binary` does; takes no other parameter."""
    return read_binary(archive, LAYOUT)
