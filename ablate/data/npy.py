"""`npy`: the user's own images as one numpy array in one file.

Legend: N images, C H W image.
"""

from pathlib import Path

import numpy as np
import torch

from ablate.data.dataset import Dataset, Split
from ablate.data.pixels import to_pixels
from ablate.data.root import find_root
from ablate.data.split import hold_out
from ablate.errors import UserError


def npy(root: str | Path | None, title: str | None = None) -> Dataset:
    """Unlabelled images; the held-out split is our fixed choice.

    Args:
        root: A .npy file with [N, H, W] or [N, H, W, C]: uint8, or floats in [0, 1].
        title: What tables call the set; None takes the name of the file.

    Raises:
        UserError: Not such a file, or NaN pixels.
    """
    path = find_root(root, "npy")
    array = _read(path)
    images = array[:, None] if array.ndim == 3 else np.moveaxis(array, 3, 1)
    pixels = np.ascontiguousarray(to_pixels(images, str(path)))
    name = title or path.stem
    train, held_out = hold_out(Split(torch.from_numpy(pixels), None), name)
    return Dataset(name, train, held_out)


def _read(path: Path) -> np.ndarray:
    try:
        array = np.load(path, allow_pickle=False)  # a pickle could run any program
    except (OSError, ValueError, EOFError) as error:
        raise UserError(
            f"{path} is no readable .npy array ({error}); say data.root=FILE.npy as numpy.save "
            "writes it."
        ) from error
    if not isinstance(array, np.ndarray) or not _is_image_array(array):
        raise UserError(
            f"{path} must hold images [N, H, W] or [N, H, W, C] with C = 1 or 3 but holds "
            f"{list(getattr(array, 'shape', []))}; transpose it with numpy.moveaxis."
        )
    return array


def _is_image_array(array: np.ndarray) -> bool:
    return array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3))
