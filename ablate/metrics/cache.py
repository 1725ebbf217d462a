"""Tensors on disk that can be made again: a missing or damaged file is rebuilt."""

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ablate.errors import UserError

_DIGEST = 32  # bytes of sha256 in front of the payload


def remembered(path: Path, build: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """What `build` made, from `path` if it stands there whole, else built and written.

    Two processes may race: each writes a whole file and the last one stays.

    Returns:
        the tensors, on the CPU.

    Raises:
        UserError: the folder cannot be written.
    """
    held = _read(path)
    if held is None:
        held = {name: tensor.cpu() for name, tensor in build().items()}
        try:
            _write(path, held)
        except OSError as error:
            raise UserError(
                f"The metrics cannot keep {str(path)!r} ({error}); free the disk, or name a cache "
                "folder that can be written."
            ) from error
    return held


def _read(path: Path) -> dict[str, Tensor] | None:
    try:
        content = path.read_bytes()
    except OSError:  # not there; one that cannot be read is told about when it is written
        if path.is_dir():
            shutil.rmtree(path)  # nobody's
        return None
    digest, payload = content[:_DIGEST], content[_DIGEST:]
    if digest not in (_of(path, payload), hashlib.sha256(payload).digest()):  # the latter: earlier
        return None
    held: dict[str, Tensor] = torch.load(io.BytesIO(payload), weights_only=True)
    return held


def _write(path: Path, tensors: dict[str, Tensor]) -> None:
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    payload = buffer.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_of(path, payload) + payload)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _of(path: Path, payload: bytes) -> bytes:
    """The digest of a file's content and name: one that stands in another's place is none."""
    return hashlib.sha256(path.name.encode() + payload).digest()


def digest(tensors: dict[str, Tensor]) -> str:
    """16 hex digits of the tensors' names, shapes, types and bytes; independent of the file."""
    sha = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].cpu().contiguous()
        sha.update(f"{name} {tuple(tensor.shape)} {tensor.dtype};".encode())
        sha.update(tensor.numpy().tobytes())
    return sha.hexdigest()[:16]
