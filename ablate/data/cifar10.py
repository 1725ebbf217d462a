"""`cifar10`: the published batches, pickled or binary, in a folder or in their tar.gz.

Source: Krizhevsky 2009, Learning multiple layers of features from tiny images.
"""

import io
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ablate.data.dataset import Dataset, Split
from ablate.data.root import find_root
from ablate.errors import UserError

TRAIN = [f"data_batch_{number}" for number in range(1, 6)]
TEST = ["test_batch"]
RECORD = 1 + 3 * 32 * 32  # bytes of one image in a binary batch: label, then red, green, blue

Batch = tuple[NDArray[np.uint8], NDArray[np.int64]]  # pixels [n, 3072], labels [n]


def cifar10(root: str | Path | None) -> Dataset:
    """50,000 training and 10,000 held-out images, uint8 [N, 3, 32, 32], 10 classes.

    Args:
        root: The tar.gz, the folder it lies in, or the folder it was unpacked to.

    Raises:
        UserError: Files are missing, damaged, or ask to run code while they are read.
    """
    place = find_root(root, "cifar10")
    files = _read_files(place)
    batches = {name: _batch(name, place, files) for name in TRAIN + TEST}
    return Dataset(
        "cifar10",
        train=_join([batches[name] for name in TRAIN]),
        held_out=_join([batches[name] for name in TEST]),
        classes=10,
    )


def _read_files(place: Path) -> dict[str, bytes]:
    """File name -> content of the batches at the first place that has some."""
    folders = [place, place / "cifar-10-batches-py", place / "cifar-10-batches-bin"]
    archives = [place, place / "cifar-10-python.tar.gz", place / "cifar-10-binary.tar.gz"]
    for folder in folders:
        found = {path.name: path for path in _batch_paths(folder)}
        if found:
            return {name: path.read_bytes() for name, path in found.items()}
    for archive in archives:
        if archive.is_file():
            return _read_archive(archive)
    return {}


def _batch_paths(folder: Path) -> list[Path]:
    return [
        path for name in TRAIN + TEST for path in (folder / name, folder / f"{name}.bin")
        if path.is_file()
    ]  # fmt: skip


def _read_archive(archive: Path) -> dict[str, bytes]:
    """The batches in a tar.gz, read in memory: nothing is unpacked to a path from the archive."""
    wanted = {name + ending for name in TRAIN + TEST for ending in ("", ".bin")}
    files = {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                content = tar.extractfile(member)
                if content is not None and Path(member.name).name in wanted:
                    files[Path(member.name).name] = content.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"{archive} is a damaged archive ({type(error).__name__}); delete it and run "
            "`ablate data fetch cifar10`."
        ) from error
    return files


def _batch(name: str, place: Path, files: dict[str, bytes]) -> Batch:
    if name in files:
        pixels, labels = _pickled(name, place, files[name])
    elif f"{name}.bin" in files:
        pixels, labels = _binary(name, place, files[f"{name}.bin"])
    else:
        raise UserError(
            f"{place} holds no CIFAR-10 batch {name}; say data.root=FOLDER with all six batches "
            "or download them with `ablate data fetch cifar10`."
        )
    if pixels.shape != (len(labels), RECORD - 1) or ((labels < 0) | (labels > 9)).any():
        raise _damaged(name, place, "its images and labels do not fit")
    return pixels, labels


def _binary(name: str, place: Path, content: bytes) -> Batch:
    if not content or len(content) % RECORD:
        raise _damaged(name, place, f"{len(content)} bytes are no multiple of {RECORD}")
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    return records[:, 1:], records[:, 0].astype(np.int64)


def _pickled(name: str, place: Path, content: bytes) -> Batch:
    # Damaged pickles raise whatever the opcode they end in raises.
    try:
        batch = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
        fields = {_text(key): value for key, value in batch.items()}
        labels = np.asarray(fields["labels"], np.int64)
        pixels = np.asarray(fields["data"])
    except Exception as error:
        raise _damaged(name, place, str(error) or type(error).__name__) from error
    if pixels.dtype != np.uint8 or labels.ndim != 1:
        raise _damaged(name, place, "its images and labels do not fit")
    return pixels, labels


def _text(key: Any) -> str:
    return key.decode() if isinstance(key, bytes) else str(key)


def _latin1(text: str, _encoding: str = "latin1") -> bytes:
    return text.encode("latin1")


class _ArraysOnly(pickle.Unpickler):
    """Rebuilds arrays, bytes, strings, lists and dicts; a pickle that names anything else stops.

    An ordinary unpickler calls whatever the file names, so a file could run any program.
    """

    # Taken from an array itself: the module that defines it moved between numpy versions.
    reconstruct = np.empty(0).__reduce__()[0]
    allowed: dict[tuple[str, str], Any] = {  # noqa: RUF012  (never written)
        ("numpy.core.multiarray", "_reconstruct"): reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): reconstruct,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): _latin1,  # how protocol 2 spells bytes
    }

    def find_class(self, module: str, name: str) -> Any:
        """The allowed object of that name.

        Raises:
            UnpicklingError: Any other name.
        """
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"it asks to call {module}.{name}")
        return self.allowed[module, name]


def _damaged(name: str, place: Path, reason: str) -> UserError:
    return UserError(
        f"Batch {name} in {place} is no CIFAR-10 batch ({reason}); delete it and run "
        "`ablate data fetch cifar10`."
    )


def _join(batches: list[Batch]) -> Split:
    pixels = np.concatenate([pixels for pixels, _ in batches]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([labels for _, labels in batches])
    return Split(torch.from_numpy(pixels), torch.from_numpy(labels))
