"""Keep decoded images on disk, because decoding takes longer than everything else in loading."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ablate.data.decode import Encoded, Form, Unreadable
from ablate.disk import sealed, unsealed
from ablate.errors import UserError

Kept = tuple[NDArray[np.uint8], dict[str, Any]]  # images, and what else is known of their files
DIGEST = "sha256"


def cached(
    cache: Path | None, files: Sequence[Encoded], form: Form, make: Callable[[], Kept]
) -> Kept:
    """`make()`, remembered in `cache` under the hash of what is decoded.

    Args:
        cache: Folder, created when needed; None decodes every time.
        files: The encoded images, in order; part of the key.
        form: How they are decoded; part of the key, as is the decoder's version.
        make: Returns uint8 [N, C, H, W] of N or fewer files, and what is known of them..

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
    _write(path, lambda file: np.save(file, images))
    told = sealed({**note, DIGEST: _digest(path)})
    _write(path.with_suffix(".json"), lambda file: file.write(told))
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
    """The images and their note, or None when they are not what was written, or it is not known.

    So much is not known of what was kept before there were digests.
    """
    try:
        note = unsealed(path.with_suffix(".json").read_bytes())
        if note.pop(DIGEST, None) != _digest(path):
            return None
        images: NDArray[np.uint8] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return (images, note) if len(images) == files - len(note["bad"]) else None


def _digest(path: Path) -> str:
    """Digest of a file's name and content: what stands in another's place is another."""
    with path.open("rb") as file:
        sha = hashlib.file_digest(file, "sha256")
    sha.update(path.name.encode())
    return sha.hexdigest()


def _write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write beside and rename, so that a killed run leaves no half file under the key."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                write(file)
            if path.is_dir():
                shutil.rmtree(path)  # nobody's
            Path(beside).replace(path)
        finally:
            Path(beside).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"Could not keep decoded images in {path.parent} ({error.strerror}); "
            "free some space or give a cache folder that can be written."
        ) from error
