"""Numbers of an image array to uint8 pixels."""

import numpy as np
from numpy.typing import NDArray

from ablate.errors import UserError


def to_pixels(array: NDArray[np.generic], source: str) -> NDArray[np.uint8]:
    """The same shape as uint8; floats count as intensities in [0, 1].

    Args:
        array: uint8, or floats in [0, 1].
        source: The file, for messages.

    Raises:
        UserError: NaN, infinite or out-of-range intensities, or another dtype.
    """
    if array.dtype == np.uint8:
        return array.astype(np.uint8, copy=False)
    if not np.issubdtype(array.dtype, np.floating):
        raise UserError(
            f"{source} has pixels of type {array.dtype}; save it with 8 bits a channel."
        )
    if not np.isfinite(array).all():
        raise UserError(f"{source} has NaN or infinite pixels; remove or repair this file.")
    if array.size and (array.min() < 0 or array.max() > 1):
        raise UserError(
            f"{source} has float pixels from {array.min():g} to {array.max():g}; "
            "save it with values from 0 to 1, or with 8 bits a channel."
        )
    return np.rint(array.astype(np.float64) * 255).astype(np.uint8)
