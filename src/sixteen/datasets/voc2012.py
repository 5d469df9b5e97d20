"""The kind "voc2012": photographs of twenty classes with boxes, from the official archive of Pascal VOC 2012.

5,717 pictures for training, and for the test the 5,823 of the official validation, since the official test has no public
boxes: as arXiv:2403.02243 ran it. Each is made smaller or larger until its longer side has `side` pixels (bilinear), and
stands in the upper left corner of a black square; that paper had a shorter side of 608 and up to 1,024 pixels. Objects that
are marked as difficult are left out: to find one counts as wrong here, and as nothing in the official measure.

Decoders of JPEG differ in the last bit of a pixel, so that another version of Pillow may give other bytes.
"""

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from sixteen.datasets.archives.members import Members, opened
from sixteen.datasets.prepared.boxes import Boxes
from sixteen.datasets.prepared.entry import Downloaded, Normalisation
from sixteen.errors import UserError

TASK = "detect_objects"

TOP = "VOCdevkit/VOC2012"
CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)
LABELS = {name: label for label, name in enumerate(CLASSES)}


class Voc2012(Downloaded):
    """The official archive; pictures of `side` x `side` pixels."""

    kind: Literal["voc2012"]
    side: Annotated[int, Field(ge=16, le=4096)]
    normalisation: Normalisation


def shape(entry: Voc2012) -> tuple[int, int, int]:
    """Height, width and channels of a picture."""
    return (entry.side, entry.side, 3)


def items(entry: Voc2012) -> tuple[int, int, int]:
    """Training pictures, test pictures and classes."""
    return (5_717, 5_823, len(CLASSES))


def read(archive: Path, entry: Voc2012) -> Boxes:
    """Read pictures and boxes in the order of the official lists.

    UserError naming what is missing or damaged, and for a box that is empty or reaches out of its picture.
    """
    with opened(archive) as members:
        lists = [_listed(archive, members, name) for name in ("train", "val")]
        twice = sorted(picture for picture, n in Counter(lists[0] + lists[1]).items() if n > 1)
        if twice:
            raise UserError(
                f"expected each picture once in the lists of {archive}, came {', '.join(twice[:3])} twice; fetch the archive again"
            )
        train, test = (_part(archive, members, listed, entry.side) for listed in lists)
    return Boxes.of(train, test, CLASSES, entry.normalisation)


def _listed(archive: Path, members: Members, name: str) -> list[str]:
    """The names of an official list."""
    return _content(archive, members, f"ImageSets/Main/{name}.txt")().decode().split()


def _part(
    archive: Path, members: Members, listed: list[str], side: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The pictures of a list, and their boxes with classes."""
    images = np.zeros((len(listed), side, side, 3), np.uint8)
    boxes = []
    for place, picture in enumerate(listed):
        file = f"JPEGImages/{picture}.jpg"
        pixels, factors = _fitted(_content(archive, members, file)(), f"{file} of {archive}", side)
        images[place, : pixels.shape[0], : pixels.shape[1]] = pixels
        file = f"Annotations/{picture}.xml"
        told = _objects(_content(archive, members, file)(), f"{file} of {archive}")
        boxes.append(told * [*factors, *factors, 1])
    return images, boxes


def _content(archive: Path, members: Members, name: str) -> Callable[[], bytes]:
    try:
        return members.files[f"{TOP}/{name}"]
    except KeyError:
        raise UserError(
            f"expected {TOP}/{name} in {archive}, found none; take the official archive VOCtrainval_11-May-2012.tar"
        ) from None


def _fitted(coded: bytes, culprit: str, side: int) -> tuple[np.ndarray, tuple[float, float]]:
    """Pixels uint8 [height, width, 3] with a longer side of `side`, and by what widths and heights were multiplied."""
    try:
        image = Image.open(BytesIO(coded), formats=("JPEG",)).convert("RGB")
    except Exception as error:  # damaged bytes make decoders raise nearly anything
        raise UserError(
            f"expected a JPEG image, came {culprit}, which is something else or damaged; fetch the archive again"
        ) from error
    longer = max(image.size)
    width, height = (max(1, round(of * side / longer)) for of in image.size)
    fitted = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(fitted), (width / image.width, height / image.height)


def _objects(coded: bytes, culprit: str) -> np.ndarray:
    """Boxes of what isn't difficult, float64 [boxes, 5]: sides in pixels of the picture as it was, and the class.

    The official corners count pixels from 1, the last one included. Boxes of parts (heads, hands) aren't read.
    """
    rows = []
    try:
        for told in ET.fromstring(coded).findall("object"):
            if told.findtext("difficult", "0").strip() == "1":
                continue
            left, top, right, bottom = (
                float(told.findtext(f"bndbox/{side}", ""))
                for side in ("xmin", "ymin", "xmax", "ymax")
            )
            label = LABELS[told.findtext("name", "").strip()]
            rows.append([left - 1, top - 1, right, bottom, label])
    except (ET.ParseError, ValueError, KeyError) as error:
        raise UserError(
            f"expected objects with a class of Pascal VOC and four sides, came {culprit}, which says otherwise ({error}); "
            "fetch the archive again"
        ) from error
    return np.array(rows, np.float64).reshape(-1, 5)
