"""Student's t from an estimate and its standard error: interval and test cannot disagree."""

from __future__ import annotations

from typing import NamedTuple

from scipy import stats


class Student(NamedTuple):
    """Interval and test.

    Attributes:
        low: Lower end of the interval.
        high: Upper end.
        t: Estimate over its standard error.
        p: Two-sided, of this estimate alone.
    """

    low: float
    high: float
    t: float
    p: float


def student(estimate: float, error: float, df: float, level: float = 0.95) -> Student:
    """Return interval and test of `estimate` with standard error `error` > 0."""
    half = float(stats.t.ppf(0.5 + level / 2, df)) * error
    t = estimate / error
    p = 2 * float(stats.t.sf(abs(t), df))
    return Student(float(estimate - half), float(estimate + half), float(t), p)


def equivalence_p(estimate: float, error: float, df: float, limit: float) -> float:
    """Return the larger p of the two one-sided tests against -limit and limit.

    At most alpha exactly where the interval at level 1 - 2 alpha lies inside the limits.
    Source: Schuirmann, 1987, "A comparison of the two one-sided tests procedure ...".
    """
    above = stats.t.sf((estimate + limit) / error, df)
    below = stats.t.cdf((estimate - limit) / error, df)
    return float(max(above, below))
