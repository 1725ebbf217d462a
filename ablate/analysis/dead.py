"""Arms that failed in all of their seeds, and what it is that kills them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

import pandas as pd

from ablate.analysis.failure_test import FEWEST_SEEDS
from ablate.analysis.layout import Layout

MOST_PARTNERS = 3  # sets that share the blame and are named


def dead_arms(final: pd.DataFrame) -> set[str]:
    """Return the arms with three seeds or more that failed in every one."""
    trials = Counter(final["arm"])
    failures = Counter(final["arm"][final["failed"].to_numpy()])
    return {arm for arm, n in failures.items() if n == trials[arm] >= FEWEST_SEEDS}


def breaks(layout: Layout, dead: set[str], factor: str, level: str, first: str) -> bool:
    """Return whether some arm dies of `level`: its twin at level `first` is not dead.

    In a design without twins, whether more arms are dead at `level`.

    Args:
        layout: Of the arms that ran.
        dead: Those that `dead_arms` names.
        factor: The trick.
        level: Where it is blamed.
        first: Where it is not.
    """
    if not dead:
        return False
    place = list(layout.factors).index(factor)
    rows: dict[str, dict[tuple[str, ...], str]] = {level: {}, first: {}}
    for arm, levels in layout.rows.items():
        if levels[place] in rows:
            rows[levels[place]][levels[:place] + levels[place + 1 :]] = arm
    killed = {rest: arm for rest, arm in rows[level].items() if arm in dead}
    if any(rest in rows[first] and rows[first][rest] not in dead for rest in killed):
        return True
    if all(rest in rows[first] for rest in killed):
        return False
    return len(killed) > len(dead & set(rows[first].values()))


def partners(layout: Layout, dead: set[str], factor: str, level: str) -> str:
    """Return what `level` always fails with: the smallest sets of levels all of whose arms die.

    `always fails together with B`, `always fails` where it needs no partner, `` where some arm of
    every set lives.
    """
    names = list(layout.factors)
    place = names.index(factor)
    mine = {arm: row for arm, row in layout.rows.items() if row[place] == level} if dead else {}
    if not dead & set(mine):
        return ""
    others = [at for at in range(len(names)) if at != place]
    for size in range(len(names)):
        found = [
            _told(layout, [names[at] for at in chosen], levels)
            for chosen in combinations(others, size)
            for levels, arms in _groups(mine, chosen)
            if arms <= dead
        ]
        if found:
            return " ".join(["always fails", " or ".join(found[:MOST_PARTNERS])]).strip()
    return ""


def _groups(
    rows: Mapping[str, tuple[str, ...]], chosen: Sequence[int]
) -> list[tuple[tuple[str, ...], set[str]]]:
    """Return the levels at the chosen places, in order, each with the arms that have them."""
    groups: dict[tuple[str, ...], set[str]] = {}
    for arm, row in rows.items():
        groups.setdefault(tuple(row[at] for at in chosen), set()).add(arm)
    return sorted(groups.items())


def _told(layout: Layout, names: Sequence[str], levels: Sequence[str]) -> str:
    """Return the partners in words: those that are on, then those that are away."""
    on: list[str] = []
    off: list[str] = []
    for name, level in zip(names, levels, strict=True):
        known = layout.factors[name]
        if list(known) == ["off", "on"]:
            (on if level == "on" else off).append(name)
        else:
            on.append(f"{name}={level}")
    told = [f"together with {' and '.join(on)}"] * bool(on)
    told += [f"without {' and '.join(off)}"] * bool(off)
    return " and ".join(told)
