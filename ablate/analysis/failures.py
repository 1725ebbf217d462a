"""Failures are their own answer, never a number filled into the quality."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

FEWEST_TRIALS = 10  # below, a bound on a rate of which nothing is seen is above 26 %


def bound(failed: int, trials: int, level: float = 0.95) -> float:
    """Return the exact one-sided bound where all trials ended alike; NaN elsewhere.

    None failed: the rate is under it, 1 - 0.05^(1/n). All failed: it is above it, 0.05^(1/n).
    """
    root = (1 - level) ** (1 / trials) if trials else float("nan")
    return {0: 1 - root, trials: root}.get(failed, float("nan"))


@lru_cache
def wilson(failed: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson interval of a failure rate."""
    low, high = proportion_confint(failed, trials, alpha=1 - level, method="wilson")
    # the root of the formula is off zero by rounding
    return (float(low) if failed else 0.0), (float(high) if failed < trials else 1.0)


def failures(final: pd.DataFrame) -> pd.DataFrame:
    """Return one row per failed trial: arm, seed, trial, status, reason, images_shown.

    Args:
        final: As `final_values` gives it; a `done` trial without a finite value is one of them.
    """
    failed = final[final["failed"]]
    reason = failed["reason"].mask(failed["status"] == "done", "its last value is not finite")
    columns = ["arm", "seed", "trial", "status", "reason", "images_shown"]
    return failed.assign(reason=reason)[columns].sort_values(["arm", "seed"], ignore_index=True)
