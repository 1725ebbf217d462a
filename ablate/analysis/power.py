"""What a study could have seen, and how many seeds it would take. Noncentral t, two-sided.

Under Holm the first of m verdicts must pass alpha / m: power at that level is exact where one arm
alone differs, and more is found where several do. Planned looks share alpha likewise.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import optimize, special, stats

from ablate.analysis.metric import Metric
from ablate.analysis.paired import FEWEST_PAIRS

MOST_SEEDS = 100_000
NEAR = 6.0  # from here the wrong tail is below 1e-9, and scipy's is NaN before long
FAR = 30.0  # from here scipy's noncentral t is NaN or close to it, and the normal part is constant


def power(seeds: int, effect: float, alpha: float = 0.05) -> float:
    """Return the probability that a paired t over `seeds` finds `effect` standard deviations."""
    df, shift = seeds - 1, effect * np.sqrt(seeds)
    limit = float(special.stdtrit(df, 1 - alpha / 2))
    if shift > FAR:
        return float(stats.chi2.cdf(df * (shift / limit) ** 2, df))
    wrong_side = stats.nct.cdf(-limit, df, shift) if shift < NEAR else 0.0
    return float(stats.nct.sf(limit, df, shift) + wrong_side)


@lru_cache
def smallest_effect(seeds: int, alpha: float = 0.05, wanted: float = 0.8) -> float:
    """Return the effect, in standard deviations of the differences, found with power `wanted`."""
    limit = float(special.stdtrit(seeds - 1, 1 - alpha / 2))
    most = (10 + 3 * limit) / np.sqrt(seeds)  # found with power above 0.999
    return float(optimize.brentq(lambda d: power(seeds, d, alpha) - wanted, 1e-6, most))


def smallest_detectable(sd: float, seeds: int, metric: Metric, alpha: float = 0.05) -> float:
    """Return the smallest improvement found with 80 % power: a ratio, or a difference.

    Args:
        sd: Of the paired differences on the scale of the analysis.
        seeds: Complete pairs; under 3 the answer is NaN.
        metric: Its scale and its better direction.
        alpha: Two-sided level of the verdict, its share of Holm's.
    """
    if seeds < FEWEST_PAIRS or not sd > 0:
        return float("nan")
    change = smallest_effect(seeds, alpha) * sd
    return metric.back(change if metric.higher_is_better else -change)


def seeds_needed(sd: float, change: float, alpha: float = 0.05, wanted: float = 0.8) -> float:
    """Return the fewest seeds, 3 or more, that find `change` with power `wanted`; NaN if unknown.

    Args:
        sd: Of the paired differences on the scale of the analysis.
        change: Declared in advance on the same scale; the effect that was observed would make the
            answer a noisy copy of p.
        alpha: Two-sided level of the verdict, its share of Holm's.
        wanted: Power.
    """
    if not (sd > 0 and change > 0):
        return float("nan")
    effect = change / sd
    # Normal approximation with Guenther's correction at 5 %, less one: never above the exact
    # answer, so walk up from it.
    start = (special.ndtri(1 - alpha / 2) + special.ndtri(wanted)) ** 2 / effect**2
    if start > MOST_SEEDS:
        return float("inf")
    seeds = max(FEWEST_PAIRS, int(start + 1.92))
    while power(seeds, effect, alpha) < wanted:
        seeds += 1
    return float(seeds)


def sd_upper_limit(sd: float, seeds: int) -> float:
    """Return the 80 % upper limit of an SD estimated from `seeds`: a pilot is a weak witness."""
    return sd * float(np.sqrt((seeds - 1) / (2 * special.gammaincinv((seeds - 1) / 2, 0.2))))
