"""p adjusted for all comparisons of a table that have one."""

from __future__ import annotations

import pandas as pd
from statsmodels.stats.multitest import multipletests


def holm(p: pd.Series) -> pd.Series:
    """Return p adjusted by Holm, 1979: the family-wise error is kept; NaN stays NaN."""
    return _adjusted(p, "holm")


def benjamini_hochberg(p: pd.Series) -> pd.Series:
    """Return p adjusted by Benjamini and Hochberg, 1995: the share of false finds is kept."""
    return _adjusted(p, "fdr_bh")


def _adjusted(p: pd.Series, method: str) -> pd.Series:
    tested = p.dropna()
    if tested.empty:
        return p
    adjusted = multipletests(tested.to_numpy(), method=method)[1]
    return pd.Series(adjusted, index=tested.index).reindex(p.index)
