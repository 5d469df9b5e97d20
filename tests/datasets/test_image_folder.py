import hashlib
import io
import os
import struct
import subprocess
import sys
import tarfile
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from sixteen.datasets.archives.members import digest
from sixteen.datasets.image_folder import ImageFolder, read
from sixteen.errors import UserError

RGB = ImageFolder(
    kind="image-folder",
    path="pets",
    sha256="0" * 64,
    height=3,
    width=4,
    colour="rgb",
    normalisation="unit",
)


def test_classes_and_images_come_in_the_order_of_their_names(image_tree):
    images = read(image_tree, RGB)
    assert images.classes == ("cat", "dog")
    assert images.train_images.shape == (6, 3, 4, 3)
    assert images.train_images[:, 0, 0, 0].tolist() == [0, 1, 2, 100, 101, 102]
    assert images.train_labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert images.test_images[:, 0, 0, 0].tolist() == [50, 150]
    assert images.test_labels.tolist() == [0, 1]
    assert (images.train_images.dtype, images.train_labels.dtype) == (np.uint8, np.int32)


@pytest.mark.parametrize("suffix", ["gz", "xz"])
@pytest.mark.parametrize("root", [".", ""])
def test_a_tar_in_any_order_reads_as_the_directory_does(image_tree, make_tar, suffix, root):
    names = sorted((p for p in image_tree.rglob("*.png")), reverse=True)
    tar = make_tar(
        {f"{root}/{p.relative_to(image_tree)}".lstrip("/"): p.read_bytes() for p in names},
        f"pets.tar.{suffix}",
    )
    from_tar, from_directory = vars(read(tar, RGB)), vars(read(image_tree, RGB))
    for name, value in from_directory.items():
        assert np.array_equal(from_tar[name], value), name


def test_grey_has_one_channel(image_tree):
    images = read(image_tree, RGB.model_copy(update={"colour": "grey"})).train_images
    assert images.shape == (6, 3, 4, 1)
    assert images[:, 0, 0, 0].tolist() == [0, 1, 2, 100, 101, 102]


def test_jpeg_is_read(image_tree):
    for part in ("train", "test"):
        Image.new("RGB", (4, 3), (200, 200, 200)).save(image_tree / part / "cat" / "a.jpg")
    images = read(image_tree, RGB).train_images
    assert abs(int(images[3, 0, 0, 0]) - 200) < 4


def test_hidden_files_and_folders_count_neither_for_images_nor_for_the_digest(image_tree):
    before = digest(image_tree)
    (image_tree / ".git").mkdir()
    (image_tree / ".git" / "config").write_text("x")
    (image_tree / "train" / "cat" / ".DS_Store").write_text("x")
    assert digest(image_tree) == before
    assert len(read(image_tree, RGB).train_images) == 6


def test_the_tree_digest_is_that_of_sorted_sha256sum_lines(image_tree):
    names = sorted(p.relative_to(image_tree).as_posix() for p in image_tree.rglob("*.png"))
    lines = [
        f"{hashlib.sha256((image_tree / name).read_bytes()).hexdigest()}  {name}\n"
        for name in names
    ]
    assert digest(image_tree) == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_digest_of_a_tar_is_that_of_the_file(make_tar):
    tar = make_tar({"train/cat/0.png": b"x"})
    assert digest(tar) == hashlib.sha256(tar.read_bytes()).hexdigest()


def test_the_digest_of_nothing_names_the_path(tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        digest(tmp_path / "nowhere")


def truncate(tree):
    path = tree / "train/dog/1.png"
    path.write_bytes(path.read_bytes()[:50])


def damage_jpeg(tree):
    buffer = io.BytesIO()
    Image.effect_noise((4, 3), 50).save(buffer, "JPEG")
    (tree / "test/dog/bad.jpg").write_bytes(buffer.getvalue()[:200])


def another_size(tree):
    Image.new("RGB", (3, 4)).save(tree / "train/cat/turned.png")


def move_class(tree):
    (tree / "train/dog").rename(tree / "train/fox")


def empty_class(tree):
    for part in ("train", "test"):
        (tree / part / "emu").mkdir()


def deep_png(path, colour):
    """A PNG of 16 bits a channel: colour type 0 is grey, 2 RGB, 4 grey with alpha."""
    channels = {0: 1, 2: 3, 4: 2}[colour]

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 3, 16, colour, 0, 0, 0))
    rows = zlib.compress((b"\0" + b"\x12\x34" * 4 * channels) * 3)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def cut_png(tree):
    path = tree / "train/dog/1.png"
    path.write_bytes(path.read_bytes()[:-12])


def frames(path, suffix=None):
    """Two pictures in one file: an animated PNG, or the MPO that cameras call JPEG."""
    one, other = (Image.new("RGB", (4, 3), (shade, 0, 0)) for shade in (0, 200))
    one.save(path, save_all=True, append_images=[other])
    path.rename(path.with_suffix(suffix or path.suffix))


def huge(path):
    path.touch()
    return path


def rename_class(tree, name, other=b"dog"):
    for part in ("train", "test"):
        for now, then in (("cat", name), ("dog", other)):
            os.rename(tree / part / now, os.fsencode(tree / part) + b"/" + then)


REFUSED = {
    "truncated png": (truncate, r"train/dog/1\.png of .*damaged"),
    "truncated jpeg": (damage_jpeg, r"test/dog/bad\.jpg of .*damaged"),
    "no image": (lambda t: (t / "train/cat/notes.txt").write_text("x"), r"train/cat/notes\.txt of"),
    "gif": (lambda t: Image.new("L", (4, 3)).save(t / "train/cat/a.gif"), r"train/cat/a\.gif of"),
    "broken link": (
        lambda t: (t / "train/cat/l.png").symlink_to("no"),
        r"'train/cat/l\.png', a link that",
    ),
    "another size": (another_size, r"3 x 4 pixels .*train/cat/turned\.png of .* 4 x 3;"),
    "transparent": (
        lambda t: Image.new("RGBA", (4, 3)).save(t / "train/cat/a.png"),
        r"train/cat/a\.png of .*RGBA",
    ),
    "transparent colour": (
        lambda t: Image.new("RGB", (4, 3)).save(t / "train/cat/a.png", transparency=(0, 0, 0)),
        r"transparency, came train/cat/a\.png of",
    ),
    "16 bits": (
        lambda t: Image.new("I;16", (4, 3)).save(t / "train/cat/a.png"),
        r"train/cat/a\.png of .*I;16",
    ),
    "16 bits a channel": (
        lambda t: deep_png(t / "train/cat/a.png", 2),
        r"came train/cat/a\.png of .*16; conv",
    ),
    "16 bits of grey": (
        lambda t: deep_png(t / "train/cat/a.png", 0),
        r"train/cat/a\.png of .*I;16",
    ),
    "16 bits and alpha": (
        lambda t: deep_png(t / "train/cat/a.png", 4),
        r"train/cat/a\.png of .*RGBA",
    ),
    "png without its end": (cut_png, r"train/dog/1\.png of .*damaged"),
    "png of several": (
        lambda t: frames(t / "train/cat/a.png"),
        r"train/cat/a\.png of .* with 2; keep",
    ),
    "jpeg of several": (
        lambda t: frames(t / "train/cat/a.mpo", ".jpg"),
        r"train/cat/a\.jpg of .* with 2; keep",
    ),
    "pipe": (lambda t: os.mkfifo(t / "train/cat/a.png"), r"came 'train/cat/a\.png', a link .*pipe"),
    "too large": (
        lambda t: os.truncate(huge(t / "train/cat/a.png"), 3 << 30),
        r"'train/cat/a\.png' of 3,221,225,472",
    ),
    "class that is no UTF-8": (
        lambda t: rename_class(t, b"caf\xe9"),
        r"whose names are UTF-8 .*'caf\\udce9'",
    ),
    "class with a command": (
        lambda t: rename_class(t, b"a\x1b[31m"),
        r"without control .*'a\\x1b\[31m'",
    ),
    "class that turns the text": (
        lambda t: rename_class(t, "a\u202eb".encode()),
        r"without control .*'a\\u202eb'",
    ),
    "classes that read the same": (
        lambda t: rename_class(t, "\u00e9".encode(), other="e\u0301".encode()),
        r"can be told apart, came 'e\\u0301' and '\\xe9'",
    ),
    "classes that differ in blanks": (
        lambda t: rename_class(t, b"a b", other="a\u200b  b ".encode()),
        r"can be told apart, came 'a b' and 'a\\u200b  b '",
    ),
    "class with a line": (lambda t: rename_class(t, b"a\nb"), r"without control .*'a\\nb'"),
    "class only in test": (move_class, r"came no (train/dog|test/fox);"),
    "empty class": (empty_class, r"came train/emu without any"),
    "no test": (lambda t: (t / "test").rename(t / ".test"), r"folders test/<class> in .*pets"),
    "no train": (lambda t: (t / "train").rename(t / ".train"), r"folders train/<class> in .*pets"),
    "foreign file": (lambda t: (t / "README.md").write_text("x"), r"came README\.md;"),
    "image outside a class": (
        lambda t: (t / "train/cat/0.png").rename(t / "train/0.png"),
        r"came train/0\.png;",
    ),
    "images too deep": (
        lambda t: (t / "train/cat").rename(t / "train/dog/cat"),
        r"came train/dog/cat/\d\.png;",
    ),
}


def test_a_class_may_be_called_as_it_likes(image_tree):
    rename_class(image_tree, "$x^$ =1+1 ä\u200d".encode())
    assert read(image_tree, RGB).classes[0] == "$x^$ =1+1 ä\u200d"


@pytest.mark.parametrize("width", [10**5, 10**12])
def test_images_that_no_memory_holds_are_refused(image_tree, width):
    with pytest.raises(UserError, match=r"fit into memory, came 8 of 1,000,000,000 x 1"):
        read(image_tree, RGB.model_copy(update={"height": 10**9, "width": width}))


def test_the_size_of_an_image_is_compared_before_it_is_decoded(image_tree, monkeypatch):
    Image.new("L", (13_000, 13_000)).save(image_tree / "train/cat/a.png")
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded it"))
    tree = image_tree / "train/cat"
    for path in image_tree.rglob("?.png"):
        if path != tree / "a.png":
            path.write_bytes((tree / "a.png").read_bytes())
    with pytest.raises(UserError, match=r"with 13000 x 13000"):
        read(image_tree, RGB)


@pytest.mark.parametrize("spoil, message", REFUSED.values(), ids=REFUSED)
def test_what_is_not_as_expected_is_refused_by_name(image_tree, spoil, message):
    spoil(image_tree)
    with pytest.raises(UserError, match=message):
        read(image_tree, RGB)


def test_a_link_in_a_tar_is_refused_by_name(image_tree, tmp_path):
    path = tmp_path / "pets.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(image_tree, ".")
        link = tarfile.TarInfo("train/cat/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "0.png"
        tar.addfile(link)
    with pytest.raises(UserError, match=r"pets\.tar, came train/cat/link\.png"):
        read(path, RGB)


def test_a_member_twice_in_a_tar_is_refused_by_name(image_tree, tmp_path):
    path = tmp_path / "pets.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(image_tree, ".")
        tar.add(image_tree / "train/cat/1.png", "./train/cat/0.png")
    with pytest.raises(UserError, match=r"came \./train/cat/0\.png .*second time"):
        read(path, RGB)


@pytest.mark.parametrize(
    "name, size, message",
    [
        ("train/../a.png", 1, r"came train/\.\./a\.png .*with \.\. in its name"),
        (
            "train/cat/a.png",
            3 << 30,
            r"at most 268,435,456 bytes .*'train/cat/a\.png' of 3,221,225,472",
        ),
    ],
)
def test_a_member_is_refused_by_what_a_tar_says_of_it(tmp_path, name, size, message):
    """Before any of it is read: the header stands alone here."""
    member = tarfile.TarInfo(name)
    member.size = size
    (tmp_path / "pets.tar").write_bytes(member.tobuf() + b"x" * 512)
    with pytest.raises(UserError, match=message):
        read(tmp_path / "pets.tar", RGB)


def test_a_pipe_has_no_digest(tmp_path, image_tree):
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(image_tree / "pipe")
    for path in (tmp_path / "pipe", image_tree):
        with pytest.raises(UserError, match=r"pipe"):
            digest(path)


def test_a_file_that_is_no_tar_is_named(tmp_path):
    (tmp_path / "pets.zip").write_bytes(b"PK" * 600)
    with pytest.raises(UserError, match=r"pets\.zip, came a file that cannot be read as a tar"):
        read(tmp_path / "pets.zip", RGB)


def test_a_folder_that_may_not_be_read_is_named(tmp_path):
    for name in ("train/a", "train/b"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "1.png").write_bytes(b"1")
    (tmp_path / "train/b").chmod(0)
    # Of root's powers those that pass over permissions are taken away.
    without = "-dac_override,-dac_read_search"
    command = ["setpriv", f"--bounding-set={without}", f"--inh-caps={without}"] * (not os.getuid())
    command += [sys.executable, "-m", "sixteen", "digest", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (tmp_path / "train/b").chmod(0o755)
    assert done.returncode == 1 and not done.stdout
    assert (
        done.stderr == f"sixteen: {tmp_path}/train/b can't be read or written (Permission denied)\n"
    )
