"""Bytes that survive a power cut, and disk errors that say what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ablate.errors import UserError
from ablate.process import mark

REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space or name a folder on another disk",
    errno.EDQUOT: "your quota is used up: free some space or name a folder on another disk",
    errno.EACCES: "writing is not permitted: change its owner or mode, or name another folder",
    errno.EPERM: "writing is not permitted: change its owner or mode, or name another folder",
    errno.EROFS: "it is on a read-only disk: name a folder on another disk",
    errno.EMFILE: "too many files are open: raise `ulimit -n`, or type fewer workers",
    errno.ENFILE: "too many files are open on this machine: close some programs",
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


def write_durable(path: Path, content: bytes) -> None:
    """Write `content` and return when it is on the disk, not only on its way there."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names inside `folder` durable: a rename alone may be lost in a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file beside its place and swap it in: readers see the old one or the new one.

    The name beside is this process's own, as two people may start one study at once.

    Raises:
        UserError: The disk fails; the old one is there as before.
    """
    beside = path.with_name(f".{path.name}{mark()}")
    with telling_disk_errors(path.parent):
        try:
            write_durable(beside, content)
            beside.replace(path)
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
        sync_folder(path.parent)
