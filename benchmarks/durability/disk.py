"""A disk that fails: the n-th operation on a folder is killed, refused, or done by half.

Python's own doors to the disk are wrapped, in a process that was forked for it. What C code opens
by itself is not seen: Arrow's reading of Parquet and Optuna's SQLite file.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATHS = ("mkdir", "rmdir", "unlink", "remove", "rename", "replace", "symlink", "utime", "open")
LOOKS = ("listdir", "scandir", "stat")  # these change nothing
# What each error can be an answer to; any of a full disk is the first of many.
DOORS = {
    "EIO": (*PATHS, "fsync", "write", "read", "listdir", "scandir"),
    "ESTALE": (*PATHS, "fsync", "write", "read", "listdir", "scandir", "stat"),
    "ENOSPC": ("mkdir", "rename", "replace", "symlink", "open", "fsync", "write"),
    "EMFILE": ("open", "look", "listdir", "scandir"),
    "short": ("write",),
}
LASTING = ("ENOSPC", "short")
KILLS = ("before", "midway", "after")


@dataclass
class Fault:
    """What goes wrong.

    Attributes:
        kind: One of `KILLS`, a key of `DOORS`, or "" for nothing: operations are written down.
        at: The operation, counted from 0 among those that `kind` can meet.
        log: Where operations are written down.
    """

    kind: str = ""
    at: int = -1
    log: Path | None = None
    seen: int = -1
    file: int = -1

    def meet(
        self, door: str, what: str, real: Callable[..., Any], *given: Any, **named: Any
    ) -> Any:
        """Do an operation, or what becomes of it."""
        if self.log is not None:
            os.write(self.file, f"{door} {what}\n".encode())
        if not meets(self.kind, door):
            return real(*given, **named)
        self.seen += 1
        if self.seen != self.at and not (self.kind in LASTING and self.seen > self.at):
            return real(*given, **named)
        if self.kind in KILLS:
            return self.kill(door, real, *given, **named)
        if self.kind == "short" and self.seen == self.at:
            real(given[0][: len(given[0]) // 2])
        code = getattr(errno, "ENOSPC" if self.kind == "short" else self.kind)
        # As the kernel's: of an open file Python does not know the name any more.
        name = () if door in ("write", "read", "fsync") else (given[0],)
        raise OSError(code, os.strerror(code), *name)

    def kill(self, door: str, real: Callable[..., Any], *given: Any, **named: Any) -> None:
        """End this process before, after, or in the middle of an operation."""
        if self.kind == "after":
            real(*given, **named)
        elif self.kind == "midway":
            real(given[0][: len(given[0]) // 2])
        os.kill(os.getpid(), signal.SIGKILL)


def meets(kind: str, door: str) -> bool:
    """Return whether a fault of a kind can meet an operation; `look` is to open for reading."""
    if kind == "midway":
        return door == "write"
    if kind in KILLS:
        return door not in (*LOOKS, "look", "read")
    doors = DOORS.get(kind, ())
    return door in doors or (door == "look" and "open" in doors and kind != "ENOSPC")


class Doors:
    """Python's doors to the disk below a folder, each with a fault behind it.

    Only what the main thread does is an operation: others come and go as they like.
    """

    def __init__(self, root: Path, fault: Fault) -> None:
        self.inside, self.here, self.fault = f"{os.path.realpath(root)}/", os.getcwd(), fault
        self.open = io.open
        self.link = os.readlink

    def inside_of(self, path: Any, folder: int | None = None) -> str:
        """Return the path below the root, "" where it is none."""
        if threading.current_thread() is not threading.main_thread():
            return ""
        if isinstance(path, int):
            whole = self.link(f"/proc/self/fd/{path}")
        else:
            start = self.here if folder is None else self.link(f"/proc/self/fd/{folder}")
            whole = os.path.join(start, os.fsdecode(path))
        whole = os.path.normpath(whole)
        return whole[len(self.inside) :] or "." if f"{whole}/".startswith(self.inside) else ""

    def wrap(self, name: str) -> None:
        """Put the fault behind a function of `os`."""
        real = getattr(os, name)

        def operation(path: Any = ".", *given: Any, **named: Any) -> Any:
            place = given[0] if name == "symlink" else path
            what = self.inside_of(place, named.get("dir_fd", named.get("src_dir_fd")))
            if not what:
                return real(path, *given, **named)
            looks = name == "open" and not given[0] & (os.O_WRONLY | os.O_RDWR)
            return self.fault.meet("look" if looks else name, what, real, path, *given, **named)

        setattr(os, name, operation)

    def opened(
        self, file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **named: Any
    ) -> Any:
        """Open a file each of whose system calls is an operation."""
        what = "" if isinstance(file, int) or named.get("opener") else self.inside_of(file)
        if not what:
            return self.open(file, mode, buffering, *rest, **named)
        door = "open" if set(mode) & set("wxa+") else "look"
        plain = mode.replace("b", "").replace("t", "")
        raw = self.fault.meet(door, what, Raw, os.fspath(file), plain)
        raw.meet = lambda door, *how: self.fault.meet(door, what, *how)
        if buffering == 0:
            return raw
        buffer: Any = io.BufferedReader(raw) if plain == "r" else io.BufferedWriter(raw)
        if "+" in mode:
            buffer = io.BufferedRandom(raw)
        return buffer if "b" in mode else io.TextIOWrapper(buffer, *rest, **named)


class Raw(io.FileIO):
    """A file that asks before it reads or writes."""

    meet: Callable[..., Any]

    def write(self, data: Any) -> int:
        return int(self.meet("write", super().write, bytes(data)))

    def readinto(self, buffer: Any) -> int:
        return int(self.meet("read", super().readinto, buffer))

    def readall(self) -> bytes:
        return bytes(self.meet("read", super().readall))


def install(root: Path, fault: Fault) -> None:
    """Let a fault meet what the main thread does below `root`, until this process ends."""
    doors = Doors(root, fault)
    for name in (*PATHS, *LOOKS, "fsync"):
        doors.wrap(name)
    builtins.open = io.open = doors.opened
    if fault.log is not None:
        fault.file = os.open(fault.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
