"""The kind "image-folder": JPEG and PNG images as train/<class>/<image> and test/<class>/<image>.

The archive is a directory or a tar of one. Whatever else lies in it, but for hidden files, is
refused: a dataset never silently leaves something out. Images are never resized, for a resize is
a choice that belongs to whoever makes the archive; EXIF orientation is not applied. Nor is anything
cut off: channels of 16 bits and files of several pictures (animated PNG, MPO) are refused.
"""

import unicodedata
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from sixteen.datasets.archives.members import Members, opened
from sixteen.datasets.prepared.entry import Dataset, Normalisation
from sixteen.datasets.prepared.images import Images
from sixteen.entry import Sha256, Text
from sixteen.errors import UserError

TASK = "classify_images"
Side = Annotated[int, Field(ge=1, le=16384)]  # pixels

MODES = {"rgb": ("RGB", 3), "grey": ("L", 1)}  # Pillow's mode, channels
# Other modes (16 bits, CMYK) and transparency would lose something on the way to 8-bit RGB or grey.
PLAIN_MODES = ("1", "L", "P", "RGB")
PNG, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
PNG_DEPTH = 24  # of the byte that says how many bits a channel has
Image.MAX_IMAGE_PIXELS = None  # sizes are compared before anything is decoded


class ImageFolder(Dataset):
    """Images on the user's disk; `path` is a folder or a tar of it and may name a variable, `$DATA/images`."""

    kind: Literal["image-folder"]
    path: Text
    sha256: Sha256
    height: Side
    width: Side
    colour: Literal["rgb", "grey"]
    normalisation: Normalisation


def shape(entry: ImageFolder) -> tuple[int, int, int]:
    """Height, width and channels of an image."""
    return entry.height, entry.width, MODES[entry.colour][1]


def read(archive: Path, entry: ImageFolder) -> Images:
    """Read images of exactly `height` x `width` pixels as `colour`: 3 channels "rgb", 1 "grey".

    Classes, and the images of each, come in the order of their names. UserError naming the file
    or the folder that is not as expected.
    """
    height, width = entry.height, entry.width
    mode, channels = MODES[entry.colour]
    with opened(archive) as members:
        classes = _classes(archive, members)
        names = sorted(members.files, key=lambda name: name.split("/"))
        row_of = {name: row for row, name in enumerate(names)}
        images = _room(len(names), height, width, channels)
        for name, content in members.files.items():
            pixels = _decode(content, f"{name} of {archive}", (width, height), mode)
            images[row_of[name]] = pixels.reshape(images.shape[1:])
    label_of = {name: label for label, name in enumerate(classes)}
    labels = np.array([label_of[name.split("/")[1]] for name in names], dtype=np.int32)
    tests = sum(name.startswith("test/") for name in names)  # which sort before "train/"
    train, test = ((images[part], labels[part]) for part in (slice(tests, None), slice(tests)))
    return Images.of(train, test, classes, entry.normalisation)


def _room(*shape: int) -> np.ndarray:
    """An array for all images, uint8 [n, height, width, channels]."""
    try:
        return np.empty(shape, np.uint8)
    except (MemoryError, ValueError):  # ValueError: more than an address can say
        n, height, width, _ = shape
        raise UserError(
            f"expected images that fit into memory, came {n:,} of {height:,} x {width:,} pixels (height x width); mend "
            "height and width, or make the images smaller"
        ) from None


def _classes(archive: Path, members: Members) -> tuple[str, ...]:
    """Check where every file lies, and that train and test have the same classes, none empty."""
    for name in members.files:
        if name.count("/") != 2 or not name.startswith(("train/", "test/")):
            raise UserError(
                f"expected only train/<class>/<image> and test/<class>/<image> in {archive}, "
                f"came {name}; move it or take it out"
            )
    folders = [folder.split("/") for folder in sorted(members.folders)]
    train, test = (
        [folder[1] for folder in folders if len(folder) == 2 and folder[0] == part]
        for part in ("train", "test")
    )
    for part, classes, others in (("train", train, test), ("test", test, train)):
        if not classes:
            raise UserError(
                f"expected folders {part}/<class> in {archive}, came none; add the {part} images"
            )
        for missing in sorted(set(others) - set(classes)):
            raise UserError(
                f"expected the same classes in train and test of {archive}, "
                f"came no {part}/{missing}; add it or take {missing} out of the other"
            )
    for name in train:
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
            raise UserError(
                f"expected classes of {archive} whose names are UTF-8 without control characters, came {name!r}; call it "
                "otherwise"
            )
    filled = {name.rpartition("/")[0] for name in members.files}
    for folder in (f"{part}/{name}" for part in ("train", "test") for name in train):
        if folder not in filled:
            raise UserError(
                f"expected images in each class folder of {archive}, came {folder} without any; "
                "fill it or take the class out"
            )
    return tuple(train)


def _decode(
    content: Callable[[], bytes], culprit: str, size: tuple[int, int], mode: str
) -> np.ndarray:
    """Pixels of one image, uint8; `size` is (width, height), `culprit` names it in errors."""
    coded = content()
    is_png = coded.startswith(PNG)
    try:
        image = Image.open(BytesIO(coded), formats=("JPEG", "PNG"))
        if image.size == size:
            image.load()
        if is_png and PNG_END not in coded:
            raise ValueError("a PNG without its end")
        frames = getattr(image, "n_frames", 1)
    except Exception as error:  # damaged bytes make decoders raise nearly anything
        raise UserError(
            f"expected a JPEG or PNG image, came {culprit}, which is something else or damaged; "
            "replace it or take it out"
        ) from error
    if image.size != size:
        raise UserError(
            f"expected images of {size[1]} x {size[0]} pixels (height x width), came {culprit} "
            f"with {image.height} x {image.width}; resize it or mend height and width"
        )
    if image.mode not in PLAIN_MODES or image.has_transparency_data:
        raise UserError(
            f"expected 8-bit RGB, palette or grey without transparency, came {culprit} in Pillow's "
            f"mode {image.mode}; convert it"
        )
    if is_png and coded[PNG_DEPTH] > 8:  # Pillow gives RGB of 16 bits cut down to 8
        raise UserError(
            f"expected at most 8 bits a channel, came {culprit} with {coded[PNG_DEPTH]}; convert it"
        )
    if frames > 1:
        raise UserError(
            f"expected one picture a file, came {culprit} with {frames}; keep one of them"
        )
    return np.asarray(image.convert(mode))
