"""Failures of subsets, weighed as Shapley shares weigh their values.

Legend: J subsets that ran in a seed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from itertools import permutations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.failure_rows import Arms, Columns, ended_trials, failure_row
from ablate.analysis.layout import Layout
from ablate.analysis.metric import Values

MOST_FACTORS = 7  # 5040 orders, which is only needed where a subset is missing

Subset = frozenset[str]
Order = tuple[str, ...]
Planned = Mapping[int, Sequence[Sequence[str]]]


def share_failures(
    final: pd.DataFrame, layout: Layout, planned: Planned, subsets: Mapping[str, Subset]
) -> dict[str, dict[str, Any]]:
    """Return factor -> what failures say of it, as `failure_rows.failure_row` tells it.

    Args:
        final: As `final_values` gives it, of the arms of `layout`.
        layout: Of the design.
        planned: Orders by seed.
        subsets: Arm -> the factors that are on in it.
    """
    ended, names = layout.only(sorted(final["arm"].unique())), list(layout.factors)
    trials = ended_trials(final)

    @cache
    def of_all(arms: Arms, factor: str) -> Values:
        return weights([subsets[arm] for arm in arms], factor, names, None)

    def of(factor: str) -> Columns:
        return lambda arms, seed: (
            weights([subsets[arm] for arm in arms], factor, names, planned[seed])
            if seed in planned
            else of_all(arms, factor)
        )

    return {
        factor: failure_row(trials, ended, factor, levels[1], of(factor))
        for factor, levels in layout.factors.items()
    }


def weights(
    ran: Sequence[Subset],
    factor: str,
    factors: Sequence[str],
    planned: Sequence[Sequence[str]] | None,
) -> Values:
    """Return `[J]`: with what weight each subset enters the share of a factor in this seed.

    Args:
        ran: The subsets that ended, failed or not.
        factor: Of `factors`.
        factors: All k of them.
        planned: Orders of this seed; None is all there are.
    """
    if len(ran) == 2 ** len(factors):
        return np.array([_weight(subset, factor, len(factors)) for subset in ran])
    if planned is None and len(factors) > MOST_FACTORS:
        return np.zeros(len(ran))
    orders = list(permutations(factors)) if planned is None else [tuple(one) for one in planned]
    used = used_orders(orders, set(ran))
    found = dict.fromkeys(ran, 0.0)
    for order in used:
        place = order.index(factor)
        found[frozenset(order[: place + 1])] += 1 / len(used)
        found[frozenset(order[:place])] -= 1 / len(used)
    return np.array(list(found.values()))


def used_orders(orders: Sequence[Order], known: Collection[Subset]) -> list[Order]:
    """Return the orders all of whose subsets are known, and those of their reverse as well.

    Half of an antithetic pair would lean to one side.
    """
    planned = set(orders)
    whole = {
        order
        for order in orders
        if all(frozenset(order[:i]) in known for i in range(len(order) + 1))
    }
    return [o for o in orders if o in whole and (o[::-1] in whole or o[::-1] not in planned)]


def _weight(subset: Subset, factor: str, count: int) -> float:
    before = len(subset - {factor})
    size = factorial(before) * factorial(count - before - 1) / factorial(count)
    return size if factor in subset else -size
