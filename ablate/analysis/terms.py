"""Effects as contrasts of arm means: main effects, interactions, and what is one with what.

Columns are numbers, never a formula: in a formula a trick called `C` would be a function.

Legend: J arms, P columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from ablate.analysis.layout import Layout
from ablate.analysis.metric import Values
from ablate.errors import UserError

SAME = 1e-9  # columns whose correlation is this close to 1 are one


@dataclass(frozen=True)
class Term:
    """One estimable effect.

    Attributes:
        names: All effects that it is the sum of, `-` in front of those that enter negatively.
        factors: Of its first name.
        level: Of a main effect; "" otherwise.
        contrast: `[J]`; the effect is its product with the arm means.
    """

    names: tuple[str, ...]
    factors: tuple[str, ...]
    level: str
    contrast: Values

    @property
    def label(self) -> str:
        """All names: the first one alone would claim what the design cannot tell."""
        return " = ".join(self.names)

    @property
    def order(self) -> int:
        """Number of factors in the first name."""
        return len(self.factors)


@dataclass
class _Column:
    names: list[str]
    factors: tuple[str, ...]
    level: str
    values: Values


def terms_of(layout: Layout) -> list[Term]:
    """Return the main effects, then the two-way interactions or groups of them.

    A main effect is the mean at a level less the mean at the first level; an interaction is half
    of how much one effect changes with the other. Interactions are left out where the design is
    not meant to show them, or where the arms cannot tell all of them apart.

    Raises:
        UserError: The arms do not tell the main effects apart.
    """
    mains, pairs = _columns(layout, 1), _columns(layout, 2)
    if not _is_full(mains, len(layout.levels)):
        raise UserError(
            f"The {len(layout.levels)} arms that ran do not tell the effects of "
            f"{', '.join(layout.factors)} apart; wait for more arms, or plan a design in which "
            "none of them is refused."
        )
    if not layout.has_interactions:
        return _terms(mains)
    merged = _merged([*mains, *pairs])
    if not _is_full(merged, len(layout.levels)):
        return _terms(mains)
    return _terms(merged)


def all_terms(layout: Layout) -> list[Term]:
    """Return as many effects, of every order, as arms can show: J - 1.

    Raises:
        UserError: A factor has more than two levels, or the design is not balanced.
    """
    wrong = [name for name, levels in layout.factors.items() if len(levels) > 2]
    if wrong:
        raise UserError(
            f"A half-normal plot needs factors of two levels and {wrong[0]} has "
            f"{len(layout.factors[wrong[0]])}; run at least 3 seeds, which need no such plot."
        )
    count = len(layout.levels)
    kept: list[_Column] = []
    for order in range(1, len(layout.factors) + 1):
        for column in _columns(layout, order):
            if len(kept) < count - 1 and _is_full([*kept, column], count):
                kept.append(column)
    terms = _terms(kept)
    lengths = [float((term.contrast**2).sum()) for term in terms]
    if not np.allclose(lengths, 4 / count):
        raise UserError(
            "A half-normal plot needs a balanced design and arms of this one are missing; run at "
            "least 3 seeds, which need no such plot."
        )
    return terms


def _columns(layout: Layout, order: int) -> list[_Column]:
    return [
        _Column([":".join(name for name, _, _ in chosen)], factors, chosen[0][1], values)
        for factors in combinations(layout.factors, order)
        for chosen in product(*(list(_mains(layout, factor)) for factor in factors))
        if (values := np.prod([column for _, _, column in chosen], axis=0)).any()
    ]


def _mains(layout: Layout, factor: str) -> Iterator[tuple[str, str, Values]]:
    """Yield name, level and column of every level but the first: its indicator, centred."""
    levels = layout.factors[factor]
    for level in levels[1:]:
        name = factor if len(levels) == 2 else f"{factor}={level}"
        at_level = np.array([one == level for one in layout.levels[factor]], dtype="float64")
        yield name, level, at_level - 1 / len(levels)


def _merged(columns: list[_Column]) -> list[_Column]:
    """Return the columns that differ; each bears the names of those that are it, or minus it."""
    kept: list[_Column] = []
    for column in columns:
        same = next(((one, r) for one in kept if (r := _alike(one, column))), None)
        if same is None:
            kept.append(_Column(list(column.names), column.factors, column.level, column.values))
        else:
            sign = "" if same[1] > 0 else "-"
            same[0].names.append(sign + column.names[0])
    return kept


def _alike(one: _Column, other: _Column) -> int:
    """Return 1 or -1 for columns that are one but for level and scale, else 0."""
    a, b = (column.values - column.values.mean() for column in (one, other))
    norm = float(np.sqrt((a @ a) * (b @ b)))
    r = float(a @ b) / norm if norm > SAME else 0.0
    return int(np.sign(r)) if abs(r) > 1 - SAME else 0


def _matrix(columns: list[_Column], count: int) -> Values:
    return np.column_stack([np.ones(count), *(column.values for column in columns)])


def _is_full(columns: list[_Column], count: int) -> bool:
    return int(np.linalg.matrix_rank(_matrix(columns, count))) == len(columns) + 1


def _terms(columns: list[_Column]) -> list[Term]:
    """Return least-squares contrasts; halving per further factor makes 2^k effects the usual."""
    rows = np.linalg.pinv(_matrix(columns, len(columns[0].values)))[1:]
    return [
        Term(
            tuple(column.names),
            column.factors,
            column.level if len(column.factors) == 1 else "",
            row / 2 ** (len(column.factors) - 1),
        )
        for column, row in zip(columns, rows, strict=True)
    ]
