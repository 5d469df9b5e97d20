"""Pictures as <part>/<class>/<image>: a part for training and one for the test, with the same classes."""

import unicodedata
from pathlib import Path

from sixteen.datasets.archives.members import Members
from sixteen.errors import UserError, printable


def classes_of(archive: Path, members: Members, parts: tuple[str, str]) -> tuple[str, ...]:
    """Check where every file lies, and that both `parts` (of training, of the test) have the same classes, none empty."""
    first, second = parts
    for name in members.files:
        if name.count("/") != 2 or not name.startswith((f"{first}/", f"{second}/")):
            raise UserError(
                f"expected only {first}/<class>/<image> and {second}/<class>/<image> in {archive}, "
                f"came {name}; move it or take it out"
            )
    folders = [folder.split("/") for folder in sorted(members.folders)]
    train, test = (
        [folder[1] for folder in folders if len(folder) == 2 and folder[0] == part]
        for part in parts
    )
    for part, classes, others in ((first, train, test), (second, test, train)):
        if not classes:
            raise UserError(
                f"expected folders {part}/<class> in {archive}, came none; add the {part} images"
            )
        for missing in sorted(set(others) - set(classes)):
            raise UserError(
                f"expected the same classes in {first} and {second} of {archive}, "
                f"came no {part}/{missing}; add it or take {missing} out of the other"
            )
    _expect_readable(archive, train)
    filled = {name.rpartition("/")[0] for name in members.files}
    for folder in (f"{part}/{name}" for part in parts for name in train):
        if folder not in filled:
            raise UserError(
                f"expected images in each class folder of {archive}, came {folder} without any; "
                "fill it or take the class out"
            )
    return tuple(train)


def _expect_readable(archive: Path, classes: list[str]) -> None:
    """Refuse names that a page can't show, or not so that a reader tells them apart."""
    read_as: dict[str, str] = {}
    for name in classes:
        if printable(name) != name or "\n" in name or "\t" in name:
            raise UserError(
                f"expected classes of {archive} whose names are UTF-8 without control characters, came {name!r}; call it "
                "otherwise"
            )
        other = read_as.setdefault(_as_read(name), name)
        if other != name:
            raise UserError(
                f"expected classes of {archive} that can be told apart, came {other!a} and {name!a}, which read the "
                "same; put them together or call one otherwise"
            )


def _as_read(name: str) -> str:
    """What a reader sees of a name: not how letters are made up, nor what has no width, nor how wide a blank is."""
    seen = (c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    return " ".join("".join(seen).split())
