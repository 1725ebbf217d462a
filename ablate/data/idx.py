"""`mnist` and `fashion_mnist`: the IDX files of their publishers, plain or gzipped.

Sources: LeCun et al. 1998 (MNIST and the IDX format), Xiao et al. 2017 (arXiv 1708.07747).
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ablate.data.dataset import Dataset, Split
from ablate.data.root import find_root
from ablate.errors import UserError

MOST_BYTES = 2**28  # of a file, unpacked


def mnist(root: str | Path | None) -> Dataset:
    """60,000 training and 10,000 held-out digits, uint8 [N, 1, 28, 28], 10 classes."""
    return _idx_set("mnist", root)


def fashion_mnist(root: str | Path | None) -> Dataset:
    """60,000 training and 10,000 held-out garments, uint8 [N, 1, 28, 28], 10 classes."""
    return _idx_set("fashion_mnist", root)


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of unsigned bytes in one IDX file.

    Layout: 0, 0, 8 (unsigned byte), number of dimensions, each size as a big-endian uint32, data.

    Args:
        path: A plain or gzipped (`.gz`) file.
        dimensions: What the file must hold: 3 for images [N, H, W], 1 for labels [N].

    Raises:
        UserError: Damaged gzip, another format, or more or less data than the header says.
    """
    content = _unpack(path)
    header = 4 + 4 * dimensions
    if content[:4] != bytes([0, 0, 8, dimensions]) or len(content) < header:
        raise UserError(
            f"{path} is no IDX file of {dimensions}-dimensional bytes (it starts with "
            f"{content[:4].hex() or 'nothing'}); put the published file there."
        )
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, header, 4)]
    if len(content) - header != math.prod(shape):
        raise UserError(
            f"{path} holds {len(content) - header} bytes of data where its header promises "
            f"{math.prod(shape)}; it is truncated or damaged, so replace it by the published file."
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy()


def _idx_set(name: str, root: str | Path | None) -> Dataset:
    folder = find_root(root, name)
    return Dataset(
        name,
        train=_idx_split(folder, "train", name),
        held_out=_idx_split(folder, "t10k", name),
        classes=10,
    )


def _idx_split(folder: Path, part: str, name: str) -> Split:
    images_path = _file(folder, f"{part}-images-idx3-ubyte", name)
    labels_path = _file(folder, f"{part}-labels-idx1-ubyte", name)
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if images.shape[1:] != (28, 28):
        raise UserError(
            f"{images_path} holds images of {images.shape[1]}x{images.shape[2]} pixels but {name} "
            "has 28x28; for other images write data=image_folder."
        )
    if len(labels) != len(images) or (labels > 9).any():
        raise UserError(
            f"{labels_path} does not give each of the {len(images)} images a label from 0 to 9; "
            "put the published file there."
        )
    return Split(torch.from_numpy(images)[:, None], torch.from_numpy(labels).long())


def _file(folder: Path, stem: str, name: str) -> Path:
    for candidate in (folder / stem, folder / f"{stem}.gz"):
        if candidate.is_file():
            return candidate
    raise UserError(
        f"{folder} holds neither {stem} nor {stem}.gz; say data.root=FOLDER "
        f"or download the files with `ablate data fetch {name}`."
    )


def _unpack(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix != ".gz":
        return content
    try:
        with gzip.open(path) as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"{path} is a damaged gzip file ({error}); delete it and put the published file there."
        ) from error
    if len(content) > MOST_BYTES:
        raise UserError(
            f"{path} unpacks to more than {MOST_BYTES:,} bytes; put the published file there."
        )
    return content
