"""Processes as files know them: who wrote this, and is it still running?"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

ABROAD_SECONDS = 3600.0  # after which a file that a process elsewhere has not touched is nobody's


def mark() -> str:
    """Return the end of a file name that says which process made it."""
    return f".by.{socket.gethostname()}-{os.getpid()}"


def is_gone(name: str) -> bool:
    """Return whether the process whose mark a name bears ran on this machine and has ended."""
    _, by, process = name.rpartition(".by.")
    host, _, pid = process.rpartition("-")
    ours = bool(by) and host == socket.gethostname() and pid.isdecimal()
    return ours and not is_running(int(pid))


def is_orphan(path: Path) -> bool:
    """Return whether a file bears the mark of a process that is gone, as far as can be told."""
    if is_gone(path.name):
        return True
    try:
        late = time.time() - path.stat().st_mtime > ABROAD_SECONDS
    except FileNotFoundError:
        return False
    return late and ".by." in path.name and f".by.{socket.gethostname()}-" not in path.name


def is_running(pid: int) -> bool:
    """Return whether a process of this machine runs; one that waits to be buried does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True  # no /proc here
