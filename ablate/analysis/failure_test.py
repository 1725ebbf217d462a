"""Does a trick break trials? Exact permutation of the failures within seeds, a family at 2 %.

A seed with three failures had three failures wherever they fell: the test asks whether they fell
where the trick is on. The guard covers tricks that break single seeds whole, whose failures are
one draw and not many. Sources: Tarone, 1990, "A modified Bonferroni method for discrete data";
Fagerland, Lydersen and Laake, 2013, "The McNemar test for binary matched-pairs data". Size and
power: measured, see `benchmarks.coverage`.

Legend: J arms, n seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import comb, erfc, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.analysis.adjust import holm
from ablate.analysis.metric import Values

FAMILY = 0.02  # beside 5 % of the metric: a false word of either kind in 5.4 % of studies at most
FEWEST_SEEDS = 3
MOST = 200_000  # outcomes that are enumerated
DRAWS = 19_999
TIE = 1e-9  # sums this close are one number, added in another order
DIGITS = 10

NAN = float("nan")


class Stratum(NamedTuple):
    """One seed.

    Attributes:
        column: `[J]` over the arms that ran: what each arm says of the trick.
        failed: `[J]`, which of them failed.
    """

    column: Values
    failed: npt.NDArray[np.bool_]


class FailureTest(NamedTuple):
    """What the failures say of one trick.

    Attributes:
        p: The exact one, guarded: decides.
        exact: Two-sided.
        mid: Its mid-p: a brake on praise, never a verdict.
        smallest: The smallest p that so many failures allow.
        excess: Failures with the trick beyond what chance puts there; its sign alone is used.
    """

    p: float
    exact: float
    mid: float
    smallest: float
    excess: float


class _Sums(NamedTuple):
    values: Values
    chances: Values


UNTOLD = FailureTest(NAN, NAN, NAN, NAN, 0.0)


def permutation_test(strata: Sequence[Stratum], draws: int = 0) -> FailureTest:
    """Return the test of failures that fall at random within each seed.

    Exact where the sums that can come out are few, as in every balanced design; else by random
    permutations.

    Args:
        strata: The seeds.
        draws: Seeds the generator of the permutations.
    """
    excess = sum(float(one.column @ one.failed - _expected(one)) for one in strata)
    sums = _exact(strata)
    if sums is None:
        p, mid, smallest = _drawn(strata, abs(excess), draws)
    else:
        p, mid, smallest = _tails(sums, abs(excess))
    excess = excess if abs(excess) > TIE else 0.0
    return FailureTest(max(p, _guard(strata)), p, mid, smallest, excess)


def mcnemar_test(only_arm: int, only_other: int) -> FailureTest:
    """Return McNemar's exact test of the seeds in which one of two arms failed.

    Without such seeds p is 1. Mid-p is exact p less the chance of what was seen.
    """
    both = only_arm + only_other
    tail = sum(comb(both, k) for k in range(min(only_arm, only_other) + 1)) / 2**both
    seen = comb(both, only_arm) / 2**both
    # halves of an even split are counted twice
    p, mid = min(1.0, 2 * tail), min(1.0, 2 * tail - seen)
    return FailureTest(p, p, mid, min(1.0, 2 * 0.5**both), float(only_arm - only_other))


def tarone_holm(p: pd.Series, smallest: pd.Series, level: float = FAMILY) -> pd.Series:
    """Return p adjusted by Holm over the tests that can reach the level at all; NaN of the others.

    Args:
        p: NaN where there is no test.
        smallest: The smallest p that each could have given.
        level: Of the family.
    """
    least, tests = smallest.to_numpy(), int(p.notna().sum())
    count = next((k for k in range(1, tests + 1) if (least <= level / k).sum() <= k), 1)
    return holm(p.where(least <= level / count))


def _expected(one: Stratum) -> float:
    return float(one.column.mean()) * int(one.failed.sum())


def _tails(sums: _Sums, excess: float) -> tuple[float, float, float]:
    distance = np.abs(sums.values)
    p = float(sums.chances[distance >= excess - TIE].sum())
    same = float(sums.chances[np.abs(distance - excess) <= TIE].sum())
    smallest = float(sums.chances[distance >= distance.max() - TIE].sum())
    return min(1.0, p), min(1.0, p - same / 2), min(1.0, smallest)


def _exact(strata: Sequence[Stratum]) -> _Sums | None:
    """Return the sums less their expectation, over all seeds; None where they are too many."""
    whole = _Sums(np.zeros(1), np.ones(1))
    for stratum in strata:
        one = _of_seed(stratum)
        if one is None or len(one.values) * len(whole.values) > MOST:
            return None
        values = np.add.outer(whole.values, one.values - _expected(stratum)).ravel()
        whole = _merged(values, np.multiply.outer(whole.chances, one.chances).ravel())
    return whole


def _of_seed(stratum: Stratum) -> _Sums | None:
    """Return the sums of one seed: arms that say the same are drawn as hypergeometric groups."""
    _, at, sizes = np.unique(stratum.column.round(DIGITS), return_index=True, return_counts=True)
    values = map(float, stratum.column[at])
    return _of_groups(tuple(values), tuple(map(int, sizes)), int(stratum.failed.sum()))


@lru_cache(4096)
def _of_groups(values: tuple[float, ...], sizes: tuple[int, ...], drawn: int) -> _Sums | None:
    if _ways(sizes, drawn) > MOST:
        return None
    taken, sums, ways = np.zeros(1, int), np.zeros(1), np.ones(1)
    left = sum(sizes)
    for value, size in zip(values, sizes, strict=True):
        left -= size
        some = np.arange(size + 1)
        taken = np.add.outer(taken, some).ravel()
        sums = np.add.outer(sums, some * value).ravel()
        ways = np.multiply.outer(ways, np.array([comb(size, k) for k in some], float)).ravel()
        able = (taken <= drawn) & (taken + left >= drawn)
        taken, sums, ways = taken[able], sums[able], ways[able]
    return _merged(sums, ways / ways.sum())


def _ways(sizes: Sequence[int], drawn: int) -> int:
    """Return in how many ways `drawn` are split over groups of these sizes."""
    ways = np.ones(1)
    for size in sizes:
        ways = np.convolve(ways, np.ones(size + 1))
    return int(ways[drawn])


def _merged(values: Values, chances: Values) -> _Sums:
    _, at, place = np.unique(values.round(DIGITS), return_index=True, return_inverse=True)
    return _Sums(values[at], np.bincount(place.ravel(), chances).astype(np.float64))


def _drawn(strata: Sequence[Stratum], excess: float, draws: int) -> tuple[float, float, float]:
    """Return p, mid-p and the smallest p from random permutations."""
    rng = np.random.default_rng(draws)
    sums, low, high = np.zeros(DRAWS), 0.0, 0.0
    for one in strata:
        count = int(one.failed.sum())
        chosen = rng.permuted(np.tile(one.column, (DRAWS, 1)), axis=1)[:, :count]
        sums += chosen.sum(1) - _expected(one)
        ordered = np.sort(one.column)
        low += float(ordered[:count].sum()) - _expected(one)
        high += float(ordered[::-1][:count].sum()) - _expected(one)
    distance = np.abs(sums)
    p = (1 + int((distance >= excess - TIE).sum())) / (DRAWS + 1)
    same = (1 + int((np.abs(distance - excess) <= TIE).sum())) / (DRAWS + 1)
    farthest = max(abs(low), abs(high))
    return p, p - same / 2, (1 + int((distance >= farthest - TIE).sum())) / (DRAWS + 1)


def _guard(strata: Sequence[Stratum]) -> float:
    """Return p by the spread over seeds where it is larger than failures at random have, else 0."""
    if len(strata) < 2:
        return 0.0
    own = np.array([float(one.column @ one.failed - _expected(one)) for one in strata])
    spread = len(own) * float(own.var(ddof=1))
    if spread <= sum(map(_variance, strata)) + TIE:
        return 0.0
    return erfc(abs(float(own.sum())) / sqrt(2 * spread))


def _variance(one: Stratum) -> float:
    arms, failed = len(one.column), int(one.failed.sum())
    squares = float(((one.column - one.column.mean()) ** 2).sum())
    return failed * (arms - failed) / (arms * (arms - 1)) * squares
