"""`npy`: the user's own images as one array in one file, of numpy or of PyTorch.

Legend: N images, C H W image.
"""

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ablate.data.arrays import arrays_in, file_of
from ablate.data.dataset import Dataset, Split
from ablate.data.pixels import DEEPEST, to_pixels
from ablate.data.reading import Reading
from ablate.data.root import find_root, title_of
from ablate.data.split import in_halves
from ablate.errors import UserError

CHANNELS = (1, 3)
SHAPES = "images [N, H, W], [N, H, W, C] or [N, C, H, W] with C = 1 or 3"


def npy(root: str | Path | None, title: str | None = None, array: str | None = None) -> Dataset:
    """Unlabelled images; the held-out split is our fixed choice.

    Args:
        root: A .npy, .npz or .pt file with [N, H, W], [N, H, W, C] or [N, C, H, W]: uint8, uint16,
            bool, or floats in [0, 1].
        title: What tables call the set; None takes the name of the file.
        array: Which array of several; None takes the only one that may be images.

    Raises:
        UserError: Not such a file, or NaN pixels.
    """
    path = file_of(find_root(root, "npy"))
    found, reading = _chosen(arrays_in(path), array, path)
    images, turned = _channels_first(found, str(path))
    _refuse_shallow(images, str(path))
    pixels = np.ascontiguousarray(to_pixels(images, str(path)))
    name = title_of(title, path)
    train, held_out, cut = in_halves(Split(torch.from_numpy(pixels), None), None, name)
    return Dataset(name, train, held_out, reading=reading + turned + cut)


def _chosen(
    found: dict[str, NDArray[np.generic]], wanted: str | None, path: Path
) -> tuple[NDArray[np.generic], Reading]:
    """The array of images among all of a file."""
    each = ", ".join(f"{name} {list(array.shape)}" for name, array in found.items())
    if wanted is not None:
        if str(wanted) not in found:
            raise UserError(f"{path} holds no array {wanted!r} but {each}; say data.array=NAME.")
        return found[str(wanted)], Reading()
    if len(found) == 1:
        return next(iter(found.values())), Reading()
    images = [name for name, array in found.items() if array.ndim in (3, 4)]
    if len(images) != 1:
        example = f"data.array={images[0]}" if images else "data.root=FILE with images"
        raise UserError(f"{path} holds several arrays ({each}); say {example}.")
    rest = ", ".join(name for name in found if name != images[0])
    return found[images[0]], Reading(notes=(f"{images[0]} is read, and {rest} left out",))


def _channels_first(array: NDArray[np.generic], source: str) -> tuple[NDArray[np.generic], Reading]:
    """[N, C, H, W] of any order that is known."""
    shape = array.shape
    alpha = len(shape) == 3 and shape[2] == 4 and min(shape[:2]) > 8  # no picture is so narrow
    if len(shape) == 3 and (shape[2] in CHANNELS or shape[0] in CHANNELS or alpha):
        raise UserError(
            f"{source} holds {list(shape)}, which is one picture and no set; stack pictures of one "
            "size with numpy.stack, or say data=image_folder for files."
        )
    if len(shape) == 3:
        return array[:, None], Reading()
    if len(shape) == 4 and shape[3] in CHANNELS:
        return np.moveaxis(array, 3, 1), Reading()
    if len(shape) == 4 and shape[1] in CHANNELS:
        note = f"an array {list(shape)} is read as [N, C, H, W]"
        return array, Reading(notes=(note,))
    raise UserError(f"{source} must hold {SHAPES} but holds {list(shape)}; {_way_out(shape)}.")


def _way_out(shape: tuple[int, ...]) -> str:
    if len(shape) == 4 and 4 in (shape[1], shape[3]):
        return "put the images on a background first, their fourth channel is transparency"
    side = math.isqrt(shape[1]) if len(shape) == 2 else 0
    if side > 1 and side * side == shape[1]:
        return f"reshape it, x.reshape(-1, {side}, {side})"
    return "transpose it with numpy.moveaxis"


def _refuse_shallow(images: NDArray[np.generic], source: str) -> None:
    """Refuse 16-bit pixels of which only the lower bits are used: they would all be black."""
    if images.dtype.kind != "u" or images.dtype.itemsize != 2 or not images.size:
        return
    highest = int(images.max())
    if highest <= DEEPEST // 16:
        scaled = (
            "x.astype('uint8')"
            if highest <= 255
            else f"numpy.rint(x * (255 / {highest})).astype('uint8')"
        )
        raise UserError(
            f"{source} holds 16-bit pixels up to {highest} of {DEEPEST}, which would be black; "
            f"save {scaled}."
        )
