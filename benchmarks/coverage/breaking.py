"""Tricks that break trials: never called better, and no word where failures are luck."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from ablate.analysis import Decisions, effects
from ablate.errors import UserError
from benchmarks.coverage.cells import ERROR, WRONG, Cell, cell
from benchmarks.coverage.designs import four
from benchmarks.coverage.noise import lognormal, normals
from benchmarks.coverage.studies import FID, results

WORDS = ("better", "worse", "trade-off", "fails more", "fails less")


class Breaking(NamedTuple):
    """What breaks trials.

    Attributes:
        ratio: What trick a really changes.
        dead: Tricks whose arms never end, where all of them are on.
        failing: Share of the other trials.
    """

    ratio: float
    dead: str = ""
    failing: float = 0.0


CASES = {
    "a with b dead, a at -20 %": Breaking(0.8, "ab"),
    "a with b dead, 10 % of the others failed, a at -20 %": Breaking(0.8, "ab", 0.1),
    "a with b dead, a at -40 %": Breaking(0.6, "ab"),
    "a with b and c dead, a at -40 %": Breaking(0.6, "abc"),
    "b with c dead, a at -40 %": Breaking(0.6, "bc"),
}


def breaking(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """What is said of trick a; and of any trick where failures are luck. Sigma 0.1, rho 0.3."""
    for (names, n), (told, case) in product((("abc", 3), ("abc", 5), ("abcd", 3)), CASES.items()):
        words = _words(rng, studies, names, n, case)
        row = f"{told}, 2^{len(names)} x {n}"
        guilty = case.dead != "bc"
        for word in ("better", "trade-off"):
            promise = WRONG if word == "better" and guilty else ""
            hits = [one["a"] == word for one in words]
            yield cell("A trick that breaks trials: the verdict of a", row, word, hits, promise)
        blamed = [one["b"] == "fails more" for one in words]
        yield cell("A trick that breaks trials: the verdict of a", row, "b fails more", blamed)
    for (names, n), failing in product((("abc", 3), ("abc", 5), ("abcd", 3)), (0.1, 0.3, 0.5)):
        words = _words(rng, studies, names, n, Breaking(1.0, failing=failing))
        hits = [any(word in WORDS for word in one.values()) for one in words]
        title = "Failures that are luck, no effects: a main effect has any word"
        yield cell(title, f"2^{len(names)} x {n}", f"{100 * failing:g} % failed", hits, ERROR)


def _words(
    rng: np.random.Generator, studies: int, names: str, n: int, case: Breaking
) -> list[dict[str, str]]:
    """Return trick -> verdict for every study."""
    plan = four(names)
    arms = [arm["arm"] for arm in plan["arms"]]
    on = np.array([[arm["levels"][x] == "on" for x in names] for arm in plan["arms"]])
    level = np.where(on[:, 0], case.ratio, 1.0)[:, None]
    dead = on[:, [names.index(x) for x in case.dead]].all(1) & bool(case.dead)
    found = []
    for noise in lognormal(0.1)(rng, normals(rng, studies, len(arms), n)):
        values = 20 * level * noise
        values[rng.random(values.shape) < case.failing] = np.nan
        values[dead] = np.nan
        try:
            table = effects(results(arms, values), plan, FID, Decisions()).set_index("term")
        except UserError:  # too many arms are dead to tell the tricks apart
            found.append(dict.fromkeys(names, ""))
            continue
        found.append({name: str(table["verdict"].get(name, "")) for name in names})
    return found
