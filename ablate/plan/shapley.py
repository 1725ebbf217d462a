"""The Shapley design: what a trick adds, averaged over all orders in which tricks can join.

Permutations are drawn afresh for every training seed, each with its reverse. One set for all seeds
would keep its sampling error for ever: more seeds would make the interval less true.
"""

from __future__ import annotations

from collections.abc import Sequence

from ablate.errors import UserError
from ablate.plan.design import (
    MOST_ARMS,
    Arm,
    Factors,
    arm_at,
    base_of,
    full_factorial,
    number,
    refuse_many,
    two_levels,
    whole,
)

Orders = dict[int, list[list[str]]]  # training seed -> permutations of the factors


def shapley(
    factors: Factors, seeds: Sequence[int], permutations: int | None = None, draw: int = 0
) -> list[Arm]:
    """Return all subsets, or those that the permutations of each seed pass through.

    A subset that several permutations of a seed share is one arm, trained once under that seed.

    Raises:
        UserError: A factor has more than two levels, or the count of permutations is odd.
    """
    two_levels(factors, "shapley")
    orders = orders_of(factors, seeds, permutations, draw)
    if not orders:
        refuse_many("shapley", factors, "shapley study.permutations=8")
        return full_factorial(factors)
    met: dict[tuple[str, ...], dict[int, None]] = {}  # subset -> its seeds, in order
    for seed, permuted in orders.items():
        for order in permuted:
            for size in range(len(order) + 1):
                subset = tuple(f for f in factors if f in order[:size])
                met.setdefault(subset, {})[seed] = None
    arms = []
    for subset, found in sorted(met.items(), key=lambda item: (len(item[0]), item[0])):
        levels = base_of(factors) | {f: factors[f][1] for f in subset}
        everywhere = len(found) == len(seeds)
        arms.append(arm_at(factors, levels)._replace(seeds=None if everywhere else tuple(found)))
    return arms


def orders_of(
    factors: Factors, seeds: Sequence[int], permutations: int | None = None, draw: int = 0
) -> Orders:
    """Return the permutations of every seed; nothing where all subsets are trained anyway.

    Raises:
        UserError: The count is odd: every permutation comes with its reverse.
    """
    if permutations is None:
        return {}
    whole("permutations", permutations, 2, MOST_ARMS)
    if permutations % 2:
        raise UserError(
            f"study.permutations={permutations} is odd, and every permutation comes with its "
            f"reverse; type study.permutations={permutations + 1}."
        )
    if 2 ** len(factors) <= permutations * (len(factors) - 1) + 2:
        return {}
    return {seed: antithetic(factors, permutations // 2, (draw, seed)) for seed in seeds}


def antithetic(factors: Factors, n: int, drawn_by: tuple[int, int]) -> list[list[str]]:
    """Return n permutations, each followed by its reverse."""
    orders = []
    for i in range(n):
        order = sorted(factors, key=lambda factor: number(*drawn_by, i, factor))
        orders += [order, order[::-1]]
    return orders
