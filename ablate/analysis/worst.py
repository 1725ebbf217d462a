"""Failures at the worst value of the two arms: beside `exclude`, never instead of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ablate.analysis.metric import Metric, Values
from ablate.analysis.paired import paired_t


def fill_worst(values: Values, metric: Metric) -> Values:
    """Return `values` on the scale of the analysis, each NaN at the worst of those that are done.

    Nothing is left where nothing is done.
    """
    done = np.isfinite(values)
    if not done.any():
        return values[:0]
    return metric.forward(np.where(done, values, metric.worst(values[done])))


def worst_difference(arm: pd.Series, reference: pd.Series, metric: Metric) -> float:
    """Return the mean difference over shared seeds with failures at the worst value of the two.

    Args:
        arm: Seed -> value, NaN if failed.
        reference: The same of the reference.
        metric: Its scale and its worse direction.
    """
    both = pd.concat([arm, reference], axis=1, join="inner").to_numpy()
    filled = fill_worst(both, metric)
    return paired_t(filled[:, 0], filled[:, 1]).mean
