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
    errno.ENOTDIR: "a file stands where a folder is needed: name another folder",
}


@contextmanager
def telling_disk_errors(folder: Path) -> Iterator[None]:
    """Turn an error of the disk below `folder` into a sentence.

    Raises:
        UserError: The disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        remedy = REMEDIES[error.errno]
        raise UserError(f"Cannot write to {folder}; {remedy}, then start again.") from error


def replace_file(path: Path, content: bytes) -> None:
    """Write a file beside its place and swap it in: readers see the old one or the new one."""
    with swapped(path) as file:
        file.write(content)
