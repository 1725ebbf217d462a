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

from ablate.errors import UserError
from ablate.store.record import trial_of
from ablate.trial import Trial

PLAN, STUDY = "plan.jsonl", "study.json"
TUNED = "tuned"  # the folder of the study that follows a search
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
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{file} cannot be read: a line of it is no trial ({error!r}). {REMEDY}"
        ) from error


def read_study(folder: Path) -> dict[str, Any]:
    """Return what `study.json` holds; nothing where there is none.

    Raises:
        UserError: It holds no JSON object.
    """
    try:
        found = json.loads((folder / STUDY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(f"{folder / STUDY} cannot be read ({error!r}). {REMEDY}") from error
    if not isinstance(found, dict):
        raise UserError(f"{folder / STUDY} cannot be read: it is no study. {REMEDY}")
    return found


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
