"""Tuned tables: what an interval is worth when settings were found by a search that has luck.

Arms are equal. A search finds a setting that is off the arm's best by luck, SD tau in logs, new in
every repeat; n seeds score it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from scipy import special

from ablate.analysis.decisions import ALPHA
from ablate.analysis.metric import Values
from ablate.analysis.repeats import Z, tipping_spread
from benchmarks.coverage.cells import ERROR, INTERVAL, Cell, cell
from benchmarks.coverage.noise import normals
from benchmarks.coverage.rows import holm, t_over

NOISE, SEEDS, ARMS = 0.1, 5, 7
# spread of a found setting -> what was measured before at k = 1, 2, 3, 5: by seeds, by repeats
BEFORE = {
    0.0: ("", ""),
    0.1: ("58 61 60 57", "x 4.6 4.9 4.4"),
    0.3: ("99 90 85 79", "x 4.6 4.6 4.8"),
}
TITLE = "Tuned, no effects: any of 7 arms is named"


def drawn(rng: np.random.Generator, studies: int, tau: float, k: int, n: int = SEEDS) -> Values:
    """Return `[S, A, k, n]` differences from the reference, in logs; it is searched as well."""
    luck = rng.normal(0, 1, (studies, ARMS + 1, k, 1)) * tau
    noise = NOISE * normals(rng, studies, ARMS + 1, k * n).reshape(studies, ARMS + 1, k, n)
    return (luck + noise)[:, 1:] - (luck + noise)[:, :1]


def by_repeat(differences: Values) -> Values:
    """Return `[S, A, k]`: a repeat is one number, as in `ablate.analysis.repeats`."""
    return differences.mean(3)


def tuned(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """Seeds or repeats as the unit; the same scoring seeds in all repeats; one search."""
    for (tau, before), (place, k) in product(BEFORE.items(), enumerate((1, 2, 3, 5))):
        d = drawn(rng, studies, tau, k)
        told = [one.split()[place] if one else "" for one in before]
        seeds = t_over(d.reshape(studies, ARMS, -1)).p_holm <= ALPHA
        row = f"spread {tau:g}"
        yield cell(TITLE, f"{row}, seeds as the unit", f"k={k}", seeds.any(1), told[0])
        if k == 1:
            continue
        found = t_over_two(by_repeat(d))
        named = found[1] <= ALPHA
        if k > 2:
            yield cell(TITLE, f"{row}, t over repeats", f"k={k}", named.any(1), ERROR)
        else:
            yield cell(
                TITLE, f"{row}, t over repeats (no verdict is given)", f"k={k}", named.any(1)
            )
        inside = np.abs(found[0]) <= found[2]
        title = "Tuned: coverage of t over repeats"
        yield cell(title, row, f"k={k}", inside.mean(1), INTERVAL)
    yield from _same_seeds(rng, studies)
    yield from _one_search(rng, studies)


def t_over_two(d: Values) -> tuple[Values, Values, Values]:
    """Return means, Holm's p and half widths over `[S, A, k]`, from k = 2 on."""
    k = d.shape[2]
    mean, error = d.mean(2), d.std(2, ddof=1) / np.sqrt(k)
    p = 2 * special.stdtr(k - 1, -np.abs(mean / error))
    return mean, holm(p), special.stdtrit(k - 1, 0.975) * error


def _same_seeds(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """Half of the noise is of arm and seed; 3 seeds, the same in every repeat. It is refused."""
    for k, before in ((3, "16"), (5, "47")):
        own = rng.normal(0, NOISE / np.sqrt(2), (studies, ARMS + 1, 1, 3))
        logs = own + rng.normal(0, NOISE / np.sqrt(2), (studies, ARMS + 1, k, 3))
        named = t_over(by_repeat(logs[:, 1:] - logs[:, :1])).p_holm <= ALPHA
        row = "spread 0, the same 3 scoring seeds in all repeats (refused)"
        yield cell(TITLE, row, f"k={k}", named.any(1), before)


def _one_search(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """What the tipping spread is worth: how often a null arm has one above the true spread."""
    title = "One search of equal arms, 5 seeds"
    for tau in (0.05, 0.1, 0.3):
        found = t_over(drawn(rng, studies, tau, 1)[:, :, 0])
        row = f"spread {tau:g}"
        over = tipping_spread(found.mean, found.half) > tau
        yield cell(title, row, "an arm's tipping spread is above the true one", over.mean(1), "<=5")
        for told, assumed in (("right", tau), ("half of it", tau / 2)):
            half = np.sqrt(found.half**2 + 2 * (Z * assumed) ** 2)
            promise = INTERVAL if told == "right" else ""
            yield cell(title, row, f"coverage if the assumed spread is {told}",
                       (np.abs(found.mean) <= half).mean(1), promise)  # fmt: skip
