"""The one error that speaks to the person running a study."""


class UserError(ValueError):
    """Input that cannot work, told in one sentence that says what to type instead.

    The command line prints the sentence and ends with exit code 2; no trace is shown.
    """
