"""Which seeds arms have, in words: arms that share none cannot be paired."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd


def seeds_of(trials: pd.DataFrame) -> dict[str, list[int]]:
    """Return arm -> its seeds, sorted."""
    groups = trials.groupby("arm")["seed"].unique()
    return {str(arm): sorted(map(int, seeds)) for arm, seeds in groups.items()}


def sharing_none(seeds: Mapping[str, Collection[int]], reference: str) -> list[str]:
    """Return the arms that share no seed with the reference."""
    own = set(seeds.get(reference, ()))
    return [arm for arm, others in seeds.items() if arm != reference and own.isdisjoint(others)]


def unpairable(trials: pd.DataFrame, reference: str) -> str:
    """Return which arms cannot be paired with the reference; "" where all can."""
    seeds = seeds_of(trials)
    found = sharing_none(seeds, reference)
    if not found:
        return ""
    rest = len(found) - 1
    more = f" (and {rest} more arm{'' if rest == 1 else 's'})" if rest else ""
    return f"N{apart(found[0], seeds, reference)[1:]}{more}."


def spelled(seeds: list[int]) -> str:
    """Return `0-4`, or `0, 3, 7`."""
    first, last = seeds[0], seeds[-1]
    if len(seeds) > 2 and seeds == list(range(first, last + 1)):
        return f"{first}-{last}"
    return ", ".join(map(str, seeds[:4])) + (f" and {len(seeds) - 4} more" if seeds[4:] else "")


def apart(arm: str, seeds: Mapping[str, list[int]], reference: str) -> str:
    """Return that an arm and the reference share no seed, with the seeds of both."""
    return (
        f"no seed is shared: {arm} has {spelled(seeds[arm])}, {reference} has "
        f"{spelled(seeds[reference])}"
    )
