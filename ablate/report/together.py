"""Interactions that change what a main effect means, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ablate.analysis.metric import Metric
from ablate.report import words
from ablate.report.tables.arms import code
from ablate.report.tables.effects import term

Row = Mapping[Any, Any]
FIRM = ("better together", "worse together")
MAINS = ("better", "worse", "trade-off")
SHARE = 1 / 3  # of a main effect: from here on it is twice as large at one level as at the other
SWITCH = ["off", "on"]


def depends(rows: Sequence[Row], factors: Mapping[str, Sequence[str]], metric: Metric) -> list[str]:
    """Return a sentence for every main effect with a verdict that a firm interaction changes.

    Args:
        rows: Of the table of effects.
        factors: Factor -> its levels, the reference's first.
        metric: Its scale.
    """
    mains = {str(row["term"]): row for row in rows if row["verdict"] in MAINS and row["order"] == 1}
    told = []
    for row in rows:
        if row["verdict"] in FIRM:
            told += _of(row, mains, factors, metric)
    return told


def _of(
    row: Row, mains: Mapping[str, Row], factors: Mapping[str, Sequence[str]], metric: Metric
) -> list[str]:
    name = str(row["term"])
    named = {factor for pair in name.split(" = ") for factor in pair.lstrip("-").split(":")}
    touched = [
        main
        for main in mains
        if main in named and abs(row["effect_mean"]) > SHARE * abs(mains[main]["effect_mean"])
    ]
    if not touched:
        return []
    switches = all(list(factors.get(factor, ())) == SWITCH for factor in named)
    if " = " in name or not switches:
        those = words.listing([code(main) for main in touched])
        return [f"Its interaction {code(term(name))} changes what the effect of {those} means."]
    return [_levels(main, row, mains[main], metric) for main in touched]


def _levels(name: str, row: Row, main: Row, metric: Metric) -> str:
    """Return the effect of a trick with and without the other, of two switches."""
    other = next(factor for factor in str(row["term"]).split(":") if factor != name)
    on, off = (
        words.effect(
            {
                "effect": metric.back(main["effect_mean"] + sign * row["effect_mean"]),
                "low": float("nan"),
                "high": float("nan"),
                "scale": metric.scale,
            }
        )
        for sign in (1, -1)
    )
    return f"The effect of {code(name)} is {on} with {code(other)} and {off} without it."
