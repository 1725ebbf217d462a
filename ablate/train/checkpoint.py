"""Checkpoints: written beside and swapped in, so that a kill leaves the last whole one.

A line in front says whose it is and has a digest of the rest. Those of before it have none.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import torch

from ablate.errors import UserError
from ablate.process import mark

DAMAGE = (RuntimeError, EOFError, LookupError, ValueError, TypeError, pickle.UnpicklingError)
NOT_OURS = b"PK"  # what torch writes, with no line in front
NO_FILE = (IsADirectoryError, NotADirectoryError)
NO_DIGEST = "0" * 64
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
    beside = path.with_name(f".{path.name}{mark()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(line(identity, NO_DIGEST))
            hashing = Hashing(file)
            torch.save({"identity": identity, **content}, cast("IO[bytes]", hashing))
            file.seek(0)
            file.write(line(identity, hashing.sha.hexdigest()))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        beside.unlink(missing_ok=True)
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
    """Move to what torch wrote, if it is what was written.

    Raises:
        ValueError: It is not.
    """
    start = file.read(len(NOT_OURS))
    file.seek(0)
    if start == NOT_OURS:
        return
    wanted, begin = json.loads(file.readline())["sha256"], file.tell()
    sha = hashlib.sha256()
    while piece := file.read(PIECE):
        sha.update(piece)
    if sha.hexdigest() != wanted:
        raise ValueError("it is not what was written")
    file.seek(begin)


def line(identity: str, digest: str) -> bytes:
    """Return the first line, of one length for any digest."""
    return json.dumps({"identity": identity, "sha256": digest}).encode() + b"\n"


def owners(path: Path) -> set[str]:
    """Return the trials that a checkpoint belongs to; of one that cannot be read, its name."""
    try:
        with path.open("rb") as file:
            if file.read(len(NOT_OURS)) == NOT_OURS:
                content = torch.load(path, weights_only=True, map_location="cpu", mmap=True)
            else:
                file.seek(0)
                content = json.loads(file.readline())
        return set(content["identity"].split("+"))
    except (*DAMAGE, AttributeError, OSError):
        return {path.stem}
