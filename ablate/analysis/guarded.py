"""A variance pooled over arms, and never smaller than an arm's own: `variance: guarded`.

Chosen in the plan, before training. Pooling gives power to few seeds; an arm that is noisier than
the others would be flattered by it, so its own variance guards it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from ablate.analysis.blocks import fit_blocks
from ablate.analysis.paired import Paired
from ablate.analysis.student import student

FEWEST_ARMS = 4  # the reference is one of them
FEWEST_SEEDS = 5


def guarded(
    paired: Mapping[str, Paired], references: Mapping[str, str], values: pd.DataFrame
) -> dict[str, Paired]:
    """Return `paired` with the guarded variance where 4 arms have 5 pairs, else as it is.

    The variance of a difference is max(2 MSE, mean of s_j^2, s_j^2), MSE that of arms and seeds as
    a two-way table; its degrees of freedom are the table's, (J - 1)(n - 1) without failures.

    Args:
        paired: Arm -> its differences from its reference.
        references: Arm -> what it is compared with.
        values: Index seed, columns arms, on the scale of the analysis.
    """
    able = {arm: one for arm, one in paired.items() if one.pairs >= FEWEST_SEEDS and one.sd > 0}
    arms = sorted({*able, *(references[arm] for arm in able)})
    if len(arms) < FEWEST_ARMS or (table := fit_blocks(values[arms])) is None:
        return dict(paired)
    pooled = max(2 * table.mse, float(np.mean([one.sd**2 for one in able.values()])))
    found = dict(paired)
    for arm, one in able.items():
        error = float(np.sqrt(max(pooled, one.sd**2) / one.pairs))
        low, high, t, p = student(one.mean, error, table.df)
        found[arm] = replace(
            one, low=low, high=high, t=t, p=p, error=error, df=table.df, variance="guarded"
        )
    return found
