"""Claims: which worker trains which trial, agreed through files alone.

A claim is a file `claims/<trial>.<attempt>` that exactly one process can create. Its time of change
is the worker's heartbeat. Where the last attempt's worker is dead, the next attempt may be created,
again by exactly one process, so that nothing is ever renamed or removed under somebody's feet.

Clocks of two hosts may differ, so a heart that seems to have stopped is watched before somebody
else takes the trial: it lives if it moves.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from ablate.disk import is_running, mark
from ablate.errors import UserError
from ablate.screen.duration import lasted
from ablate.screen.letters import say
from ablate.store.heart import BEAT_SECONDS, drop, keep

STALE_SECONDS = 60.0
STILL_SECONDS = 5 * BEAT_SECONDS  # by the watcher's own clock
WRITTEN_SECONDS = 3.0  # in which a claim that says nothing may still be written
LOOK_SECONDS = 0.25
CLOCK_SECONDS = 60.0  # in which the difference of two clocks stays what it was
TOLD_SECONDS = 5.0  # between two clocks, from which on a person is told
DEATHS = 3  # a trial whose workers died so often in one session of a study kills workers
SWEEP = "sweep-"  # begins the name of a claim on the plan of a folder
MOST_PID = 2**22

_seen: dict[Path, tuple[float, float]] = {}  # claim -> a heartbeat, and when we first saw it
_ahead: dict[Path, tuple[float, float]] = {}  # folder -> what `ahead` said, and when


class Claim:
    """A trial that is ours until we release it or die.

    Attributes:
        deaths: How many workers died over it since the time that `take` was given.
    """

    def __init__(self, path: Path, deaths: int, about: dict[str, Any]) -> None:
        self.path, self.deaths, self.about = path, deaths, about
        keep(path)

    def tell(self, images: int, seconds: float) -> None:
        """Let onlookers know how far the trial is, and what device seconds it has cost."""
        beside = self.path.with_name(f".{self.path.name}")
        try:
            beside.write_text(json.dumps({**self.about, "images": images, "seconds": seconds}))
            beside.replace(self.path)
        except OSError:
            beside.unlink(missing_ok=True)  # a full disk is told where it matters, at a checkpoint

    def release(self, *, more: bool = False) -> None:
        """Give the trial up, finished or not, and forget all attempts at it.

        Args:
            more: Whether others follow in the folder, so that what is empty of it stays.
        """
        drop(self.path)
        trial = self.path.stem
        for path in attempts(self.path.parent, trial).values():
            with suppress(OSError):  # what stays is nobody's soon, as its heart has stopped
                remove(path)
        if not more:
            tidy(self.path.parent.parent)


def take(folder: Path, trial: str, since: float = 0.0) -> Claim | None:
    """Return a claim on a trial, or None where a living worker has it.

    Ask whether the trial is finished after this, not before: its worker may just have left.

    Args:
        folder: The results folder.
        trial: Its id.
        since: Deaths before this time (s since 1970) are not held against the trial: somebody has
            started the study again.
    """
    claims = folder / "claims"
    held = attempts(claims, trial)
    last = max(held, default=0)
    if held and glance(held[last]) is None:
        living(folder)  # begins to watch all others as well
    if held and is_alive(held[last]):
        return None
    deaths = sum(heartbeat(path) >= since for path in held.values())
    path, about = claims / f"{trial}.{last + 1}", whoami()
    try:
        create(path, json.dumps(about))
    except FileExistsError:
        return None
    return Claim(path, deaths, about)


def create(path: Path, text: str) -> None:
    """Create a file with its content, as exactly one process can; nothing is left if it fails.

    Its folder may vanish while we ask.

    Raises:
        FileExistsError: It is there.
        OSError: The disk fails.
    """
    beside = path.with_name(f".{path.name}.{threading.get_ident()}{mark()}")
    for again in reversed(range(10)):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_text(text)
            link(beside, path)
            return
        except FileNotFoundError:
            if not again:
                raise
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)


def link(beside: Path, path: Path) -> None:
    """Give a whole file a second name that nobody has; where a disk knows no links, write it."""
    try:
        os.link(beside, path)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        with path.open("x") as file:
            try:
                file.write(beside.read_text())
                file.flush()
            except OSError:
                path.unlink(missing_ok=True)
                raise


def remove(path: Path) -> None:
    """Remove a claim, whatever lies in its place; one that another process removes is gone."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def tidy(folder: Path) -> None:
    """Remove what is empty of a results folder: it holds results, or it is not there."""
    for empty in (folder / "claims", folder / "checkpoints", folder):
        with suppress(OSError):
            empty.rmdir()


def attempts(claims: Path, trial: str) -> dict[int, Path]:
    """Return attempt -> file."""
    try:
        names = os.listdir(claims)
    except FileNotFoundError:
        return {}
    parts = (name.rpartition(".") for name in names)
    return {int(n): claims / f"{t}.{n}" for t, _, n in parts if t == trial and is_number(n)}


def heartbeat(path: Path) -> float:
    """Return when a claim was last renewed, in s since 1970; 0 where it is gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def whoami() -> dict[str, Any]:
    """Return what tells one process from all others."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "images": 0}


def ahead(claims: Path) -> float:
    """Return by how many seconds the disk's clock is ahead of ours; 0 where we may not write."""
    known = _ahead.get(claims.absolute())
    if known is None or time.monotonic() - known[1] > CLOCK_SECONDS:
        probe = claims / f".clock.{threading.get_ident()}{mark()}"
        try:
            before = time.time()
            probe.touch()
            known = probe.stat().st_mtime - (before + time.time()) / 2, time.monotonic()
        except OSError:
            known = 0.0, time.monotonic()
        finally:
            with suppress(OSError):
                probe.unlink(missing_ok=True)
        _ahead[claims.absolute()] = known
    return known[0]


def off(folder: Path) -> str | None:
    """Return what to say where the clock of a results folder's disk is not ours; None else."""
    seconds = ahead(folder / "claims")
    if abs(seconds) < TOLD_SECONDS:
        return None
    way = "behind" if seconds > 0 else "ahead of"
    return (
        f"The clock of this machine is {lasted(abs(seconds))} {way} that of the disk of {folder}; "
        "other machines may take a while to see whether workers here live."
    )


def silent(path: Path, about: dict[str, Any]) -> float:
    """Return for how many seconds a claim was not renewed; below zero it was in the future."""
    abroad = about.get("host") != socket.gethostname()
    return time.time() + (ahead(path.parent) if abroad else 0.0) - heartbeat(path)


def glance(path: Path) -> bool | None:
    """Return whether the worker behind a claim lives, None where only watching can tell.

    Here its process tells, and a heartbeat of now. Any other heartbeat, be it long ago or in the
    future, may be that of a clock that is off, or of a folder that was copied.
    """
    about, beat = about_of(path), heartbeat(path)
    if about is None or is_gone(about):
        return False
    if about and abs(silent(path, about)) <= STALE_SECONDS:
        return True
    place = path.absolute()
    first, since = _seen.setdefault(place, (beat, time.monotonic()))
    if first != beat:
        _seen[place] = beat, time.monotonic()
        return bool(about)
    limit = STILL_SECONDS if about else WRITTEN_SECONDS
    return None if time.monotonic() - since < limit else False


def is_alive(path: Path) -> bool:
    """Return whether the worker behind a claim lives; where only watching can tell, watch it."""
    found = glance(path)
    if found is None:
        tell_once((about_of(path) or {}).get("host", "an unknown machine"))
    while found is None:
        time.sleep(LOOK_SECONDS)
        found = glance(path)
    return found


@cache
def tell_once(host: str) -> None:
    """Say what takes a while."""
    say(
        f"A claim of a worker on {host} is not of this minute; for {STILL_SECONDS:.0f} s it is "
        "watched for a sign of life.",
        sys.stderr,
    )


def is_gone(about: dict[str, Any]) -> bool:
    """Return whether a process was one of this machine and has ended."""
    return about.get("host") == socket.gethostname() and not is_running(about["pid"])


def living(folder: Path, *, sure: bool = False) -> dict[str, dict[str, Any]]:
    """Return trial -> what its worker tells, of the trials that living workers have.

    Args:
        folder: The results folder.
        sure: Whether to watch those claims whose heartbeats leave doubts; else they count as dead.
    """
    paths = told_of(folder)
    glances = {path: glance(path) for path in paths}  # all of them first: they are watched at once
    alive = [path for path in paths if (is_alive(path) if sure else glances[path])]
    told = ((path.stem, about_of(path)) for path in alive)
    return {trial: about for trial, about in told if about is not None}


def dead(folder: Path) -> dict[str, dict[str, Any]]:
    """Return trial -> what its last worker told, of the trials whose worker is gone.

    `silent` among it says for how many seconds; below zero its heartbeat lies in the future.
    """
    found, held = dict[str, dict[str, Any]](), living(folder)
    for path in told_of(folder):  # later attempts behind earlier ones
        about = about_of(path)
        if about is not None and path.stem not in held:
            found[path.stem] = {**about, "silent": silent(path, about)}
    return found


def told_of(folder: Path) -> list[Path]:
    """Return the files of all claims on trials, attempt after attempt."""
    return [path for path in claims_in(folder) if not path.name.startswith(SWEEP)]


def sweeps_of(folder: Path) -> list[Path]:
    """Return the files of all claims on the plan of a folder."""
    return [path for path in claims_in(folder) if path.name.startswith(SWEEP)]


def take_plan(folder: Path, plan: str) -> Claim:
    """Return our claim on the plan of a folder, of which others may have one as well.

    Args:
        folder: The results folder.
        plan: What tells it from other plans.

    Raises:
        UserError: This process has one already.
    """
    found = take(folder, f"{SWEEP}{plan}-{socket.gethostname()}-{os.getpid()}")
    if found is None:
        raise UserError(f"This process works on {folder} already; wait for its end.")
    return found


def other_plans(folder: Path, plan: str) -> list[str]:
    """Return who works on another plan of a folder at this moment, as `host, process`."""
    others = [path for path in sweeps_of(folder) if not path.name.startswith(f"{SWEEP}{plan}-")]
    told = [about_of(path) for path in others if is_alive(path)]
    return [f"{about['host']}, process {about['pid']}" for about in told if about]


def claims_in(folder: Path) -> list[Path]:
    """Return the files of all claims, attempt after attempt."""
    claims = folder / "claims"
    found = [p for p in (claims.iterdir() if claims.is_dir() else ()) if p.name[0] != "."]
    numbered = [path for path in found if is_number(path.suffix[1:])]
    return sorted(numbered, key=lambda path: (path.stem, int(path.suffix[1:])))


def is_number(text: str) -> bool:
    """Return whether a text is the number of an attempt."""
    return text.isascii() and text.isdigit()


def about_of(path: Path) -> dict[str, Any] | None:
    """Return what a worker tells in a claim, None where it has released it since our look.

    Nothing is told by a claim that no worker has written so.
    """
    try:
        found = json.loads(path.read_bytes())
        host, pid = found["host"], found["pid"]
    except FileNotFoundError:
        return None
    except (OSError, TypeError, LookupError, ValueError, RecursionError):
        return {}
    if not isinstance(host, str) or type(pid) is not int or not 0 < pid <= MOST_PID:
        return {}
    images, seconds = found.get("images"), found.get("seconds")
    return {
        "host": host,
        "pid": pid,
        "images": images if type(images) is int and images > 0 else 0,
        "seconds": float(seconds) if isinstance(seconds, int | float) and seconds > 0 else 0.0,
    }


def progress(folder: Path, *, sure: bool = False) -> dict[str, int]:
    """Return trial -> images shown so far, of the trials that living workers have."""
    return {trial: about["images"] for trial, about in living(folder, sure=sure).items() if about}
