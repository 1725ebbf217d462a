"""Which rows of a matrix of all pairs are made at a time.

2048 x 2048 pairs are 32 MB. On a CPU that falls out of the caches, and the memory is handed back
and fetched anew, page by page, for every matrix: in blocks of 256 rows a score of 2048 samples
takes a third to a half of the time. A GPU gets all rows at once: there launches count.

Legend: M rows, F features.
"""

from torch import Tensor

ROWS = 256


def blocks(rows: Tensor) -> list[slice]:
    """Parts that cover M of [..., M, F], in order."""
    m = rows.shape[-2]
    step = ROWS if rows.device.type == "cpu" else m
    return [slice(first, min(first + step, m)) for first in range(0, m, step)]
