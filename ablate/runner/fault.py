"""Errors that say nothing about a trial, told in one clause: whose code raised what, and where.

Building networks, preparing data and telling listeners raise them. The step and the metrics do
not: what these raise is a result.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from pathlib import Path
from types import FrameType

import ablate
from ablate.config.catalog import trick_class
from ablate.config.sources import installed_in
from ablate.seams.base import Trick
from ablate.secrets import said

HOME = Path(ablate.__file__).parent


def told(error: BaseException, tricks: Iterable[str] = ()) -> str:
    """Return whose code raised an error, what it was and where: `Trick mine raised ...`.

    Args:
        error: As it was caught.
        tricks: Names of those whose hooks may have been called.
    """
    frames = [*traceback.walk_tb(error.__traceback__)]
    names = list(tricks)
    behind = [(trick_behind(frame, names), frame, line) for frame, line in frames]
    blamed = [one for one in behind if one[0]]
    ours = [one for one in behind if not is_installed(one[1])]
    name, frame, line = (blamed or ours or behind)[-1]
    what = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":. ")
    who = f"Trick {name}" if name else "Something beside training"
    return said(f"{who} raised {what} ({frame.f_code.co_filename}, line {line})")


def trick_behind(frame: FrameType, names: Iterable[str]) -> str:
    """Return the trick whose method a frame is, or else in whose file it lies; "" for none."""
    owner = frame.f_locals.get("self")
    if isinstance(owner, Trick):
        return owner.name
    file = frame.f_globals.get("__name__")
    return next((name for name in names if trick_class(name).__module__ == file), "")


def is_installed(frame: FrameType) -> bool:
    """Return whether a frame is of Python or of an installed package that is not this one."""
    path = Path(frame.f_code.co_filename)
    return not path.is_relative_to(HOME) and any(path.is_relative_to(p) for p in installed_in())
