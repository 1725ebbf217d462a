"""Arms that failed in all of their seeds, and what it is that kills them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from ablate.analysis.failure_test import FEWEST_SEEDS
from ablate.analysis.layout import Layout

MOST_PARTNERS = 3  # sets that share the blame and are named


def dead_arms(final: pd.DataFrame) -> set[str]:
    """Return the arms with three seeds or more that failed in every one."""
    told = final.groupby("arm")["failed"].agg(["all", "size"])
    return {str(arm) for arm in told.index[told["all"] & (told["size"] >= FEWEST_SEEDS)]}


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
    others = [name for name in layout.factors if name != factor]
    rows = {
        at: dict(zip(map(tuple, part[others].to_numpy()), part.index, strict=True))
        for at in (level, first)
        for part in [layout.levels[layout.levels[factor] == at]]
    }
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
    mine = layout.levels[layout.levels[factor] == level] if dead else layout.levels[:0]
    if not dead & set(mine.index):
        return ""
    others = [name for name in layout.factors if name != factor]
    for size in range(len(others) + 1):
        found = [
            _told(layout, names, levels)
            for names in combinations(others, size)
            for levels, arms in (mine.groupby(list(names)) if names else [((), mine)])
            if set(arms.index) <= dead
        ]
        if found:
            return " ".join(["always fails", " or ".join(found[:MOST_PARTNERS])]).strip()
    return ""


def _told(layout: Layout, names: Sequence[str], levels: Sequence[object]) -> str:
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
