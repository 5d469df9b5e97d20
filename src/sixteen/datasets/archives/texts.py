"""Texts in an archive, in UTF-8."""

from pathlib import Path

from sixteen.datasets.archives.members import Members
from sixteen.errors import UserError


def text(archive: Path, members: Members, name: str) -> str:
    """What is in the file `name`; UserError if it isn't there, or no UTF-8."""
    if name not in members.files:
        raise UserError(
            f"expected the text {name} in {archive}, came {', '.join(sorted(members.files)) or 'nothing'}; put it there, or "
            "mend its name in params.yaml"
        )
    try:
        return members.files[name]().decode("utf-8-sig")  # Windows marks the beginning
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(
            f"expected {name} of {archive} in UTF-8, came the byte 0x{error.object[error.start]:02x} in line {line}, which is "
            "none; convert the text"
        ) from error
