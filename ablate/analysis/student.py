"""Student's t from an estimate and its standard error: interval and test cannot disagree."""

from __future__ import annotations

from typing import NamedTuple

from scipy import special  # what `stats.t` calls, without its checks: 40 times faster


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
    half = float(special.stdtrit(df, 0.5 + level / 2)) * error
    t = estimate / error
    p = 2 * float(special.stdtr(df, -abs(t)))
    return Student(float(estimate - half), float(estimate + half), float(t), p)


def equivalence_p(estimate: float, error: float, df: float, limit: float) -> float:
    """Return the larger p of the two one-sided tests against -limit and limit.

    At most alpha exactly where the interval at level 1 - 2 alpha lies inside the limits.
    Source: Schuirmann, 1987, "A comparison of the two one-sided tests procedure ...".
    """
    above = special.stdtr(df, -(estimate + limit) / error)
    below = special.stdtr(df, (estimate - limit) / error)
    return float(max(above, below))
