"""Bytes and names that survive a power cut: on the disk, and not only on their way there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ablate.process import mark


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
