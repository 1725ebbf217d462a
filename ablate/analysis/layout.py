"""Which arm has which level of which factor, as the plan says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ablate.errors import UserError

SUBSETS = ("random_subsets", "imported")


@dataclass(frozen=True)
class Layout:
    """The arms of a design with factors.

    Attributes:
        factors: Factor -> its levels, the reference level first.
        levels: Index arms, columns factors: the level that each arm has.
        aliases: Groups of effects that the plan says cannot be told apart.
        has_interactions: Whether the design is meant to show more than main effects.
        leaves_out: Whether the arms are no balanced design: interactions are left out, and how
            far arms lie from the main effects tells how large they may be.
    """

    factors: Mapping[str, Sequence[str]]
    levels: pd.DataFrame
    aliases: Sequence[Sequence[str]]
    has_interactions: bool
    leaves_out: bool = False

    @cached_property
    def rows(self) -> dict[str, tuple[str, ...]]:
        """Arm -> its level of every factor."""
        return dict(zip(self.levels.index, map(tuple, self.levels.to_numpy()), strict=True))

    def at_first(self) -> pd.DataFrame:
        """Return, for every arm and factor, whether it is at the first level."""
        first = {factor: levels[0] for factor, levels in self.factors.items()}
        return self.levels == pd.Series(first)

    def only(self, arms: Sequence[str]) -> Layout:
        """Return the layout of some of its arms.

        A design of main effects alone is balanced no more when it has lost an arm.
        """
        wanted = set(arms)
        kept = self.levels.loc[[arm for arm in self.levels.index if arm in wanted]]
        lost = not self.has_interactions and len(kept) < len(self.levels)
        return replace(self, levels=kept, leaves_out=self.leaves_out or lost)

    def varying(self) -> Layout:
        """Return the layout without the factors that have one level in all of its arms."""
        kept = [name for name in self.factors if self.levels[name].nunique() > 1]
        told = {name: self.factors[name] for name in kept}
        return replace(self, factors=told, levels=self.levels[kept])


def has_factors(study: Mapping[str, Any]) -> bool:
    """Return whether a plan knows factors; those of older versions do not."""
    return bool(study.get("factors")) and all("levels" in arm for arm in study["arms"])


def layout_of(study: Mapping[str, Any]) -> Layout:
    """Return the layout of the arms that can be trained.

    Args:
        study: What `study.json` holds.

    Raises:
        UserError: The plan knows no factors, or an arm has a level that its factor has not.
    """
    if not has_factors(study):
        raise UserError("This study has no factors; plan one with design: full_factorial.")
    factors = {name: [str(level) for level in levels] for name, levels in study["factors"].items()}
    arms = [arm for arm in study["arms"] if not arm["refused"]]
    rows = {arm["arm"]: {name: str(arm["levels"][name]) for name in factors} for arm in arms}
    for arm, levels in rows.items():
        for name, level in levels.items():
            if level not in factors[name]:
                raise UserError(
                    f"Arm {arm!r} has {name}={level}, which is none of {factors[name]}; the plan "
                    "was edited, so plan the study again."
                )
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(factors))
    groups = [[str(name) for name in group] for group in study.get("aliases") or []]
    design = study.get("design")
    return Layout(
        factors,
        table,
        groups,
        has_interactions=design not in ("plackett_burman", *SUBSETS),
        leaves_out=design in SUBSETS,
    )


def fraction_of(on: np.ndarray) -> int:
    """Return the number of arms of the smallest regular fraction that holds arms `[J, F]`."""
    basis: dict[int, int] = {}  # highest bit -> a row that has it
    for row in on ^ on[0]:
        number = int("".join("1" if one else "0" for one in row), 2)
        while number and number.bit_length() in basis:
            number ^= basis[number.bit_length()]
        if number:
            basis[number.bit_length()] = number
    return 2 ** len(basis)
