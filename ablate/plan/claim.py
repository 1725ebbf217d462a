"""Claims: which worker trains which trial, agreed through files alone.

A claim is a file `claims/<trial>.<attempt>` that exactly one process can create. Its time of change
is the worker's heartbeat. Where the last attempt's worker is dead, the next attempt may be created,
again by exactly one process, so that nothing is ever renamed or removed under somebody's feet.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from ablate.process import is_running

BEAT_SECONDS = 3.0
STALE_SECONDS = 60.0  # clocks of two hosts that share a disk may differ by some of it
DEATHS = 3  # a trial whose workers died so often in one session of a study kills workers


class Claim:
    """A trial that is ours until we release it or die.

    Attributes:
        deaths: How many workers died over it since the time that `take` was given.
    """

    def __init__(self, path: Path, deaths: int, about: dict[str, Any]) -> None:
        self.path, self.deaths, self.about = path, deaths, about
        self.over = threading.Event()
        self.heart = threading.Thread(target=self.beat, daemon=True)
        self.heart.start()

    def beat(self) -> None:
        """Renew the file's time of change until released."""
        while not self.over.wait(BEAT_SECONDS):
            try:
                os.utime(self.path)
            except OSError:
                return  # the folder was taken away; the write of the results will say so

    def tell(self, images: int, seconds: float) -> None:
        """Let onlookers know how far the trial is, and what device seconds it has cost."""
        beside = self.path.with_name(f".{self.path.name}")
        try:
            beside.write_text(json.dumps({**self.about, "images": images, "seconds": seconds}))
            beside.replace(self.path)
        except OSError:
            beside.unlink(missing_ok=True)  # a full disk is told where it matters, at a checkpoint

    def release(self) -> None:
        """Give the trial up, finished or not, and forget all attempts at it."""
        self.over.set()
        self.heart.join()
        trial = self.path.stem
        for path in attempts(self.path.parent, trial).values():
            path.unlink(missing_ok=True)
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
    if held and is_alive(held[last]):
        return None
    deaths = sum(heartbeat(path) >= since for path in held.values())
    path, about = claims / f"{trial}.{last + 1}", whoami()
    try:
        with create(path) as file:
            json.dump(about, file)
    except FileExistsError:
        return None
    return Claim(path, deaths, about)


def create(path: Path) -> TextIO:
    """Return a file that no other process created; its folder may vanish while we ask."""
    for _ in range(10):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return path.open("x")
        except FileNotFoundError:
            continue
    return path.open("x")


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
    return {int(n): claims / f"{t}.{n}" for t, _, n in parts if t == trial and n.isdigit()}


def heartbeat(path: Path) -> float:
    """Return when a claim was last renewed, in s since 1970; 0 where it is gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def whoami() -> dict[str, Any]:
    """Return what tells one process from all others."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "images": 0}


def is_alive(path: Path) -> bool:
    """Return whether the worker behind a claim lives: its heart beats, and here its process is.

    A heartbeat in the future is no sign of life either: a copied folder would be alive for ever.
    """
    if abs(time.time() - heartbeat(path)) > STALE_SECONDS:
        return False
    try:
        about = json.loads(path.read_text())
    except FileNotFoundError:
        return False
    except ValueError:
        about = {}  # caught between its creation and its first line
    return about.get("host") != socket.gethostname() or is_running(about["pid"])


def living(folder: Path) -> dict[str, dict[str, Any]]:
    """Return trial -> what its worker tells, of the trials that living workers have."""
    told = ((path.stem, about_of(path)) for path in told_of(folder) if is_alive(path))
    return {trial: about for trial, about in told if about is not None}


def dead(folder: Path) -> dict[str, dict[str, Any]]:
    """Return trial -> what its last worker told, of the trials whose worker is gone.

    `silent` among it says for how many seconds; below zero its heartbeat lies in the future.
    """
    found, held = dict[str, dict[str, Any]](), living(folder)
    for path in told_of(folder):  # later attempts behind earlier ones
        about, beat = about_of(path), heartbeat(path)
        if about is not None and path.stem not in held:
            found[path.stem] = {**about, "silent": time.time() - beat}
    return found


def told_of(folder: Path) -> list[Path]:
    """Return the files of all claims, attempt after attempt."""
    claims = folder / "claims"
    found = [p for p in (claims.iterdir() if claims.is_dir() else ()) if p.name[0] != "."]
    numbered = [path for path in found if path.suffix[1:].isdigit()]
    return sorted(numbered, key=lambda path: (path.stem, int(path.suffix[1:])))


def about_of(path: Path) -> dict[str, Any] | None:
    """Return what a worker tells in a claim, None where it has released it since our look."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        return {}  # caught between its creation and its first line
    return found


def progress(folder: Path) -> dict[str, int]:
    """Return trial -> images shown so far, of the trials that living workers have."""
    return {trial: int(about.get("images", 0)) for trial, about in living(folder).items()}
