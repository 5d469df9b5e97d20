"""The one exception that a user is meant to read."""


class UserError(Exception):
    """A mistake that the user can mend: one sentence with what was expected, what came, what to do.

    Command lines print the sentence without a traceback and exit with status 1.
    """
