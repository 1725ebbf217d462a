"""Welch's t over all seeds of two arms: what is left where no seed is shared.

It takes no arm's variance for another's. Pairing by seed is never given up for it in silence: it is
asked for, and every table names it. Source: Welch, 1947, "The generalization of Student's problem".
"""

from __future__ import annotations

import numpy as np

from ablate.analysis.metric import Metric, Values
from ablate.analysis.paired import FEWEST_PAIRS, ROUNDING, Paired
from ablate.analysis.student import student


def welch_t(values: Values, reference: Values, level: float = 0.95) -> Paired:
    """Return the answer for the mean of `values` less that of `reference`, `[N]` and `[M]`.

    `pairs` is the number of seeds of the arm that has fewer; under three there is no interval.
    `sd` is that of the difference of two single values.
    """
    n, m = len(values), len(reference)
    if not min(n, m):
        return Paired(0, variance="welch")
    rounding = ROUNDING * float(max(np.abs(values).max(), np.abs(reference).max()))
    mean = _settle(float(values.mean() - reference.mean()), rounding)
    if min(n, m) < 2:
        return Paired(min(n, m), mean, variance="welch")
    own, other = (float(one.var(ddof=1)) for one in (values, reference))
    sd = _settle(float(np.sqrt(own + other)), rounding)
    if min(n, m) < FEWEST_PAIRS or sd == 0:
        return Paired(min(n, m), mean, sd, variance="welch")
    squared = own / n + other / m
    df = squared**2 / ((own / n) ** 2 / (n - 1) + (other / m) ** 2 / (m - 1))
    error = float(np.sqrt(squared))
    answer = student(mean, error, df, level)
    return Paired(min(n, m), mean, sd, *answer, error, df, "welch")


def more_failures(values: Values, reference: Values) -> int:
    """Return failed seeds of an arm less those of the reference, NaN is failed, `[N]` and `[M]`.

    Arms that have not as many seeds are compared by their rates, in seeds of the smaller one.
    """
    if not min(len(values), len(reference)):
        return 0
    rates = np.isnan(values).mean() - np.isnan(reference).mean()
    return int(np.round(rates * min(len(values), len(reference))))


def worst_unpaired(values: Values, reference: Values, metric: Metric) -> float:
    """Return the difference of means when each failure counts as the worst value of the two."""
    done = np.concatenate([values, reference])
    done = done[np.isfinite(done)]
    if not (len(done) and len(values) and len(reference)):
        return float("nan")
    own, other = (
        metric.forward(np.where(np.isfinite(one), one, metric.worst(done)))
        for one in (values, reference)
    )
    rounding = ROUNDING * float(max(np.abs(own).max(), np.abs(other).max()))
    return _settle(float(own.mean() - other.mean()), rounding)


def _settle(value: float, rounding: float) -> float:
    return 0.0 if abs(value) <= rounding else value
