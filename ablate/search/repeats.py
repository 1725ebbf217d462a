"""Searches that are repeated: what one search finds is luck of its own, and no property of an arm.

In every repeat the sampler draws anew, the tuning seeds are new, and so are the seeds that score
what was found: repeats that share any of them would look more alike than they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ablate.errors import UserError
from ablate.search.rules import Rules

MOST_TYPED = 40  # seeds in a sentence


def rules_of_repeat(rules: Rules, repeat: int) -> Rules:
    """Return the rules of a repeat, counted from 0: those of the first, moved on.

    The first repeat is the search that a study without repeats makes: more can follow it.
    """
    span = max(rules.seeds) - min(rules.seeds) + 1
    seeds = tuple(seed + repeat * span for seed in rules.seeds)
    return replace(rules, seed=rules.seed + repeat, seeds=seeds)


def refuse_shared(rules: Rules, repeats: int, seeds: Sequence[int]) -> None:
    """Refuse tuning seeds of later repeats that score arms; `Rules.check` knows those of the first.

    Args:
        rules: Of the first repeat.
        repeats: How many there are.
        seeds: Of the table.

    Raises:
        UserError: The sentence names them.
    """
    later = {s for repeat in range(1, repeats) for s in rules_of_repeat(rules, repeat).seeds}
    shared = sorted(later & set(seeds))
    if shared:
        first, count = max(seeds) + 1000, len(rules.seeds)
        raise UserError(
            f"search.seeds={list(rules.seeds)} move on in every repeat, over {repeats} repeats to "
            f"{max(later)}, and study.seeds has {shared} of these; type search.seeds="
            f"[{','.join(str(first + i) for i in range(count))}]."
        )


def scoring_seeds(seeds: Sequence[int], repeats: Any) -> list[list[int]]:
    """Return the seeds of the study that score each repeat: equal shares, in their order.

    Raises:
        UserError: They cannot be shared equally, or `repeats` is no count.
    """
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        raise UserError(
            f"search.repeats={repeats} is no number of searches; type search.repeats=1, or "
            "search.repeats=5 for verdicts on tuned arms."
        )
    each, left = divmod(len(seeds), repeats)
    if left:
        count = repeats * (each + 1)
        enough = ",".join(str(min(seeds) + i) for i in range(min(count, MOST_TYPED)))
        instead = f"study.seeds=[{enough}]" if count <= MOST_TYPED else "search.repeats=5"
        raise UserError(
            f"search.repeats={repeats} scores every repeat under seeds of its own, and the "
            f"{len(seeds)} of study.seeds make no {repeats} equal shares; type {instead}."
        )
    return [list(seeds[i : i + each]) for i in range(0, len(seeds), each)]
