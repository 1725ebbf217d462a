"""From names or numbers of labels to classes, with what cannot be labels refused at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ablate.data.reading import Reading
from ablate.errors import UserError

KEPT = 1000  # class numbers below are kept with their gaps, as their publisher counts them
MANY = 50  # images from which on fewer than two a label are taken for ids


def refuse_ids(distinct: int, count: int, found: str, way_out: str) -> None:
    """Refuse labels that tell single images apart.

    Args:
        distinct: Different labels.
        count: Images.
        found: Where they stand.
        way_out: What to type instead.

    Raises:
        UserError: There are as many labels as images, or about so.
    """
    if distinct == count or (count >= MANY and 2 * distinct > count):
        raise UserError(
            f"{found} has {distinct:,} values for {count:,} images: ids are no labels; {way_out}."
        )


def numbered(numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], int, Reading]:
    """Class numbers from 0, how many classes there are, and what was changed.

    Args:
        numbers: int64 [N], none negative.
    """
    highest = int(numbers.max(initial=0))
    values, places = np.unique(numbers, return_inverse=True)
    if highest < KEPT or len(values) == highest + 1:
        return numbers, highest + 1, Reading()
    note = (
        f"labels up to {highest:,} have gaps; they are numbered 0 to {len(values) - 1:,} in order"
    )
    return places.astype(np.int64), len(values), Reading(notes=(note,))


def classes_of(names: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
    """Each label's place among all different ones in alphabetical order, and these."""
    values = sorted(set(names))
    places = {name: at for at, name in enumerate(values)}
    return np.array([places[name] for name in names], np.int64), values
