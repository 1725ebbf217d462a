"""Keep decoded images on disk, because decoding takes longer than everything else in loading."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ablate.data.decode import Encoded, Form, Unreadable
from ablate.errors import UserError

Kept = tuple[NDArray[np.uint8], dict[str, Any]]  # images, and what else is known of their files
PLAIN: dict[str, Any] = {
    "bad": [],
    "animated": 0,
}  # so much is known where nothing was written beside the images


def cached(
    cache: Path | None, files: Sequence[Encoded], form: Form, make: Callable[[], Kept]
) -> Kept:
    """`make()`, remembered in `cache` under the hash of what is decoded.

    Args:
        cache: Folder, created when needed; None decodes every time.
        files: The encoded images, in order; part of the key.
        form: How they are decoded; part of the key, as is the decoder's version.
        make: Returns uint8 [N, C, H, W] of N or fewer files, and a note like `PLAIN`.

    Raises:
        UserError: `cache` cannot be written.
    """
    if cache is None:
        return make()
    path = cache / f"{_key(files, form)}.npy"
    if path.is_file():
        kept = _read(path, len(files))
        if kept is not None:
            return kept
    images, note = make()
    if note != PLAIN:  # first, so that images which need a note are never without
        _write(path.with_suffix(".json"), lambda file: file.write(json.dumps(note).encode()))
    _write(path, lambda file: np.save(file, images))
    return images, note


def _key(files: Sequence[Encoded], form: Form) -> str:
    import PIL

    digest = hashlib.sha256(f"{PIL.__version__} {form}".encode())
    for file in files:
        try:
            piece = file.read()
        except Unreadable as error:
            piece = f"unreadable: {error}".encode()
        digest.update(len(piece).to_bytes(8, "big"))  # so that a moved border is another key
        digest.update(piece)
    return digest.hexdigest()[:32]


def _read(path: Path, files: int) -> Kept | None:
    """The images and their note, or None when a file is damaged and has to be made again."""
    beside = path.with_suffix(".json")
    try:
        images: NDArray[np.uint8] = np.load(path, allow_pickle=False)
        note = json.loads(beside.read_text()) if beside.is_file() else dict(PLAIN)
    except (OSError, ValueError, EOFError):
        return None
    return (images, note) if len(images) == files - len(note["bad"]) else None


def _write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write beside and rename, so that a killed run leaves no half file under the key."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                write(file)
            Path(beside).replace(path)
        finally:
            Path(beside).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"Could not keep decoded images in {path.parent} ({error.strerror}); "
            "free some space or give a cache folder that can be written."
        ) from error
