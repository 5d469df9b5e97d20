"""Pictures of any size in ImageNet's layout: found, checked, written one after the other."""

import io

import numpy as np
import pytest
from PIL import Image

from sixteen.ahead import ahead
from sixteen.datasets.archives.members import digest
from sixteen.datasets.prepared.image_files import ImageFiles, rgb
from sixteen.datasets.prepared.prepare import Preparation, prepare
from sixteen.errors import UserError

ORIENTATION = 0x0112  # the tag of EXIF


def coded(image, form="JPEG", **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def plain(height, width, value=100, mode="RGB"):
    return Image.new(mode, (width, height), (value,) * len(mode) if len(mode) > 1 else value)


def turned():
    """Stored on its side: 4 high and 6 wide, seen 6 high and 4 wide, its upper half white."""
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, :3] = 255
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be turned by 90 degrees, clockwise
    return coded(Image.fromarray(pixels), "PNG", exif=exif)


@pytest.fixture
def photographs(tmp_path):
    """Two classes; three and one training pictures, one each for the test."""
    contents = {
        "train/cat/a.JPEG": coded(plain(40, 30, 10)),
        "train/cat/b.JPEG": coded(plain(31, 50, 20, "L")),
        "train/cat/c.png": turned(),
        "train/dog/a.JPEG": coded(plain(33, 33, 40, "CMYK")),
        "val/cat/x.JPEG": coded(plain(20, 90)),
        "val/dog/y.png": coded(plain(25, 25).convert("P"), "PNG"),
    }
    root = tmp_path / "photographs"
    for name, content in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def of(archive, **changed):
    entry = {"kind": "image-files", "path": "photographs", "sha256": digest(archive), "train": 4}
    entry |= {"test": 2, "classes": 2, "side": 16, "normalisation": "channel"}
    return Preparation.model_validate({"dataset": entry | changed})


def prepared(archive, into, **changed):
    into.mkdir(exist_ok=True)
    facts = prepare(of(archive, **changed), {"archive": archive}, into, into)
    return facts, ImageFiles.load(into)


def pictures(folder, files, part="train"):
    whole = (folder / f"{part}.images").read_bytes()
    places = getattr(files, f"{part}_places").tolist()
    return [whole[first : first + many] for first, many in places]


def test_pictures_lie_there_as_they_came_with_what_is_known_of_each(photographs, tmp_path):
    facts, files = prepared(photographs, tmp_path / "into")
    assert facts == {
        **{"train_items": 4, "test_items": 2, "outputs": 2, "shape": [16, 16, 3]},
        **{"mean": files.mean.tolist(), "std": files.std.tolist(), "majority_accuracy": 0.5},
        "seen_items": 0,
    }
    names = ["cat/a.JPEG", "cat/b.JPEG", "cat/c.png", "dog/a.JPEG"]
    assert pictures(tmp_path / "into", files) == [
        (photographs / "train" / name).read_bytes() for name in names
    ]
    assert files.train_labels.tolist() == [0, 0, 0, 1] and files.test_labels.tolist() == [0, 1]
    # Height and width as they are seen: the third one is turned.
    assert files.train_sizes.tolist() == [[40, 30], [31, 50], [6, 4], [33, 33]]
    pixels = [np.asarray(rgb(one, "")) for one in pictures(tmp_path / "into", files)]
    assert {image.shape[-1] for image in pixels} == {3}
    assert pixels[2][:3].min() == 255 and pixels[2][3:].max() == 0
    every = np.concatenate([image.reshape(-1, 3) for image in pixels])
    np.testing.assert_allclose(files.mean, every.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(files.std, every.std(axis=0), rtol=1e-6)


def test_a_tar_in_any_order_has_the_rows_of_the_directory(photographs, tmp_path, make_tar):
    names = sorted((p for p in photographs.rglob("*.*")), reverse=True)
    tar = make_tar({str(p.relative_to(photographs)): p.read_bytes() for p in names}, "a.tar.xz")
    _, of_tar = prepared(tar, tmp_path / "tar")
    _, of_directory = prepared(photographs, tmp_path / "directory")
    assert pictures(tmp_path / "tar", of_tar) == pictures(tmp_path / "directory", of_directory)
    for name in ("train_sizes", "train_labels", "test_labels", "mean"):
        assert np.array_equal(getattr(of_tar, name), getattr(of_directory, name)), name


def cut(content):
    return content[: len(content) * 2 // 3]


REFUSED = {
    "truncated": (lambda: cut(coded(plain(200, 200))), r"dog/b.JPEG of .*damaged; replace"),
    "no picture": (lambda: b"<html>", r"dog/b.JPEG of .*damaged; replace"),
    "16 bits": (lambda: coded(Image.new("I;16", (4, 4)), "PNG"), r"8-bit .*mode I;16; convert"),
    "transparent": (lambda: coded(Image.new("RGBA", (4, 4)), "PNG"), r"mode RGBA; convert"),
    "a film": (
        lambda: coded(plain(4, 4), "PNG", save_all=True, append_images=[plain(4, 4, 3)]),
        r"one picture a file, came train/dog/b.JPEG of .* with 2; keep",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_decoded_is_refused_by_name_before_any_training(photographs, tmp_path, kind):
    make, said = REFUSED[kind]
    (photographs / "train/dog/b.JPEG").write_bytes(make())
    with pytest.raises(UserError, match=said):
        prepared(photographs, tmp_path / "into", train=5)


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded(
    photographs, tmp_path, monkeypatch
):
    monkeypatch.setattr("sixteen.datasets.prepared.image_files.MOST", 1500)
    with pytest.raises(
        UserError, match=r"at most 1,500 pixels, came .*b.JPEG.* with 31 x 50; make"
    ):
        prepared(photographs, tmp_path / "into")


def test_what_is_missing_or_too_much_is_told_with_numbers(photographs, tmp_path):
    with pytest.raises(UserError, match=r"expected 9 pictures in train, .* came 4, 2 and 2; put"):
        prepared(photographs, tmp_path / "into", train=9)
    (photographs / "val").rename(photographs / "test")
    with pytest.raises(UserError, match="expected only train/<class>/<image> and val/<class>"):
        prepared(photographs, tmp_path / "into")


def test_a_digest_that_nobody_has_told_yet_is_told(photographs, tmp_path):
    with pytest.raises(UserError, match=f"came null; it is {digest(photographs)}: if that is"):
        prepared(photographs, tmp_path / "into", sha256=None)


def test_no_more_is_made_ahead_than_was_asked_for():
    """So memory doesn't grow with the number of pictures."""
    asked = []

    def numbers():
        for number in range(50):
            asked.append(number)
            yield number

    for used in ahead(str, numbers(), 3):
        # What was used, what is used now, and what three threads and the one after them may be at.
        assert len(asked) <= int(used) + 1 + 3
    assert asked == list(range(50))


def test_an_error_comes_where_its_picture_would():
    def make(number):
        return 1 // (number - 3)

    found = ahead(make, range(5), 2)
    assert [next(found) for _ in range(3)] == [-1, -1, -1]
    with pytest.raises(ZeroDivisionError):
        next(found)


def test_files_that_the_test_shares_with_training_are_counted(photographs, tmp_path):
    (photographs / "val/dog/y.png").write_bytes((photographs / "train/cat/b.JPEG").read_bytes())
    assert prepared(photographs, tmp_path / "into")[0]["seen_items"] == 1
