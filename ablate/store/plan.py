"""The plan of a results folder, as its study wrote it: plan.jsonl, and its hash in study.json."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ablate.disk import unsealed
from ablate.errors import UserError
from ablate.store.record import trial_of
from ablate.trial import Trial

PLAN, STUDY = "plan.jsonl", "study.json"
TUNED = "tuned"  # the folder of the study that follows a search
WRITTEN = "written"  # in study.json: what a search has written so far, and must be there
REMEDY = f"Delete {PLAN} and {STUDY} and start the sweep again, which keeps all results."


def read_plan(folder: Path) -> list[Trial]:
    """Return the planned trials, in the plan's order.

    Raises:
        UserError: The file is not what the study wrote.
    """
    with locked(folder):
        return parse(folder)


def parse(folder: Path) -> list[Trial]:
    """Return the planned trials, for whoever holds the lock.

    Raises:
        UserError: The file is not what the study wrote.
    """
    file, planned = folder / PLAN, read_study(folder).get("plan_sha256")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error!r}). {REMEDY}") from error
    if planned is not None and planned != hash_of(content):
        raise UserError(f"{file} is not the plan that {STUDY} was written with. {REMEDY}")
    try:
        return [trial_of(json.loads(line)) for line in content.splitlines()]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UserError(
            f"{file} cannot be read: a line of it is no trial ({error!r}). {REMEDY}"
        ) from error


def read_study(folder: Path) -> dict[str, Any]:
    """Return what `study.json` holds; nothing where there is none.

    Raises:
        UserError: It holds no JSON object, or another one than was written.
    """
    try:
        return unsealed((folder / STUDY).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(f"{folder / STUDY} cannot be read ({error}). {REMEDY}") from error


def require_whole(folder: Path) -> None:
    """Refuse a folder that has lost one of the two files: its trials would be read without a plan.

    Raises:
        UserError: The sentence says which, and what to type.
    """
    plan, study = (folder / PLAN).is_file(), (folder / STUDY).is_file()
    lost = None
    if plan and not study:
        lost = STUDY
    elif not plan and study and "plan_sha256" in read_study(folder):
        lost = PLAN
    elif gone := lost_of_tuned(folder / TUNED):
        lost = f"{TUNED}/{gone[0]}"
    elif gone := lost_of_search(folder):
        lost = gone[0]
    if lost:
        raise UserError(
            f"{folder} has lost its {lost}; type the command of the sweep again, which writes it "
            "anew and keeps all results."
        )


def lost_of_search(folder: Path) -> list[str]:
    """Return what a search has written and is not there: its books, the study that follows it."""
    if not folder.is_dir():
        return []
    with locked(folder):
        written = read_study(folder).get(WRITTEN, [])
        return [name for name in written if not (folder / name).exists()]


def lost_of_tuned(tuned: Path) -> list[str]:
    """Return what is missing of the study that follows a search; nothing where there is none."""
    if not tuned.is_dir():
        return []
    with locked(tuned):
        there = {name: (tuned / name).is_file() for name in (PLAN, STUDY)}
        begun = any((tuned / name).exists() for name in there)
        there["trials"] = (tuned / "trials").is_dir()
    return [name for name in there if not there[name]] if begun else []


def hash_of(content: bytes) -> str:
    """Return what `study.json` remembers of a plan."""
    return hashlib.sha256(content).hexdigest()


@contextmanager
def locked(folder: Path, alone: bool = False) -> Iterator[None]:
    """Read the two files, or write them `alone`, while nobody writes; a dead process holds no lock.

    Where the disk knows no locks there is none: each file is whole, and the hash tells if they are
    of two plans.
    """
    descriptor = os.open(folder, os.O_RDONLY)  # the folder itself: no file is left behind
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)
