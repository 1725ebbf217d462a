"""Which columns of a design its arms can tell, when arms are absent.

Columns are taken from the left and one that is a sum of those before it is dropped: main effects
before interactions. No pivoting by size and no minimum norm, which would split an effect among
columns. What is dropped lives on in the columns that it is a sum of: they change their meaning.

Legend: J arms, P columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ablate.analysis.metric import Values

SAME = 1e-9  # of a column's length; of a coefficient


class Kept(NamedTuple):
    """What stays of the columns of a design.

    Attributes:
        columns: Indices of those that are no sum of kept ones before them.
        sums: Index of every other -> index of a kept one -> its part in the sum.
    """

    columns: list[int]
    sums: Mapping[int, Mapping[int, float]]


def kept_from_left(matrix: Values) -> Kept:
    """Return which columns of `[J, P]` are kept, and what the others are the sum of."""
    kept: list[int] = []
    sums: dict[int, dict[int, float]] = {}
    for place, column in enumerate(matrix.T):
        before = matrix[:, kept]
        parts = np.linalg.lstsq(before, column, rcond=None)[0]
        off = float(np.linalg.norm(column - before @ parts))
        if off > SAME * float(np.linalg.norm(column)):
            kept.append(place)
        else:
            told = zip(kept, parts, strict=True)
            sums[place] = {one: float(part) for one, part in told if abs(part) > SAME}
    return Kept(kept, sums)
