"""Small archives in the format of Pascal VOC 2012."""

import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from sixteen.datasets import voc2012
from sixteen.errors import UserError

ENTRY = voc2012.Voc2012.model_validate(
    {
        **{"kind": "voc2012", "url": "https://example.org/voc.tar", "bytes": 1, "sha256": "0" * 64},
        **{"side": 32, "normalisation": "unit"},
    }
)
TOP = "VOCdevkit/VOC2012"
PART = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>"


def thing(name, *sides, difficult=0):
    """An object as an annotation has it; the official ones have their corners in another order."""
    corners = "".join(
        f"<{key}>{side}</{key}>"
        for key, side in zip(
            ("xmax", "xmin", "ymax", "ymin"), np.take(sides, [2, 0, 3, 1]), strict=True
        )
    )
    return (
        f"<object><name>{name}</name><pose>Left</pose><difficult>{difficult}</difficult>{PART}"
        f"<bndbox>{corners}</bndbox></object>"
    )


def jpeg(width, height, colour):
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.fixture
def files():
    """Two pictures for training, which show all classes, and one for the test."""
    every = "".join(thing(name, 1, 1, 64, 48) for name in voc2012.CLASSES)
    some = thing("cat", 3, 5, 12.5, 20) + thing("dog", 1, 1, 40, 64, difficult=1)
    return {
        "ImageSets/Main/train.txt": b"2008_000002\n2008_000001\n",
        "ImageSets/Main/val.txt": b"2008_000003\n",
        "ImageSets/Main/cat_train.txt": b"2008_000002 -1\n2008_000001  1\n",
        "JPEGImages/2008_000001.jpg": jpeg(40, 64, (250, 0, 0)),
        "JPEGImages/2008_000002.jpg": jpeg(64, 48, (0, 250, 0)),
        "JPEGImages/2008_000003.jpg": jpeg(16, 8, (0, 0, 250)),
        "JPEGImages/2008_000004.jpg": b"in no list",
        "Annotations/2008_000001.xml": f"<annotation>{some}</annotation>".encode(),
        "Annotations/2008_000002.xml": f"<annotation>{every}</annotation>".encode(),
        "Annotations/2008_000003.xml": f"<annotation>{thing('sofa', 16, 8, 16, 8)}</annotation>".encode(),
    }


@pytest.fixture
def read(tmp_path):
    def made(files):
        path = tmp_path / "VOCtrainval_11-May-2012.tar"
        with tarfile.open(path, "w") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(f"{TOP}/{name}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return voc2012.read(path, ENTRY)

    return made


def test_pictures_come_in_the_order_of_the_lists_fitted_into_a_black_square(read, files):
    found = read(files)
    assert found.train_images.shape == (2, *voc2012.shape(ENTRY)) == (2, 32, 32, 3)
    assert len(found.test_images) == 1 and found.classes == voc2012.CLASSES
    for image, height, width, channel in (
        (found.train_images[0], 24, 32, 1),
        (found.train_images[1], 32, 20, 0),
        (found.test_images[0], 16, 32, 2),
    ):
        assert image[:height, :width, channel].min() > 240
        assert not image[height:].any() and not image[:, width:].any()
    assert (len(found.classes), voc2012.items(ENTRY)[2]) == (20, 20)


def test_boxes_are_scaled_with_their_pictures_and_count_pixels_from_zero(read, files):
    found = read(files)
    assert found.train_classes[0].tolist() == list(range(20))
    assert (found.train_boxes[0] == [0, 0, 32, 24]).all()
    assert found.train_boxes[1, 0].tolist() == [1, 2, 6.25, 10]
    assert found.train_classes[1].tolist() == [voc2012.CLASSES.index("cat")] + 19 * [-1]
    assert found.test_boxes.tolist() == [[[30, 14, 32, 16]]]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("Annotations/2008_000003.xml", thing("sofa", 1, 1, 17, 8), r"boxes within their pictures"),
        ("Annotations/2008_000003.xml", thing("sofa", 0, 1, 9, 8), r"boxes within their pictures"),
        (
            "Annotations/2008_000003.xml",
            thing("sofa", 9, 1, 8, 8),
            r"left < right and top < bottom",
        ),
        ("Annotations/2008_000003.xml", thing("bed", 1, 1, 9, 8), r"came .*3\.xml of .*'bed'"),
        ("Annotations/2008_000003.xml", thing("sofa", 1, 1, "", 8), r"four sides, came .*3\.xml"),
        ("Annotations/2008_000003.xml", "<object>", r"four sides, came .*3\.xml of"),
        ("JPEGImages/2008_000003.jpg", "pixels", r"a JPEG image, came .*3\.jpg of .*fetch"),
    ],
)
def test_what_is_wrong_is_named(read, files, name, content, words):
    text = content if "JPEG" in name else f"<annotation>{content}</annotation>"
    with pytest.raises(UserError, match=words):
        read(files | {name: text.encode()})


@pytest.mark.parametrize("name", ["train", "val"])
def test_a_picture_is_in_one_list_once(read, files, name):
    files[f"ImageSets/Main/{name}.txt"] += b"2008_000002\n"
    with pytest.raises(
        UserError, match=r"each picture once in the lists of .*, came 2008_000002 twice"
    ):
        read(files)


@pytest.mark.parametrize(
    "name", ["ImageSets/Main/val.txt", "Annotations/2008_000001.xml", "JPEGImages/2008_000003.jpg"]
)
def test_what_is_missing_is_named(read, files, name):
    del files[name]
    with pytest.raises(UserError, match=rf"expected {TOP}/{name} in .*, found none; take"):
        read(files)
