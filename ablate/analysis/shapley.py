"""What share of the way from nothing to everything each trick has, over all orders of adding it.

Source: Shapley, 1953, "A value for n-person games"; permutations in antithetic pairs: Mitchell,
Cooper, Frank and Holmes, 2022, "Sampling permutations for Shapley value estimation".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from math import factorial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ablate.analysis.adjust import holm
from ablate.analysis.columns import SHARES
from ablate.analysis.dead import dead_arms
from ablate.analysis.decisions import Decisions
from ablate.analysis.failure_rows import adjusted
from ablate.analysis.findings import conclude
from ablate.analysis.layout import Layout, layout_of
from ablate.analysis.metric import Metric, Values
from ablate.analysis.paired import Paired, one_sample_t
from ablate.analysis.share_failures import MOST_FACTORS, Subset, share_failures, used_orders
from ablate.analysis.tuning import refuse_tuning_seeds
from ablate.analysis.worst import fill_worst
from ablate.errors import UserError
from ablate.store.schema import conform, names


class SeedShares(NamedTuple):
    """Shares of one seed, `[k]`, and of how many orders they are the mean; 0: there are none."""

    shares: Values
    orders: int


def shapley(
    final: pd.DataFrame, study: Mapping[str, Any], metric: Metric, decisions: Decisions
) -> pd.DataFrame:
    """Return one row per factor, columns `columns.SHARES`: Student's t over seeds.

    Exact in a seed where all subsets are done; else the mean over those of the plan's orders for
    that seed (without any, of all orders) that are complete together with their reverse. Either
    way a seed's shares add up to the value of everything less the value of nothing.

    Args:
        final: As `final_values` gives it.
        study: What `study.json` holds; factors, levels of arms, permutations by seed.
        metric: Its scale and its better direction.
        decisions: What the plan decided.

    Raises:
        UserError: A factor has more than two levels, or the study was tuned on a seed that it is
            scored on.
    """
    refuse_tuning_seeds(final, decisions)
    layout = layout_of(study)
    _refuse_levels(layout)
    final = final[final["arm"].isin(layout.levels.index)]
    planned = {int(seed): orders for seed, orders in (study.get("permutations") or {}).items()}
    subsets = _subsets(layout)
    by_seed = {
        seed: of_seed(_worth(one, subsets, metric), list(layout.factors), planned.get(seed))
        for seed, one in ((int(str(seed)), one) for seed, one in final.groupby("seed"))
    }
    kept = {seed: one for seed, one in by_seed.items() if one.orders}
    failed = share_failures(final, layout, planned, subsets)
    worst = _worst_shares(final, layout, metric, planned, subsets)
    rows = [
        _row(factor, i, kept, metric)
        | failed[factor]
        | {"worst_effect": metric.back(float(worst[i]))}
        for i, factor in enumerate(layout.factors)
    ]
    table = pd.DataFrame(rows).assign(
        scheme="exact" if _is_exact(kept, len(layout.factors)) else "permutations",
        permutations=min((one.orders for one in kept.values()), default=0),
        seeds_left_out=len(by_seed) - len(kept),
    )
    repeated = _repeated({seed: planned[seed] for seed in kept if seed in planned})
    if repeated:
        unknown = ["low", "high", "effect_error", "df", "t", "p"]
        table[unknown] = float("nan")
    table["p_holm"] = holm(table["p"])
    table["p_failures_holm"] = adjusted(table, decisions)
    table = conclude(table, final, metric, decisions)
    if repeated:
        told = "the same orders in every seed: their sampling error never averages out"
        table = table.assign(verdict="no interval", reason=told)
    return conform(_whole_dead(table, final, subsets)[names(SHARES)], SHARES)


def _whole_dead(
    table: pd.DataFrame, final: pd.DataFrame, subsets: Mapping[str, Subset]
) -> pd.DataFrame:
    """Return `table` with what keeps shares from being: too few seeds is not it."""
    dead = dead_arms(final)
    ends = {len(subsets[arm]): arm for arm in subsets if arm in dead}
    told = {0: "nothing on", len(table): "everything on"}
    why = next((f"{text} fails in all of its seeds" for n, text in told.items() if n in ends), "")
    if why:
        stuck = table["verdict"].str.startswith("too few")
        table.loc[stuck, "reason"] = f"{why}, and a share is of the way between the two"
        table.loc[stuck, "verdict"] = "no interval"
    return table


def _worst_shares(
    final: pd.DataFrame,
    layout: Layout,
    metric: Metric,
    planned: Mapping[int, Sequence[Sequence[str]]],
    subsets: Mapping[str, Subset],
) -> Values:
    """Return the mean shares, `[k]`, with each failure at the worst value of all."""
    filled = fill_worst(final["value"].to_numpy(), metric)
    if not len(filled):
        return np.full(len(layout.factors), np.nan)
    filled_in = final.assign(filled=filled)
    found = []
    for seed, one in filled_in.groupby("seed"):
        worth = {subsets[arm]: float(value) for arm, value in zip(one["arm"], one["filled"],
                                                                  strict=True)}  # fmt: skip
        shares = of_seed(worth, list(layout.factors), planned.get(int(str(seed))))
        if shares.orders:
            found.append(shares.shares)
    return np.mean(found, axis=0) if found else np.full(len(layout.factors), np.nan)


def of_seed(
    worth: Mapping[Subset, float], factors: Sequence[str], planned: Sequence[Sequence[str]] | None
) -> SeedShares:
    """Return the shares of one seed, `[k]` in the order of `factors`.

    Args:
        worth: Subset -> value on the scale of the analysis; subsets that failed or did not run
            are absent.
        factors: All k of them.
        planned: Orders of this seed; None is all there are.
    """
    if len(worth) == 2 ** len(factors):
        return SeedShares(_exact(worth, factors), factorial(len(factors)))
    if planned is None and len(factors) > MOST_FACTORS:
        return SeedShares(np.full(len(factors), np.nan), 0)
    orders = list(permutations(factors)) if planned is None else [tuple(one) for one in planned]
    used = used_orders(orders, worth)
    shares = np.zeros(len(factors))
    for order in used:
        values = [worth[frozenset(order[:i])] for i in range(len(order) + 1)]
        shares[[factors.index(factor) for factor in order]] += np.diff(values)
    return SeedShares(shares / len(used) if used else shares * np.nan, len(used))


def _exact(worth: Mapping[Subset, float], factors: Sequence[str]) -> Values:
    """Return the mean over all orders, by the number of orders in which each step is taken."""
    k = len(factors)
    shares = np.zeros(k)
    for subset, value in worth.items():
        size = len(subset)
        for i, factor in enumerate(factors):
            if factor not in subset:
                weight = factorial(size) * factorial(k - size - 1) / factorial(k)
                shares[i] += weight * (worth[subset | {factor}] - value)
    return shares


def _is_exact(kept: Mapping[int, SeedShares], factors: int) -> bool:
    return all(one.orders == factorial(factors) for one in kept.values())


def _subsets(layout: Layout) -> dict[str, Subset]:
    """Return arm -> the factors that are on in it."""
    active = ~layout.at_first()
    return {str(arm): frozenset(active.columns[row]) for arm, row in active.iterrows()}


def _worth(one: pd.DataFrame, subsets: Mapping[str, Subset], metric: Metric) -> dict[Subset, float]:
    """Return subset -> value of the done trials of one seed."""
    done = one[~one["failed"]]
    values = metric.forward(done["value"].to_numpy())
    return {subsets[arm]: float(value) for arm, value in zip(done["arm"], values, strict=True)}


def _repeated(planned: Mapping[int, Sequence[Sequence[str]]]) -> bool:
    """Return whether all of several seeds have the same orders, and not all orders there are."""
    sets = {frozenset(tuple(order) for order in orders) for orders in planned.values()}
    if len(planned) < 2 or len(sets) > 1:
        return False
    orders = next(iter(sets))
    return len(orders) < factorial(len(next(iter(orders))))


def _row(factor: str, place: int, kept: Mapping[int, SeedShares], metric: Metric) -> dict[str, Any]:
    shares = np.array([one.shares[place] for one in kept.values()])
    size = float(np.abs(shares).max(initial=0.0))
    one = one_sample_t(shares, size) if len(shares) else Paired(0)
    return {
        "factor": factor,
        "metric": metric.name,
        "scale": metric.scale,
        "higher_is_better": int(metric.higher_is_better),
        "seeds": one.pairs,
        "effect": metric.back(one.mean),
        "low": metric.back(one.low),
        "high": metric.back(one.high),
        "effect_mean": one.mean,
        "effect_error": one.error,
        "df": one.df,
        "t": one.t,
        "p": one.p,
    }


def _refuse_levels(layout: Layout) -> None:
    for name, levels in layout.factors.items():
        if len(levels) != 2:
            raise UserError(
                f"Shares are of tricks that are on or off, and {name} has {len(levels)} levels; "
                "plan it as a full_factorial, or leave all but two levels out."
            )
