"""`digits`: 1797 grey 8x8 digits that come with scikit-learn; needs no files.

Source: Alpaydin and Kaynak 1998, UCI optical recognition of handwritten digits (its test part).
"""

import numpy as np
import torch

from ablate.data.dataset import Dataset, Split
from ablate.data.split import hold_out


def digits() -> Dataset:
    """1438 training and 359 held-out images, uint8 [N, 1, 8, 8], 10 classes.

    The levels 0..16 are spread over 0..255. scikit-learn has no test split, so the held-out one
    is our fixed choice.
    """
    from sklearn.datasets import load_digits

    levels, labels = load_digits(return_X_y=True)
    pixels = np.rint(levels * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    whole = Split(torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64)))
    train, held_out = hold_out(whole, "digits")
    return Dataset("digits", train, held_out, classes=10)
