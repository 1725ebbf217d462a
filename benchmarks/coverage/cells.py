"""Numbers with their standard errors, and the promises they are held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

INTERVAL, ERROR, WRONG = "94.5-98.7", "<=5.4", "<=0.1"  # of docs/coverage.md, in percent
NEVER, BRAKE = "<=0", "<=0.2"  # a trick that breaks with one other is called better; with two


class Cell(NamedTuple):
    """One number of a table.

    Attributes:
        table: Its title.
        row: Of the table.
        column: Of the table.
        rate: In percent.
        error: Its standard error over studies; 0 if it is exact.
        promise: `a-b`, `<=a`, a number that was measured before, or "".
    """

    table: str
    row: str
    column: str
    rate: float
    error: float
    promise: str

    def is_before(self) -> bool:
        """Return whether the promise is a number that was measured before."""
        return self.promise.replace(".", "").isdigit()

    def beyond(self) -> float:
        """Return how far the rate lies beyond the promise; below 0 within it."""
        low, _, high = self.promise.rpartition("-")
        if not high:
            return -np.inf
        if high.startswith("<="):
            return self.rate - float(high[2:])
        if low:
            return max(float(low) - self.rate, self.rate - float(high))
        return abs(self.rate - float(high)) - 0.5  # it was rounded

    def told(self) -> str:
        """Return the number as it stands in the table."""
        digits = 2 if self.promise in (WRONG, NEVER, BRAKE) else 1
        error = f" ± {self.error:.{digits}f}" if self.error else ""
        mark = "!" if self.beyond() > 3 * self.error else "~" if self.beyond() > 0 else ""
        mark = "" if mark == "~" and self.is_before() else mark
        return (
            f"{self.rate:.{digits}f}{error}{f' ({self.promise})' if self.is_before() else ''}{mark}"
        )


def cell(table: str, row: str, column: str, hits: Any, promise: str = "") -> Cell:
    """Return the cell of `[S]` hits or shares of hits; NaN where a study had no try."""
    tried = np.asarray(hits, float)
    tried = 100 * tried[~np.isnan(tried)]
    alike = float(np.ptp(tried)) == 0  # then at most one in S was missed, or hit, by luck
    error = 100 / len(tried) if alike else tried.std(ddof=1) / np.sqrt(len(tried))
    return Cell(table, row, column, float(tried.mean()), float(error), promise)


def tables(cells: Iterable[Cell]) -> Iterator[str]:
    """Yield the cells as Markdown, one table a title."""
    titled: dict[str, list[Cell]] = {}
    for one in cells:
        titled.setdefault(one.table, []).append(one)
    for title, found in titled.items():
        columns = list(dict.fromkeys(one.column for one in found))
        promises = {one.promise for one in found if one.promise and not one.is_before()}
        told = f" (promised: {', '.join(sorted(promises))} %)" if promises else ""
        yield f"\n### {title}{told}\n\n| | {' | '.join(columns)} |"
        yield "|---" * (len(columns) + 1) + "|"
        for row in dict.fromkeys(one.row for one in found):
            cells_of = {one.column: one.told() for one in found if one.row == row}
            yield f"| {row} | {' | '.join(cells_of.get(c, '') for c in columns)} |"
