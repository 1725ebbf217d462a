"""Failures with a trick and without it: counts, test and brakes, for every table of tricks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from ablate.analysis.dead import breaks, dead_arms, partners
from ablate.analysis.decisions import ALPHA, Decisions
from ablate.analysis.failure_test import (
    FAMILY,
    FEWEST_SEEDS,
    UNTOLD,
    FailureTest,
    Stratum,
    permutation_test,
    tarone_holm,
)
from ablate.analysis.layout import Layout
from ablate.analysis.metric import Values

Columns = Callable[[list[str], int], Values]
NAN = float("nan")
UNTESTED: dict[str, Any] = dict.fromkeys(("p_failures", "mid_failures", "smallest_failures"), NAN)
NONE = UNTESTED | dict.fromkeys(("failed_with", "failed_without", "excess_failures"), NAN)
NONE |= dict.fromkeys(("ended_with", "ended_without"), 0)
NONE |= dict.fromkeys(("dies_with", "dies_without"), False)
NONE |= dict.fromkeys(("partners", "partners_without"), "")


def effect_failures(final: pd.DataFrame, layout: Layout) -> dict[tuple[str, str], dict[str, Any]]:
    """Return (factor, level) -> what failures say of it, of all arms that ended.

    Args:
        final: As `final_values` gives it, of the arms of `layout`; dead arms are among them.
        layout: Of the arms that ended.
    """
    keys = [(name, level) for name, levels in layout.factors.items() for level in levels[1:]]

    def of(place: int) -> Columns:
        return lambda arms, _: residual(indicators(layout, arms), place)

    return {
        (factor, level): failure_row(final, layout, factor, level, of(place))
        for place, (factor, level) in enumerate(keys)
    }


def failure_row(
    final: pd.DataFrame, layout: Layout, factor: str, level: str, column: Columns
) -> dict[str, Any]:
    """Return the counts at a level and at the first one, the test, and what brakes a verdict.

    Args:
        final: As `final_values` gives it, of the arms of `layout`.
        layout: Of the arms that ended.
        factor: The trick.
        level: Of it.
        column: Arms that ran in a seed, and the seed -> what each says of the trick.
    """
    first = layout.factors[factor][0]
    at = final["arm"].map(layout.levels[factor])
    with_it, without = final.loc[at == level, "failed"], final.loc[at == first, "failed"]
    test = tested(final, column)
    dead = dead_arms(final)
    return {
        "failed_with": int(with_it.sum()),
        "failed_without": int(without.sum()),
        "ended_with": len(with_it),
        "ended_without": len(without),
        "p_failures": test.p,
        "mid_failures": test.mid,
        "smallest_failures": test.smallest,
        "excess_failures": test.excess,
        "dies_with": breaks(layout, dead, factor, level, first),
        "dies_without": breaks(layout, dead, factor, first, level),
        "partners": partners(layout, dead, factor, level),
        "partners_without": partners(layout, dead, factor, first),
    }


def tested(final: pd.DataFrame, column: Columns) -> FailureTest:
    """Return the test of the failures of `final`; p is 1 where nothing failed."""
    if not final["failed"].any():
        return FailureTest(1.0, 1.0, 1.0, 1.0, 0.0)
    strata = []
    for seed, one in final.sort_values("arm").groupby("seed"):
        if len(one) > 1:
            arms = [str(arm) for arm in one["arm"]]
            strata.append(Stratum(column(arms, int(str(seed))), one["failed"].to_numpy(bool)))
    if len(strata) < FEWEST_SEEDS:
        return UNTOLD
    return permutation_test(strata, crc32(repr(sorted(final["arm"].unique())).encode()))


def indicators(layout: Layout, arms: list[str]) -> Values:
    """Return `[J, P]`: every level but the first of every factor, its indicator, centred."""
    told = layout.levels.loc[arms]
    return np.column_stack([
        (told[name] == level).to_numpy("float64") - 1 / len(levels)
        for name, levels in layout.factors.items()
        for level in levels[1:]
    ])  # fmt: skip


def residual(columns: Values, place: int) -> Values:
    """Return a column less its least-squares fit on 1 and the others.

    Of what it shares with another trick, no failure is charged to it.
    """
    own = columns[:, place]
    others = np.column_stack([np.ones(len(own)), np.delete(columns, place, 1)])
    left = own - others @ np.linalg.lstsq(others, own, rcond=None)[0]
    return np.where(np.abs(left) < 1e-9, 0.0, left)


def adjusted(table: pd.DataFrame, decisions: Decisions) -> pd.Series:
    """Return the column `p_failures_holm`: Tarone and Holm over the rows that are tested."""
    return tarone_holm(
        table["p_failures"].astype("float64"),
        table["smallest_failures"].astype("float64"),
        level_of(decisions),
    )


def level_of(decisions: Decisions) -> float:
    """Return the level of the family: 2 %, over the planned looks as that of the metric."""
    return FAMILY * decisions.alpha / ALPHA


def counts(row: Mapping[Any, Any]) -> str:
    """Return `10 of 20 trials with it failed and 0 of 20 without`; "" where nothing did."""
    failed = (row.get("failed_with", NAN), row.get("failed_without", NAN))
    if not sum(failed) > 0:
        return ""
    ended = (row["ended_with"], row["ended_without"])
    return (
        f"{failed[0]:.0f} of {ended[0]:.0f} trials with it failed and {failed[1]:.0f} of "
        f"{ended[1]:.0f} without"
    )
