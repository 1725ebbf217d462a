"""Which rows of a matrix of all pairs are made at a time.

2048 x 2048 pairs are 32 MB. On a CPU that falls out of the caches, and the memory is handed back
and fetched anew, page by page, for every matrix: blocks of 128 rows take a quarter to two thirds of
the time. A GPU gets all rows at once, because there the number of launches counts.
"""

from torch import Tensor

ROWS = 128


def blocks(rows: Tensor) -> list[slice]:
    """Parts that cover M of [..., M, F], in order."""
    m = rows.shape[-2]
    step = ROWS if rows.device.type == "cpu" else m
    return [slice(first, min(first + step, m)) for first in range(0, m, step)]
