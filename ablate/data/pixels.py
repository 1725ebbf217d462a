"""Numbers of an image array to uint8 pixels."""

import numpy as np
from numpy.typing import NDArray

from ablate.errors import UserError

DEEPEST = 2**16 - 1  # 16-bit pixels are intensities from 0 to this
ROUNDING = 1e-5  # of intensities that were scaled and scaled back


def to_pixels(array: NDArray[np.generic], source: str) -> NDArray[np.uint8]:
    """The same shape as uint8; floats count as intensities in [0, 1], 16 bits in [0, 65535].

    Args:
        array: uint8, bool, uint16, or floats in [0, 1], but for rounding.
        source: The file, for messages.

    Raises:
        UserError: NaN, infinite or out-of-range intensities, or another dtype.
    """
    kind, size = array.dtype.kind, array.dtype.itemsize
    if array.dtype == np.uint8:
        return array.astype(np.uint8, copy=False)
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if kind == "u" and size == 2:
        return np.rint(array.astype(np.float64) * (255 / DEEPEST)).astype(np.uint8)
    if kind != "f":
        raise UserError(
            f"{source} has pixels of type {array.dtype}; {_way_out_of_integers(array)}."
        )
    if not np.isfinite(array).all():
        raise UserError(f"{source} has NaN or infinite pixels; remove or repair this file.")
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    slack = max(ROUNDING, 4 * float(np.spacing(array.dtype.type(1))))
    if low < -slack or high > 1 + slack:
        raise UserError(
            f"{source} has float pixels from {low:g} to {high:g}; "
            f"{_way_out_of_floats(low, high, slack)}."
        )
    return np.rint(array.astype(np.float64).clip(0, 1) * 255).astype(np.uint8)


def _way_out_of_integers(array: NDArray[np.generic]) -> str:
    if array.dtype.kind in "iu" and array.size and array.min() >= 0 and array.max() <= 255:
        return "save it with 8 bits a channel, x.astype('uint8')"
    return "save it with 8 bits a channel"


def _way_out_of_floats(low: float, high: float, slack: float) -> str:
    """What to type so that the values run from 0 to 1."""
    if -1 - slack <= low < 0 and high <= 1 + slack:
        return "save it with values from 0 to 1, (x + 1) / 2"
    if low >= 0 and high <= 255 + 255 * slack:
        return "save it with values from 0 to 1, x / 255"
    return "save it with values from 0 to 1, (x - x.min()) / (x.max() - x.min())"
