"""Exact sign-flip tests: what p would be if nothing but the sign of each seed were random."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ablate.analysis.metric import Values

FEWEST_SEEDS = 6  # below, the smallest p there is, 2 / 2^n, is above 5 %
MOST_SEEDS = 20  # half a million sign patterns
TOLERANCE = 1e-12  # equal sums, added in another order, must count as equal


def signflip(differences: Values) -> Values:
    """Return p of each column, adjusted for all of them by step-down max-t, `[A]`.

    One sign a seed is shared by all arms, so whatever ties the arms together is kept. All 2^N
    patterns are taken; under one column this is the exact sign-flip test of its mean.

    Args:
        differences: `[N, A]` on the scale of the analysis, NaN where a seed has no pair; every
            column has some that is not 0.

    Source: Westfall and Young, 1993, "Resampling-based multiple testing", algorithm 4.1; the
    statistic is Student's t of the pairs that an arm has.
    """
    seeds, arms = differences.shape
    present = np.isfinite(differences)
    pairs = present.sum(0)
    filled = np.where(present, differences, 0.0)
    squares = pairs * (filled**2).sum(0)
    observed = _t_squared(filled.sum(0), squares, pairs)
    order = np.argsort(observed)  # smallest first, so that a running maximum is over the rest
    reached = np.zeros(arms)
    count = 0
    for signs in _patterns(seeds):
        flipped = _t_squared(signs @ filled, squares, pairs)[:, order]
        largest = np.maximum.accumulate(flipped, axis=1)
        reached += (largest >= observed[order] * (1 - TOLERANCE)).sum(0)
        count += len(signs)
    p = np.empty(arms)
    p[order] = np.maximum.accumulate((reached / count)[::-1])[::-1]
    return p


def _t_squared(sums: Values, squares: Values, pairs: Values) -> Values:
    """Return t^2 up to what flipping leaves as it is: r / (1 - r), and (n - 1) in front."""
    share = sums**2 / squares
    return (pairs - 1).clip(1) * share / np.maximum(1 - share, TOLERANCE)


def _patterns(seeds: int, block: int = 12) -> Iterator[Values]:
    """Yield blocks of sign patterns `[F, N]`; the first sign is +, as t^2 knows no direction."""
    free = seeds - 1
    low = min(free, block)
    fast = _signs(low)
    for number in range(2 ** (free - low)):
        slow = 1.0 - 2.0 * ((number >> np.arange(free - low)) & 1)
        yield np.hstack([np.ones((len(fast), 1)), fast, np.tile(slow, (len(fast), 1))])


def _signs(count: int) -> Values:
    """Return all patterns of `count` signs, `[2^count, count]`."""
    bits = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
    return 1.0 - 2.0 * bits.astype("float64")
