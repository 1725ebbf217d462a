"""Checkpoints: written beside and swapped in, so that a kill leaves the last whole one.

The comment of the archive that torch writes is a digest of it. Those of earlier versions have none:
whether they are what was written nobody can tell, so nobody goes on from them.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import torch

from ablate.disk import swapped
from ablate.errors import UserError

DAMAGE = (RuntimeError, EOFError, LookupError, ValueError, TypeError, pickle.UnpicklingError)
NO_FILE = (IsADirectoryError, NotADirectoryError)
COMMENT = b"ablate sha256 "
COMMENT_SIZE = len(COMMENT) + 64
ENDS_WITHOUT = b"\0\0"  # of an archive without a comment, which are its length
PIECE = 2**20


class Unfit(Exception):
    """A checkpoint that nobody can go on from: damaged, of other trials, or of another version.

    That says nothing about the trial, which is trained from its beginning and comes out the same.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"The checkpoint {path} {problem}")
        self.path = path


class Hashing:
    """A file that is written, and a digest of what was."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.sha = file, hashlib.sha256()

    def write(self, content: bytes) -> int:
        """Write."""
        self.sha.update(content)
        return self.file.write(content)

    def flush(self) -> None:
        """Flush."""
        self.file.flush()


def save(path: Path, identity: str, content: dict[str, Any]) -> None:
    """Write a checkpoint atomically.

    Raises:
        UserError: The disk is full or cannot be written.
    """
    try:
        with swapped(path) as file:
            hashing = Hashing(file)
            torch.save({"identity": identity, **content}, cast("IO[bytes]", hashing))
            file.seek(-len(ENDS_WITHOUT), os.SEEK_END)
            file.write(COMMENT_SIZE.to_bytes(2, "little"))
            file.write(COMMENT + hashing.sha.hexdigest().encode())
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise UserError(
            f"The checkpoint {path} cannot be written ({error}); free the disk or type another "
            "out=."
        ) from error


def load(path: Path, identity: str) -> dict[str, Any] | None:
    """Return the content of a checkpoint, or None where there is none.

    Raises:
        Unfit: It belongs to another trial or is damaged.
        OSError: The disk fails.
    """
    try:
        with path.open("rb") as file, fitting(path):
            require_digest(file)
            content: dict[str, Any] = torch.load(file, weights_only=True, map_location="cpu")
            found = content["identity"]
    except FileNotFoundError:
        return None
    except NO_FILE as error:
        raise Unfit(path, "is no file") from error
    if found != identity:
        raise Unfit(path, f"belongs to {found}, not to {identity}")
    return content


@contextmanager
def fitting(path: Path | None) -> Iterator[None]:
    """Say of a checkpoint that it is unfit, where what was written into it cannot be taken in.

    Raises:
        Unfit: It is.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (*DAMAGE, AttributeError) as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise Unfit(path or Path(), f"cannot be gone on with ({why})") from error


def require_digest(file: IO[bytes]) -> None:
    """Look whether an archive is what its comment says.

    Raises:
        ValueError: It is not, or it has no comment.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - COMMENT_SIZE))
    comment = file.read()
    file.seek(0)
    if not comment.startswith(COMMENT):
        raise ValueError("it is damaged, or of a version that wrote no digest")
    sha, left = hashlib.sha256(), size - COMMENT_SIZE - len(ENDS_WITHOUT)
    while left > 0 and (piece := file.read(min(PIECE, left))):
        sha.update(piece)
        left -= len(piece)
    sha.update(ENDS_WITHOUT)
    file.seek(0)
    if comment != COMMENT + sha.hexdigest().encode():
        raise ValueError("it is not what was written")


def owners(path: Path) -> set[str]:
    """Return the trials that a checkpoint belongs to; of one that cannot be read, its name."""
    try:
        content = torch.load(path, weights_only=True, map_location="cpu", mmap=True)
        return set(content["identity"].split("+"))
    except (*DAMAGE, AttributeError, OSError):
        return {path.stem}
