"""The one exception that a user is meant to read, and how text goes to a terminal."""

import unicodedata


class UserError(Exception):
    """A mistake that the user can mend: one sentence with what was expected, what came, what to do.

    Command lines print the sentence without a traceback and exit with status 1.
    """


def printable(text: str) -> str:
    r"""Text without what would command a terminal, whatever a file or a record says: ESC is shown as \x1b.

    Lines and tabs stay. What isn't Unicode (half of a pair, from a name that isn't UTF-8) is shown likewise.
    """
    return "".join(
        char
        if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs")
        else char.encode("unicode_escape").decode()
        for char in text
    )
