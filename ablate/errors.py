"""The errors that speak to the person running a study."""


class UserError(ValueError):
    """Input that cannot work, told in one sentence that says what to type instead.

    The command line prints the sentence and ends with exit code 2; no trace is shown.
    """


class Unheard(UserError):
    """A listener failed: a pipe that closed, a full disk. That says nothing about a trial."""
