"""p adjusted for all comparisons of a table that have one; NaN stays NaN."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from ablate.analysis.metric import Values


def holm(p: pd.Series) -> pd.Series:
    """Return p adjusted by Holm, 1979: the chance of one false verdict or more is kept.

    Written out, as statsmodels collects the whole process's garbage at every call.
    """
    tested = p.dropna()
    order = np.argsort(tested.to_numpy(), kind="stable")
    stepped = tested.to_numpy()[order] * np.arange(len(tested), 0, -1)
    adjusted = np.empty(len(tested))
    adjusted[order] = np.maximum.accumulate(stepped).clip(max=1.0)
    return _like(p, tested, adjusted)


def benjamini_hochberg(p: pd.Series) -> pd.Series:
    """Return p adjusted by Benjamini and Hochberg, 1995: the share of false finds is kept."""
    tested = p.dropna()
    if tested.empty:
        return p
    return _like(p, tested, stats.false_discovery_control(tested.to_numpy(), method="bh"))


def _like(p: pd.Series, tested: pd.Series, adjusted: Values) -> pd.Series:
    return pd.Series(adjusted, index=tested.index, dtype="float64").reindex(p.index)
