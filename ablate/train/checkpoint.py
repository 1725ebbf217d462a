"""Checkpoints: written beside and swapped in, so that a kill leaves the last whole one."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from ablate.durable import swapped
from ablate.errors import UserError

DAMAGE = (OSError, RuntimeError, EOFError, LookupError, ValueError, pickle.UnpicklingError)


def save(path: Path, identity: str, content: dict[str, Any]) -> None:
    """Write a checkpoint atomically.

    Raises:
        UserError: The disk is full or cannot be written.
    """
    try:
        with swapped(path) as file:
            torch.save({"identity": identity, **content}, file)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise UserError(
            f"The checkpoint {path} cannot be written ({error}); free the disk or type another "
            "out=."
        ) from error


def load(path: Path, identity: str) -> dict[str, Any] | None:
    """Return the content of a checkpoint, or None where there is none.

    Raises:
        UserError: It belongs to another trial or cannot be read.
    """
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    except DAMAGE as error:
        raise UserError(
            f"The checkpoint {path} cannot be read ({type(error).__name__}); delete it to start "
            "the trial again."
        ) from error
    if content["identity"] != identity:
        raise UserError(
            f"The checkpoint {path} belongs to {content['identity']}, not to {identity}; delete it "
            "or type another out=."
        )
    return content


def owners(path: Path) -> set[str]:
    """Return the trials that a checkpoint belongs to; of one that cannot be read, its name."""
    try:
        content = torch.load(path, weights_only=True, map_location="cpu", mmap=True)
        return set(content["identity"].split("+"))
    except DAMAGE:
        return {path.stem}
