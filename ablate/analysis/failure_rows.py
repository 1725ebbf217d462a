"""Failures with a trick and without it: counts, test and brakes, for every table of tricks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
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

Arms = tuple[str, ...]
Columns = Callable[[Arms, int], Values]
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
    ended = ended_trials(final)

    @cache
    def residuals(arms: Arms) -> list[Values]:
        columns = indicators(layout, arms)
        return [residual(columns, place) for place in range(len(keys))]

    def of(place: int) -> Columns:
        return lambda arms, _: residuals(arms)[place]

    return {
        (factor, level): failure_row(ended, layout, factor, level, of(place))
        for place, (factor, level) in enumerate(keys)
    }


@dataclass(frozen=True)
class Ended:
    """The trials that ended, as every row of a table asks of them.

    Attributes:
        trials: Arm -> how many.
        failures: Arm -> how many of them failed.
        dead: The arms that `dead_arms` names.
        seeds: Seed -> arms in the alphabet, and which failed; of seeds with more than one.
    """

    trials: Mapping[str, int]
    failures: Mapping[str, int]
    dead: set[str]
    seeds: Mapping[int, tuple[Arms, npt.NDArray[np.bool_]]]


def ended_trials(final: pd.DataFrame) -> Ended:
    """Return what is asked of `final`, as `final_values` gives it."""
    seeds: dict[int, dict[str, bool]] = {}
    for arm, seed, failed in zip(final["arm"], final["seed"], final["failed"], strict=True):
        seeds.setdefault(int(seed), {})[arm] = bool(failed)
    return Ended(
        Counter(final["arm"]),
        Counter(final["arm"][final["failed"].to_numpy(bool)]),
        dead_arms(final),
        {
            seed: (tuple(sorted(told)), np.array([told[arm] for arm in sorted(told)]))
            for seed, told in sorted(seeds.items())
            if len(told) > 1
        },
    )


def failure_row(
    ended: Ended, layout: Layout, factor: str, level: str, column: Columns
) -> dict[str, Any]:
    """Return the counts at a level and at the first one, the test, and what brakes a verdict.

    Args:
        ended: Of the arms of `layout`.
        layout: Of the arms that ended.
        factor: The trick.
        level: Of it.
        column: Arms that ran in a seed, and the seed -> what each says of the trick.
    """
    first, dead = layout.factors[factor][0], ended.dead
    place = list(layout.factors).index(factor)
    with_it, without = (
        [arm for arm, row in layout.rows.items() if row[place] == at] for at in (level, first)
    )
    test = tested(ended, column)
    return {
        "failed_with": sum(ended.failures[arm] for arm in with_it),
        "failed_without": sum(ended.failures[arm] for arm in without),
        "ended_with": sum(ended.trials[arm] for arm in with_it),
        "ended_without": sum(ended.trials[arm] for arm in without),
        "p_failures": test.p,
        "mid_failures": test.mid,
        "smallest_failures": test.smallest,
        "excess_failures": test.excess,
        "dies_with": breaks(layout, dead, factor, level, first),
        "dies_without": breaks(layout, dead, factor, first, level),
        "partners": partners(layout, dead, factor, level),
        "partners_without": partners(layout, dead, factor, first),
    }


def tested(ended: Ended, column: Columns) -> FailureTest:
    """Return the test of the failures; p is 1 where nothing failed."""
    if not ended.failures:
        return FailureTest(1.0, 1.0, 1.0, 1.0, 0.0)
    if len(ended.seeds) < FEWEST_SEEDS:
        return UNTOLD
    strata = [Stratum(column(arms, seed), failed) for seed, (arms, failed) in ended.seeds.items()]
    return permutation_test(strata, crc32(repr(sorted(ended.trials)).encode()))


def indicators(layout: Layout, arms: Arms) -> Values:
    """Return `[J, P]`: every level but the first of every factor, its indicator, centred."""
    told = [layout.rows[arm] for arm in arms]
    return np.array([
        [float(row[place] == level) - 1 / len(levels) for row in told]
        for place, levels in enumerate(layout.factors.values())
        for level in levels[1:]
    ]).T.copy()  # fmt: skip


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
