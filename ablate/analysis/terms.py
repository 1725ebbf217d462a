"""Effects as contrasts of arm means: main effects, interactions, and what is one with what.

Columns are numbers, never a formula: in a formula a trick called `C` would be a function.

Legend: J arms, P columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import NoReturn

import numpy as np

from ablate.analysis.estimable import SAME, kept_from_left
from ablate.analysis.layout import Layout
from ablate.analysis.metric import Values
from ablate.errors import UserError


@dataclass(frozen=True)
class Term:
    """One estimable effect.

    Attributes:
        names: All effects that it is the sum of, `-` in front of those that enter negatively.
        factors: Of its first name.
        level: Of a main effect; "" otherwise.
        contrast: `[J]`; the effect is its product with the arm means.
        meaning: What it is where absent arms changed that: `with b off`; "" as the name says.
    """

    names: tuple[str, ...]
    factors: tuple[str, ...]
    level: str
    contrast: Values
    meaning: str = ""

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


@dataclass(frozen=True)
class Fit:
    """The columns that arms tell, and those that they do not.

    Attributes:
        terms: The effects that are estimated.
        matrix: `[J, P]`, the columns of the fit, the first of ones.
        lost: Labels of interactions that no estimate holds alone.
        refused: Labels of main effects that cannot be told from each other, one group a tuple.
    """

    terms: list[Term]
    matrix: Values
    lost: list[tuple[str, ...]]
    refused: list[tuple[str, ...]]


def terms_of(layout: Layout) -> list[Term]:
    """Return the main effects, then the two-way interactions or groups of them.

    A main effect is the mean at a level less the mean at the first level; an interaction is half
    of how much one effect changes with the other. Interactions are left out where the design is
    not meant to show them; where arms are absent, those that the others cannot tell.

    Raises:
        UserError: The arms do not tell any main effect from the others.
    """
    terms = fit_of(layout).terms
    if not terms:
        refuse_arms(layout)
    return terms


def refuse_arms(layout: Layout) -> NoReturn:
    """Refuse arms that tell no main effect from the others.

    Raises:
        UserError: Always.
    """
    raise UserError(
        f"The {len(layout.levels)} arms that ran do not tell the effects of "
        f"{', '.join(layout.factors)} apart; wait for more arms, or plan a design in which "
        "none of them is refused."
    )


def fit_of(layout: Layout) -> Fit:
    """Return what the arms of `layout` tell; no terms where it is no main effect."""
    varied = layout.varying()
    mains = _columns(varied, 1)
    columns = _merged(mains, _columns(varied, 2) if layout.has_interactions else [])
    matrix = _matrix(columns, len(layout.levels))
    kept = kept_from_left(matrix)
    refused = _groups(
        [{one, *parts} - {0} for one, parts in kept.sums.items() if one <= len(mains)]
    )
    apart = {one for group in refused for one in group}
    lost = {
        one: parts
        for one, parts in kept.sums.items()
        if one > len(mains) and not (set(parts) <= {0} and apart)
    }
    rows = dict(zip(kept.columns, np.linalg.pinv(matrix[:, kept.columns]), strict=True))
    return Fit(
        [
            replace(
                _term(columns[one - 1], rows[one]),
                meaning=meaning_of(one, columns, lost, varied),
            )
            for one in kept.columns[1:]
            if one not in apart and len(apart) < len(mains)
        ],
        matrix[:, kept.columns],
        [tuple(columns[one - 1].names) for one in lost],
        [tuple(columns[one - 1].names[0] for one in sorted(group)) for group in refused],
    )


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
    mains = {factor: list(_mains(layout, factor)) for factor in layout.factors}
    return [
        _Column([":".join(name for name, _, _ in chosen)], factors, chosen[0][1], values)
        for factors in combinations(layout.factors, order)
        for chosen in product(*(mains[factor] for factor in factors))
        if (values := np.prod([column for _, _, column in chosen], axis=0)).any()
    ]


def _mains(layout: Layout, factor: str) -> Iterator[tuple[str, str, Values]]:
    """Yield name, level and column of every level but the first: its indicator, centred.

    Levels that no arm has are no levels.
    """
    levels, place = layout.factors[factor], list(layout.factors).index(factor)
    told = [row[place] for row in layout.rows.values()]
    for level in (one for one in levels[1:] if one in told):
        name = factor if len(levels) == 2 else f"{factor}={level}"
        at_level = np.array([one == level for one in told], dtype="float64")
        yield name, level, at_level - 1 / len(set(told))


def _merged(mains: list[_Column], pairs: list[_Column]) -> list[_Column]:
    """Return the columns that differ; each bears the names of those that are it, or minus it.

    Main effects stay apart: two of them that are one are refused, not summed up.
    """
    kept = [replace(column, names=list(column.names)) for column in mains]
    for column in pairs:
        same = next(((one, r) for one in kept if (r := _alike(one, column))), None)
        if same is None:
            kept.append(replace(column, names=list(column.names)))
        else:
            sign = "" if same[1] > 0 else "-"
            same[0].names.append(sign + column.names[0])
    return kept


def _groups(sets: list[set[int]]) -> list[set[int]]:
    """Return the unions of those sets that share a member."""
    found: list[set[int]] = []
    for one in sets:
        joined = one.union(*(other for other in found if other & one))
        found = [other for other in found if not other & one] + [joined]
    return found


def meaning_of(
    one: int, columns: list[_Column], lost: Mapping[int, Mapping[int, float]], layout: Layout
) -> str:
    """Return what a kept column stands for: itself and its parts in those that were lost."""
    mine = columns[one - 1]
    parts = {
        other: parts[one] * 2.0 ** (len(columns[other - 1].factors) - len(mine.factors))
        for other, parts in lost.items()
        if one in parts
    }
    settings = [_setting(mine, columns[other - 1], part, layout) for other, part in parts.items()]
    if all(settings):
        return f"with {' and '.join(settings)}" if settings else ""
    told = [_times(part, " = ".join(columns[other - 1].names)) for other, part in parts.items()]
    return f"{' = '.join(mine.names)} {' '.join(told)}"


def _setting(mine: _Column, lost: _Column, part: float, layout: Layout) -> str:
    """Return at which level of the other factor a main effect is told, as `b off`; "" if at none.

    Of two levels, a main effect less the interaction is the effect at the first, and with it that
    at the second.
    """
    other = set(lost.factors) - set(mine.factors)
    two = all(len(layout.factors[name]) == 2 for name in lost.factors)
    alone = len(lost.names) == len(mine.names) == len(mine.factors) == 1
    if not (two and alone and len(other) == 1 and abs(abs(part) - 1) < SAME):
        return ""
    (name,) = other
    levels = layout.factors[name]
    told = levels[0] if part < 0 else levels[1]
    return f"{name} {told}" if list(levels) == ["off", "on"] else f"{name}={told}"


def _times(part: float, name: str) -> str:
    size = "" if abs(abs(part) - 1) < SAME else f"{abs(part):.3g} "
    shown = f"({name})" if " = " in name else name
    return f"{'-' if part < 0 else '+'} {size}{shown}"


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
    """Return least-squares contrasts of columns of which none is a sum of others."""
    rows = np.linalg.pinv(_matrix(columns, len(columns[0].values)))[1:]
    return [_term(column, row) for column, row in zip(columns, rows, strict=True)]


def _term(column: _Column, row: Values) -> Term:
    """Return the effect of a row of the pseudo-inverse.

    Halving it per further factor makes 2^k effects the usual.
    """
    order = len(column.factors)
    level = column.level if order == 1 else ""
    return Term(tuple(column.names), column.factors, level, row / 2 ** (order - 1))
