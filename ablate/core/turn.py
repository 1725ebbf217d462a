"""Who moves when: turns, stages of turns at one point, rounds of stages."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

from ablate.core.recipe import Player


class Turn(NamedTuple):
    """One player's move.

    Attributes:
        player: "G" or "D".
        due: Names of the tricks whose lazy term is due in this turn.
        sides: Which sides D's loss sums over; two-step splits play one turn a side.
        merged: Real and fake go through D in one pass.
    """

    player: Player
    due: frozenset[str] = frozenset()
    sides: tuple[str, ...] = ("real", "fake")
    merged: bool = False


# A stage is a set of turns whose gradients are taken at one point, before any of them moves.
# The stages of a round share a batch of real images, latents and, where G moves last, G's forward.
Stage = tuple[Turn, ...]
Round = tuple[Stage, ...]
TEXTBOOK: tuple[Round, ...] = (((Turn("D"),), (Turn("G"),)),)


def mark_every(rounds: list[Round], name: str, every: int, side: str) -> list[Round]:
    """Return the schedule with every k-th of D's turns that see a side marked as due for a trick.

    The list grows to the period, so that a schedule stays a list that is walked round and round.
    """
    if every == 1:
        return rounds
    numbers = itertools.count()

    def mark(turn: Turn) -> Turn:
        due = sees(turn) and next(numbers) % every == 0
        return turn._replace(due=turn.due | {name}) if due else turn

    def sees(turn: Turn) -> bool:
        return turn.player == "D" and side in turn.sides

    count = sum(sees(t) for stages in rounds for stage in stages for t in stage)
    longer = rounds * (every // math.gcd(every, count))
    return [tuple(tuple(mark(t) for t in stage) for stage in stages) for stages in longer]
