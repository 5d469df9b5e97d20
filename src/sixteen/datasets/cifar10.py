"""The kind "cifar10": the official cifar-10-binary.tar.gz."""

from pathlib import Path

from sixteen.datasets import Images
from sixteen.datasets.cifar import Layout, read_binary

LAYOUT = Layout(
    folder="cifar-10-batches-bin",
    train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    test=("test_batch.bin",),
    names="batches.meta.txt",
    label_ranges=(10,),
)


def read(archive: Path, parameters: dict) -> Images:
    """Read the archive as `sixteen.datasets.cifar.read_binary` does; takes no other parameter."""
    return read_binary(archive, LAYOUT)
