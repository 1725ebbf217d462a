"""Designs: the rules that turn trick names into arms. Pure functions of names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

REFERENCE = "reference"


class Arm(NamedTuple):
    """A set of tricks under a label."""

    name: str
    tricks: tuple[str, ...]


def one_at_a_time(tricks: Sequence[str], always: Sequence[str]) -> list[Arm]:
    """Return what is always on as the reference, and one more arm for each trick added to it."""
    base = tuple(always)
    return [Arm(REFERENCE, base), *(Arm(f"with {t}", (*base, t)) for t in tricks)]


def leave_one_out(tricks: Sequence[str], always: Sequence[str]) -> list[Arm]:
    """Return all tricks as the reference, and one more arm for each trick taken away."""
    base = (*always, *tricks)
    without = (Arm(f"without {t}", tuple(o for o in base if o != t)) for t in tricks)
    return [Arm(REFERENCE, base), *without]


Design = Callable[[Sequence[str], Sequence[str]], list[Arm]]
DESIGNS: dict[str, Design] = {f.__name__: f for f in (one_at_a_time, leave_one_out)}
