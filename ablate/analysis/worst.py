"""Failures at the worst value of the two arms: beside `exclude`, never instead of it."""

from __future__ import annotations

import numpy as np

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


def worst_difference(both: Values, metric: Metric) -> float:
    """Return the mean difference of `[N, 2]`, arm and reference, failures at the worst of them."""
    filled = fill_worst(both, metric)
    return paired_t(filled[:, 0], filled[:, 1]).mean
