"""The one exception that a user is meant to read, and how text goes to a terminal."""

import unicodedata

# Marks, embeddings, overrides and isolates of the bidirectional algorithm (Unicode Standard Annex 9).
TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class UserError(Exception):
    """A mistake that the user can mend: one sentence with what was expected, what came, what to do.

    Command lines print the sentence without a traceback and exit with status 1.
    """


def printable(text: str) -> str:
    r"""Text without what would command a terminal, whatever a file or a record says: ESC is shown as \x1b.

    Lines and tabs stay. What turns the direction of what follows is shown likewise, and so is what isn't Unicode (half of
    a pair, from a name that isn't UTF-8).
    """
    return "".join(char if _is_plain(char) else ascii(char)[1:-1] for char in text)


def _is_plain(char: str) -> bool:
    return char in "\n\t" or (
        unicodedata.category(char) not in ("Cc", "Cs") and char not in TURNING
    )
