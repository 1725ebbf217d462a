"""Arrays in files of numpy and PyTorch, read without running anything that lies in them."""

import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ablate.data.fits import memory_bytes, told
from ablate.errors import UserError

FAILURES = (
    OSError,
    MemoryError,  # a header that promises more than there is
    OverflowError,
    ValueError,
    EOFError,
    RuntimeError,
    TypeError,
    zipfile.BadZipFile,
    pickle.UnpicklingError,
)
NUMPY, TORCH = (".npy", ".npz"), (".pt", ".pth")


def arrays_in(file: Path) -> dict[str, NDArray[np.generic]]:
    """Name -> array of a file.

    Raises:
        UserError: There is no such file, or it holds something else.
    """
    try:
        if zipfile.is_zipfile(file):  # packed zeros: a thousandth of what they become
            with zipfile.ZipFile(file) as packed:
                refuse_huge(file, sum(member.file_size for member in packed.infolist()))
        found = _torch(file) if file.suffix.lower() in TORCH else _numpy(file)
    except UserError:
        raise
    except FAILURES as error:
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise UserError(
            f"{file} is no readable .npy, .npz or .pt array ({reason}); say data.root=FILE.npy as "
            "numpy.save writes it."
        ) from error
    if not found:
        raise UserError(
            f"{file} holds no array; say data.root=FILE.npy as numpy.save writes it, or a .pt of "
            "one tensor."
        )
    return found


def refuse_huge(file: Path, count: int) -> None:
    """Refuse a file of which the content does not fit into memory.

    Raises:
        UserError: It holds so many bytes.
    """
    if count > memory_bytes():
        raise UserError(
            f"{file} holds {told(count)}, and this machine has {told(memory_bytes())} of memory; "
            "type data.root=FILE with fewer images."
        )


def file_of(place: Path) -> Path:
    """The file itself, or the only one of arrays in a folder.

    Raises:
        UserError: There is none, or one of several has to be named.
    """
    if not place.is_dir():
        return place
    files = sorted(file for file in place.iterdir() if file.suffix.lower() in NUMPY + TORCH)
    if len(files) == 1:
        return files[0]
    names = ", ".join(file.name for file in files[:4])
    there = f"with {len(files)} such files, {names}" if files else "without such a file"
    raise UserError(
        f"{place} is no readable .npy array but a folder {there}; say data.root=FILE.npy."
    )


def _numpy(file: Path) -> dict[str, NDArray[np.generic]]:
    content = np.load(file, allow_pickle=False)  # a pickle could run any program
    if isinstance(content, np.ndarray):
        return {file.stem: content}
    with content:
        return {name: content[name] for name in content.files}


def _torch(file: Path) -> dict[str, NDArray[np.generic]]:
    content = torch.load(file, map_location="cpu", weights_only=True)  # runs no pickled program
    named = _named(content, file.stem)
    tensors = {name: tensor for name, tensor in named if isinstance(tensor, torch.Tensor)}
    # a view may repeat one number for ever
    refuse_huge(file, sum(one.numel() * one.element_size() for one in tensors.values()))
    return {name: _array(tensor) for name, tensor in tensors.items()}


def _named(content: Any, stem: str) -> Sequence[tuple[str, Any]]:
    if isinstance(content, Mapping):
        return [(str(name), value) for name, value in content.items()]
    if isinstance(content, tuple | list):
        return [(str(at), value) for at, value in enumerate(content)]
    return [(stem, content)]


def _array(tensor: torch.Tensor) -> NDArray[np.generic]:
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
