"""Trials that come into a stack and leave it: rows of its memory, moved from stack to stack.

Legend: K trials.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ablate.core.step import Gan

IDLE = -1  # in a slot of nobody: it plays, and nobody looks


@torch.no_grad()
def take(into: Gan, slots: Sequence[int], source: Gan, rows: Sequence[int]) -> None:
    """Copy trials, all they have drawn, learned and remembered, into slots of another stack.

    Everything a trial has is a row of a buffer with the trials in front; buffers of one shape in
    both stacks whatever their sizes belong to no trial.

    Args:
        into: Changed in place: what was captured of it stays valid.
        slots: Of `into`.
        source: Of the same structure.
        rows: Its slots.
    """
    ours, theirs = into.state_dict(), source.state_dict()
    sizes = len(into.feed.seed), len(source.feed.seed)
    for name, mine in ours.items():
        other = theirs[name]
        if mine.dim() and (len(mine), len(other)) == sizes:
            mine[list(slots)] = other[list(rows)].to(mine.device)


def room(trials: int) -> int:
    """Return the smallest size of a stack that has room for so many trials: a power of two."""
    return 1 << max(trials - 1, 0).bit_length()
