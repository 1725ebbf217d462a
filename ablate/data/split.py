"""Fixed choices of samples: the held-out split of a set without one, and nested subsets."""

import numpy as np
import torch
from torch import Tensor

from ablate.data.dataset import Split
from ablate.data.reading import Reading
from ablate.errors import UserError

HELD_OUT = 0.2  # share of a set without an official test split
SPLIT_SEED, SUBSET_SEED = 1, 2  # two seeds, so that a subset is not the edge of the split


def hold_out(whole: Split, name: str) -> tuple[Split, Split]:
    """Cut a set without a test split into a training and a held-out split, always the same way.

    Raises:
        UserError: Fewer than three samples.
    """
    if len(whole) < 3:
        raise UserError(
            f"Data set {name!r} holds {len(whole)} images, too few to train and to hold out; "
            "add images until there are at least 3."
        )
    order = _fixed_order(len(whole), SPLIT_SEED)
    count = max(1, round(HELD_OUT * len(whole)))
    return whole.take(order[count:].sort().values), whole.take(order[:count].sort().values)


def in_halves(train: Split, held_out: Split | None, name: str) -> tuple[Split, Split, Reading]:
    """Two splits as they were found, or our fixed choice where only one was.

    Raises:
        UserError: Fewer than three samples and no held-out split.
    """
    if held_out is not None:
        return train, held_out, Reading()
    note = f"no test split was found, and a fixed {HELD_OUT:.0%} of the images are held out"
    return *hold_out(train, name), Reading(notes=(note,))


def subset(split: Split, fraction: float) -> Split:
    """The first `fraction` of a fixed order: 0.1 is contained in 0.2, and 1.0 is the split itself.

    Args:
        split: The whole training split.
        fraction: In (0, 1].

    Raises:
        UserError: A fraction outside (0, 1], or fewer than two samples left.
    """
    if isinstance(fraction, bool) or not isinstance(fraction, int | float) or not 0 < fraction <= 1:
        raise UserError(
            f"data.fraction must be above 0 and at most 1 but got {fraction!r}; "
            "write for example data.fraction=0.1."
        )
    count = round(fraction * len(split))
    if count < 2:
        raise UserError(
            f"data.fraction={fraction} leaves {count} of {len(split)} training images; "
            + (
                f"write at least data.fraction={2 / len(split):.2g} to keep 2."
                if len(split) > 1
                else "add training images."
            )
        )
    if count == len(split):
        return split
    return split.take(_fixed_order(len(split), SUBSET_SEED)[:count].sort().values)


def _fixed_order(count: int, seed: int) -> Tensor:
    """A permutation int64 [count] that depends on nothing else.

    Sorting raw PCG64 output, because numpy promises that stream for every version, while
    `Generator.permutation` may change.
    """
    keys = np.random.PCG64(seed).random_raw(count)
    return torch.from_numpy(np.argsort(keys, kind="stable"))
