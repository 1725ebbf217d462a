"""Student's t over complete seed pairs: interval and test are the same t and cannot disagree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ablate.analysis.metric import Values
from ablate.analysis.student import student

FEWEST_PAIRS = 3  # with two, the 95 % interval is 12.7 standard errors wide on either side
ROUNDING = 1e-12  # relative; below it two sums are the same number added in another order

NAN = float("nan")


@dataclass(frozen=True)
class Paired:
    """Paired differences on the scale of the analysis; NaN where they allow no answer.

    Attributes:
        pairs: Seeds in which both arms are done.
        mean: Of the differences.
        sd: Of the differences over seeds, n - 1.
        low: Lower end of the interval.
        high: Upper end of the interval.
        t: Student's t with `df` degrees of freedom.
        p: Two-sided, of this comparison alone.
        error: Standard error of the mean.
        df: n - 1, or more where the variance is pooled; Welch's where nothing is paired.
        variance: "own", "guarded" where `guarded` has taken the larger one, or "welch": unpaired.
    """

    pairs: int
    mean: float = NAN
    sd: float = NAN
    low: float = NAN
    high: float = NAN
    t: float = NAN
    p: float = NAN
    error: float = NAN
    df: float = NAN
    variance: str = "own"


def paired_t(values: Values, reference: Values, level: float = 0.95) -> Paired:
    """Return the answer for `values[i] - reference[i]`, `[N]` each, pairs complete.

    Under three pairs there is a mean and no interval. If all differences are the same number but
    for rounding, `sd` is exactly 0 and there is no test.
    """
    n = len(values)
    if n == 0:
        return Paired(0)
    size = max(np.abs(values).max(), np.abs(reference).max())
    return one_sample_t(values - reference, float(size), level)


def one_sample_t(differences: Values, size: float, level: float = 0.95) -> Paired:
    """Return the answer for differences over seeds, `[N]` with N > 0.

    Args:
        differences: On the scale of the analysis.
        size: Largest of the numbers that they are differences of: what rounding is relative to.
        level: Of the interval.
    """
    n, rounding = len(differences), ROUNDING * size
    mean = _settle(float(differences.mean()), rounding)
    if n < 2:
        return Paired(n, mean)
    sd = _settle(float(differences.std(ddof=1)), rounding)
    if n < FEWEST_PAIRS or sd == 0:
        return Paired(n, mean, sd)
    error = sd / float(np.sqrt(n))
    return Paired(n, mean, sd, *student(mean, error, n - 1, level), error, float(n - 1))


def _settle(value: float, rounding: float) -> float:
    return 0.0 if abs(value) <= rounding else value
