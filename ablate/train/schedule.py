"""How many rounds a budget buys, and which of them are evaluated."""

from __future__ import annotations

from ablate.core.turn import Round


def shows(stages: Round) -> bool:
    """Return whether D is shown a batch of real images in this round."""
    return any(turn.player == "D" for stage in stages for turn in stage)


def rounds_for(images: int, batch: int, rounds: list[Round]) -> int:
    """Return the rounds after which D was shown at least `images` real images.

    A budget that is not a multiple of the batch is rounded up to whole batches. The schedule ends
    with the round that spends the budget: turns of G alone that would follow are not played.
    """
    showing = [n for n, stages in enumerate(rounds, 1) if shows(stages)]
    cycles, rest = divmod(-(-images // batch) - 1, len(showing))
    return cycles * len(rounds) + showing[rest]


def images_after(n: int, batch: int, rounds: list[Round]) -> int:
    """Return the real images that D was shown in the first `n` rounds."""
    whole, rest = divmod(n, len(rounds))
    shown = [shows(stages) for stages in rounds]
    return batch * (whole * sum(shown) + sum(shown[:rest]))
