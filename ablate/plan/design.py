"""Designs: the rules that turn factors into arms. Pure functions of names.

A factor is a name and its levels as text, the reference's first: a trick has `off` and `on`, a slot
the names of tricks, a strength its values. What a level means in settings is not known here. A
design's parameters behind the factors are keys of `study.` in the config.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from itertools import combinations, count, product
from math import prod
from typing import NamedTuple

from ablate.errors import UserError

REFERENCE = "reference"
SWITCH = ("off", "on")
NONE = "none"
MOST_ARMS = 4096

Factors = Mapping[str, Sequence[str]]  # factor -> its levels
Levels = Mapping[str, str]  # factor -> one of them


class Arm(NamedTuple):
    """A level of every factor under a label.

    Attributes:
        name: As tables call it.
        levels: Factor -> level.
        seeds: Training seeds that it is trained under; None for all of the study.
    """

    name: str
    levels: Levels
    seeds: tuple[int, ...] | None = None


def one_at_a_time(factors: Factors) -> list[Arm]:
    """Return the reference, and an arm for every other level of every factor."""
    changes = [{f: level} for f, levels in factors.items() for level in levels[1:]]
    return arms_of(factors, [{}, *changes])


def leave_one_out(factors: Factors) -> list[Arm]:
    """Return all tricks as the reference, and one more arm for each trick taken away.

    A slot or strength is at its first level in the reference, and at every other once.
    """
    whole = base_of(factors) | {f: "on" for f, levels in factors.items() if is_switch(levels)}
    arms = [Arm(REFERENCE, whole)]
    for factor, levels in factors.items():
        others = [level for level in levels if level != whole[factor]]
        name = f"without {factor}" if is_switch(levels) else ""
        arms += [Arm(name or f"{factor}={o}", whole | {factor: o}) for o in others]
    return arms


def pairs(factors: Factors) -> list[Arm]:
    """Return the reference, every factor's change alone, and every two of them together."""
    singles = [(f, level) for f, levels in factors.items() for level in levels[1:]]
    both = [dict(two) for two in combinations(singles, 2) if two[0][0] != two[1][0]]
    return arms_of(factors, [{}, *(dict([one]) for one in singles), *both])


def ladder(factors: Factors) -> list[Arm]:
    """Return the reference, and one factor more at every step, in the order in which they stand."""
    two_levels(factors, "ladder")
    steps, arms = {**base_of(factors)}, [Arm(REFERENCE, base_of(factors))]
    for factor, levels in factors.items():
        steps[factor] = levels[1]
        arms.append(Arm(f"up to {factor}", dict(steps)))
    return arms


def full_factorial(factors: Factors) -> list[Arm]:
    """Return every combination of levels, the reference first."""
    refuse_many("full_factorial", factors, "fractional_factorial or random_subsets")
    return [arm_at(factors, dict(zip(factors, p, strict=True))) for p in product(*factors.values())]


def random_subsets(factors: Factors, subsets: int = 16, draw: int = 0) -> list[Arm]:
    """Return the reference and so many other combinations, each different, drawn by `draw`."""
    whole("subsets", subsets, 1, MOST_ARMS)
    most = prod(map(len, factors.values())) - 1
    if subsets > most:
        raise UserError(
            f"study.subsets={subsets}, and {len(factors)} factors have {most} combinations beside "
            f"the reference; type study.subsets={most} or study.design=full_factorial."
        )
    found = {tuple(levels[0] for levels in factors.values()): None}  # in the order of drawing
    for n in count():
        if len(found) > subsets:
            break
        found[tuple(v[number(draw, n, f) % len(v)] for f, v in factors.items())] = None
    return [arm_at(factors, dict(zip(factors, one, strict=True))) for one in found]


def listed(factors: Factors) -> list[Arm]:
    """Return an arm for every level of the only factor, of its name; the first is the reference."""
    ((factor, levels),) = factors.items()
    return [Arm(level if n else REFERENCE, {factor: level}) for n, level in enumerate(levels)]


# -- what designs are made of ----------------------------------------------------------------------


def base_of(factors: Factors) -> dict[str, str]:
    """Return every factor at its first level."""
    return {factor: levels[0] for factor, levels in factors.items()}


def arms_of(factors: Factors, changes: Sequence[Levels]) -> list[Arm]:
    """Return an arm for each set of changes to the first levels."""
    return [arm_at(factors, base_of(factors) | dict(change)) for change in changes]


def arm_at(factors: Factors, levels: Levels) -> Arm:
    """Return the arm at these levels, named by what is not at its first one."""
    changed = [f for f in factors if levels[f] != factors[f][0]]
    words = [f if is_switch(factors[f]) else f"{f}={levels[f]}" for f in changed]
    return Arm(f"with {'+'.join(words)}" if words else REFERENCE, levels)


def is_switch(levels: Sequence[str]) -> bool:
    """Return whether these are the levels of a trick that is off or on."""
    return tuple(levels) == SWITCH


def two_levels(factors: Factors, design: str) -> None:
    """Refuse factors with more levels than a design knows.

    Raises:
        UserError: The sentence says what to type.
    """
    for factor, levels in factors.items():
        if len(levels) > 2:
            raise UserError(
                f"{design} knows two levels of a factor, and {factor} has {len(levels)}; type "
                f"'study.factors={{{factor}:[{levels[0]},{levels[-1]}]}}', or a design that takes "
                "more: full_factorial, pairs, one_at_a_time, random_subsets."
            )


def refuse_many(design: str, factors: Factors, instead: str) -> None:
    """Refuse combinations that nobody could train, before they are listed.

    Raises:
        UserError: There are too many.
    """
    n = prod(map(len, factors.values()))
    if n > MOST_ARMS:
        raise UserError(
            f"{design} of {len(factors)} factors has {n:,} arms; type study.design={instead}."
        )


def whole(key: str, value: object, low: int, high: float = math.inf) -> None:
    """Refuse a count that is none, or more than anybody could train.

    Raises:
        UserError: The sentence says what it may be.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise UserError(f"study.{key}={value} must be a whole number of at least {low}.")
    if value > high:
        raise UserError(f"study.{key}={value} is more than {high:,}; type a smaller number.")


def number(*what: object) -> int:
    """Return 64 bits that are drawn by `what`: the same ones on every machine, for ever."""
    text = "/".join(map(str, what))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
