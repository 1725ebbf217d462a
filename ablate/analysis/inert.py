"""Factors that changed nothing: their arms are copies of others, number by number.

Copies are no replicates. Left in, they halve the pooled variance of every other effect, double its
degrees of freedom, and pull Lenth's margin to zero.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ablate.analysis.layout import Layout
from ablate.analysis.paired import ROUNDING
from ablate.analysis.terms import Term


def without_inert(values: pd.DataFrame, layout: Layout) -> Layout:
    """Return the layout without the factors that changed nothing, at whose first level arms stay.

    Args:
        values: Index seed, columns arms; NaN where there is none.
        layout: Of these arms.
    """
    for factor in layout.factors:
        if len(layout.factors) > 1 and _is_inert(factor, values, layout):
            levels = layout.levels[layout.at_first()[factor]].drop(columns=factor)
            kept = {name: told for name, told in layout.factors.items() if name != factor}
            return without_inert(values[levels.index], replace(layout, factors=kept, levels=levels))
    return layout


def _is_inert(factor: str, values: pd.DataFrame, layout: Layout) -> bool:
    """Whether every arm is, in every seed, the arm with the factor at its first level."""
    place, first = list(layout.factors).index(factor), layout.factors[factor][0]
    rows = list(layout.rows.values())
    at = {row: column for column, row in enumerate(rows)}
    pairs = [
        (column, at.get((*row[:place], first, *row[place + 1 :]), -1))
        for column, row in enumerate(rows)
        if row[place] != first
    ]
    if not pairs or min(twin for _, twin in pairs) < 0:
        return False
    own, theirs = (values.to_numpy()[:, list(some)] for some in zip(*pairs, strict=True))
    return np.allclose(own, theirs, rtol=ROUNDING, atol=0, equal_nan=True)


def touches(term: Term, factors: set[str]) -> bool:
    """Whether every name of a term has one of `factors`."""
    named = [
        {part.partition("=")[0] for part in name.lstrip("-").split(":")} for name in term.names
    ]
    return all(one & factors for one in named)
