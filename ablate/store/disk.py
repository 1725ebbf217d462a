"""Files that are swapped in whole, and disk errors that say what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ablate.durable import swapped
from ablate.errors import UserError

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
