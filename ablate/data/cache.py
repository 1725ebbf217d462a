"""Keep decoded images on disk, because decoding takes longer than everything else in loading."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ablate.data.decode import Form
from ablate.errors import UserError


def cached(
    cache: Path | None,
    content: Callable[[], Iterable[bytes]],
    form: Form,
    decode: Callable[[], NDArray[np.uint8]],
) -> NDArray[np.uint8]:
    """`decode()`, remembered in `cache` under the hash of what is decoded.

    Args:
        cache: Folder, created when needed; None decodes every time.
        content: The encoded bytes, in order; part of the key.
        form: How they are decoded; part of the key, as is the decoder's version.
        decode: Returns uint8 [N, C, H, W].

    Raises:
        UserError: `cache` cannot be written.
    """
    if cache is None:
        return decode()
    path = cache / f"{_key(content(), form)}.npy"
    if path.is_file():
        kept = _read(path)
        if kept is not None:
            return kept
    images = decode()
    _write(path, images)
    return images


def _key(content: Iterable[bytes], form: Form) -> str:
    import PIL

    digest = hashlib.sha256(f"{PIL.__version__} {form}".encode())
    for piece in content:
        digest.update(len(piece).to_bytes(8, "big"))  # so that a moved border is another key
        digest.update(piece)
    return digest.hexdigest()[:32]


def _read(path: Path) -> NDArray[np.uint8] | None:
    """The array, or None when the file is damaged and has to be made again."""
    try:
        images: NDArray[np.uint8] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return images


def _write(path: Path, images: NDArray[np.uint8]) -> None:
    """Write beside and rename, so that a killed run leaves no half array under the key."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.save(file, images)
            Path(beside).replace(path)
        finally:
            Path(beside).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"Could not keep decoded images in {path.parent} ({error.strerror}); "
            "free some space or give a cache folder that can be written."
        ) from error
