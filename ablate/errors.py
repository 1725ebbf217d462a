"""The errors that speak to the person running a study."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ablate.secrets import said


class UserError(ValueError):
    """Input that cannot work, told in one sentence that says what to give instead.

    The command line prints the sentence and ends with exit code 2; no trace is shown. Whoever
    prints it, a password that was typed is not in it.

    Attributes:
        typed: The sentence for somebody who types commands, where it names an argument of a Python
            call; else the same.
    """

    def __init__(self, told: str, typed: str | None = None) -> None:
        super().__init__(said(told))
        self.typed = said(told if typed is None else typed)


class Unscored(UserError):
    """Of a search that is repeated no repeat has been scored yet."""


class Unheard(UserError):
    """A listener failed: a pipe that closed, a full disk. That says nothing about a trial."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what to type instead of an unknown name."""
    known = list(known)
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean '{near[0]}'" if near else f"type one of {', '.join(sorted(known))}"


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Return the error for a name that is not among those known."""
    return UserError(f"There is no {kind} '{name}'; {nearest(name, known)}.")
