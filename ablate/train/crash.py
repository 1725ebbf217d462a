"""What the step or a metric raises is a result; whatever else is raised is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ablate.errors import UserError


class Crash(Exception):
    """The step or a metric raised, and that is a result; its cause is what they raised.

    Whatever else is raised says nothing about a trial.
    """


@contextmanager
def training() -> Iterator[None]:
    """Call what is raised in here a crash, but for what a person or a disk did.

    Raises:
        Crash: The step or a metric raised.
    """
    try:
        yield
    except (UserError, OSError):
        raise
    except Exception as error:
        raise Crash from error
