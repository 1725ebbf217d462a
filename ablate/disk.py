"""Files that survive a power cut, are swapped in whole, say who wrote them and whether it is so."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ablate.errors import UserError


def write_durable(path: Path, content: bytes) -> None:
    """Write `content` and return when it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        sync_file(file)


def sync_file(file: IO[bytes]) -> None:
    """Return when what was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names inside `folder` durable; without it a new one may be lost in a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that lack; each name is durable in the folder above."""
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in reversed(new):
        sync_folder(one.parent)


@contextmanager
def swapped(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write; what was written takes the place of `path`, whole or not at all.

    The folder is made where it lacks. The name beside is this process's own, as two people may
    start one study at once.
    """
    make_folder(path.parent)
    beside = path.with_name(f".{path.name}{mark()}")
    try:
        with beside.open("wb") as file:
            yield file
            sync_file(file)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space or name a folder on another disk",
    errno.EDQUOT: "your quota is used up: free some space or name a folder on another disk",
    errno.EACCES: "writing is not permitted: change its owner or mode, or name another folder",
    errno.EPERM: "writing is not permitted: change its owner or mode, or name another folder",
    errno.EROFS: "it is on a read-only disk: name a folder on another disk",
    errno.EMFILE: "too many files are open: raise `ulimit -n`, or type fewer workers",
    errno.ENFILE: "too many files are open on this machine: close some programs",
    errno.ENAMETOOLONG: "the name is too long for this disk: type one of 200 bytes at most",
    errno.ENOTDIR: "a file stands where a folder is needed: name another folder",
}


@contextmanager
def telling_disk_errors(folder: Path) -> Iterator[None]:
    """Turn an error of the disk below `folder` into a sentence.

    Raises:
        UserError: The disk is full, fails, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise UserError(f"Cannot write to {folder}; {remedy(error)}, then start again.") from error


def remedy(error: OSError) -> str:
    """Return what is wrong with a disk, and what helps."""
    told = f"{error.strerror or type(error).__name__}: see that its disk answers"
    return REMEDIES.get(error.errno or 0, told)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file beside its place and swap it in: readers see the old one or the new one.

    Raises:
        UserError: The disk fails; the old one is there as before.
    """
    with telling_disk_errors(path.parent), swapped(path) as file:
        file.write(content)


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


SEAL, FILES = "seal", "files"


def digest(content: bytes) -> str:
    """Return 32 hex digits of bytes."""
    return hashlib.sha256(content).hexdigest()[:32]


def sealed(content: Mapping[str, Any]) -> bytes:
    """Return a JSON object as a file's content, with a digest of all that it says."""
    plain = json.loads(json.dumps(content, default=str))
    text = json.dumps({**plain, SEAL: _seal_of(plain)}, sort_keys=True, indent=1)
    return f"{text}\n".encode()


def unsealed(content: bytes) -> dict[str, Any]:
    """Return the JSON object of a file, without its seal.

    Raises:
        ValueError: It is none, or another one than was written.
    """
    try:
        found = json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    seal = found.pop(SEAL, None)
    sealed_once = seal is not None or FILES in found  # what tells digests of files has a seal
    if sealed_once and seal != _seal_of(found):
        raise ValueError("it is not what was written")
    return found


def _seal_of(plain: Mapping[str, Any]) -> str:
    return digest(json.dumps(plain, sort_keys=True).encode())
