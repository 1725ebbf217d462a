"""What a study could have seen, and how many seeds it would take. Noncentral t, two-sided."""

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
    return float(optimize.brentq(lambda d: power(seeds, d, alpha) - wanted, 1e-6, 40.0))


def smallest_detectable(sd: float, seeds: int, metric: Metric) -> float:
    """Return the smallest improvement found with 80 % power: a ratio, or a difference.

    Args:
        sd: Of the paired differences on the scale of the analysis.
        seeds: Complete pairs; under 3 the answer is NaN.
        metric: Its scale and its better direction.
    """
    if seeds < FEWEST_PAIRS or not sd > 0:
        return float("nan")
    change = smallest_effect(seeds) * sd
    return metric.back(change if metric.higher_is_better else -change)


def seeds_needed(sd: float, change: float, alpha: float = 0.05, wanted: float = 0.8) -> float:
    """Return the fewest seeds, 3 or more, that find `change` with power `wanted`; NaN if unknown.

    Args:
        sd: Of the paired differences on the scale of the analysis.
        change: Declared in advance on the same scale; the effect that was observed would make the
            answer a noisy copy of p.
        alpha: Two-sided level.
        wanted: Power.
    """
    if not (sd > 0 and change > 0):
        return float("nan")
    effect = change / sd
    # Normal approximation with Guenther's correction, within one of the exact answer: walk from
    # one below it.
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
