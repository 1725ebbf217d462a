"""What absent arms took from a design: what cannot be told, and what changed its meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

import pandas as pd

from ablate.analysis.effects import cells, done_arms
from ablate.analysis.inert import without_inert
from ablate.analysis.layout import Layout, fraction_of, layout_of
from ablate.analysis.metric import Metric
from ablate.analysis.terms import Fit, fit_of


def lost(final: pd.DataFrame, study: Mapping[str, Any], metric: Metric) -> list[str]:
    """Return what must be said of the effects of a factorial; nothing if all of its arms ran."""
    final, layout = done_arms(final, layout_of(study))
    values = cells(final, layout).transform(metric.forward)
    layout = without_inert(values, layout)
    fit = fit_of(layout)
    told = [*_constant(layout), *_refused(fit), *_lost(fit, layout)]
    if layout.has_interactions and (of := whole(layout)) > len(layout.levels):
        told.insert(0, f"{len(layout.levels)} of the {of} arms of this design have results.")
        if not fit.terms:
            return told
        if not fit.lost:
            told.append("All effects of the table can be told, if no three tricks interact.")
        else:
            told.append("Others keep their meaning, if no three tricks interact.")
    return told


def whole(layout: Layout) -> int:
    """Return how many arms the smallest design has that holds these.

    All combinations of the levels or, of switches, the regular fraction: 2 to the number of arms
    that differ from the first, each no sum of the others modulo 2.
    """
    if any(len(levels) != 2 for levels in layout.factors.values()):
        return prod(len(levels) for levels in layout.factors.values())
    return fraction_of(~layout.at_first().to_numpy())


def _constant(layout: Layout) -> Iterator[str]:
    for factor, levels in layout.factors.items():
        there = [level for level in levels if level in set(layout.levels[factor])]
        if len(there) == 1:
            at = f" {there[0]}" if list(levels) == ["off", "on"] else f"={there[0]}"
            yield f"All arms with results have {factor}{at}: it has no effect here."
        elif absent := [level for level in levels if level not in there]:
            yield f"No arm with results has {factor}={' or '.join(absent)}."


def _refused(fit: Fit) -> Iterator[str]:
    for group in fit.refused:
        names = words_of(group)
        yield f"The arms with results do not tell {names} apart, so they have no effects here."


def words_of(names: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _lost(fit: Fit, layout: Layout) -> Iterator[str]:
    """Yield one sentence: the interactions that are lost; then what the others are."""
    told = [f"{' = '.join(names)} cannot be told ({_why(names, layout)})" for names in fit.lost]
    at = [f"{one.label} {one.meaning}" for one in fit.terms if one.meaning.startswith("with ")]
    if at:
        first, *rest = at
        told.append(", ".join([first.replace(" with ", " is the effect with ", 1), *rest]))
    told += [
        f"{one.label} is {one.meaning}"
        for one in fit.terms
        if one.meaning and not one.meaning.startswith("with ")
    ]
    if told:
        yield f"{'; '.join(told)}."


def _why(names: tuple[str, ...], layout: Layout) -> str:
    """Return which pair of levels no arm has."""
    for name in names:
        one, other = (part.partition("=")[0] for part in name.lstrip("-").split(":"))
        there = set(map(tuple, layout.levels[[one, other]].to_numpy()))
        for levels in product(*(reversed(layout.factors[factor]) for factor in (one, other))):
            if levels not in there:
                return _no_arm(one, other, levels, layout, alone=len(names) == 1)
    return "in these arms it is a sum of others"


def _no_arm(one: str, other: str, levels: tuple[str, ...], layout: Layout, *, alone: bool) -> str:
    switches = all(list(layout.factors[name]) == ["off", "on"] for name in (one, other))
    both = "both" if alone else f"both {one} and {other}"
    if not switches:
        return f"no arm has {one}={levels[0]} and {other}={levels[1]}"
    return {
        ("on", "on"): f"no arm has {both}",
        ("on", "off"): f"no arm has {one} without {other}",
        ("off", "on"): f"no arm has {other} without {one}",
        ("off", "off"): f"no arm is without {both}",
    }[levels[0], levels[1]]
