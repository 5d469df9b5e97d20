"""Small archives in the forms that people have them."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def make_tar(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a tar of {name: content}, compressed as the suffix says."""

    def make(contents: dict[str, bytes], name: str = "archive.tar.gz") -> Path:
        path = tmp_path / name
        with tarfile.open(path, f"w:{path.suffix[1:]}") as tar:
            for member, content in contents.items():
                info = tarfile.TarInfo(member)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        return path

    return make


@pytest.fixture
def image_tree(tmp_path: Path) -> Path:
    """A directory of 3 x 4 PNG images, all unlike: two classes, three train and one test image each."""
    root = tmp_path / "pets"
    for part, count, first in (("train", 3, 0), ("test", 1, 50)):
        for label, name in enumerate(("cat", "dog")):
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = np.full((3, 4, 3), 100 * label + first + number, np.uint8)
                Image.fromarray(pixels).save(root / part / name / f"{number}.png")
    return root
