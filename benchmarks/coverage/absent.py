"""Designs with trials or arms missing, and arms that are no balanced design."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np

from ablate.analysis import Decisions, effects
from ablate.analysis.metric import Values
from benchmarks.coverage.cells import ERROR, INTERVAL, Cell, cell
from benchmarks.coverage.designs import four
from benchmarks.coverage.studies import FID, results

NOISE, REAL = 0.2, float(np.log(0.8))
HOLES = (0, 1, 3, 6)
# design -> what was measured before where a varies by seed, by HOLES: coverage of a, error
VARYING = {
    "2^3 x 5": ("90.8 91.1 91.0 91.7", "4.4 4.3 4.0 4.0"),
    "2^4 x 3": ("85.8 86.1 86.0 87.0", "7.0 6.3 6.6 5.7"),
    "2^(7-3) x 3": ("85.7 85.2 85.8 86.8", "6.1 6.3 6.0 5.7"),
}
POWER = {"2^3 x 5": "66 62 58 50", "2^4 x 3": "66 65 60 53", "2^(7-3) x 3": "62 60 56 47"}


class Told(NamedTuple):
    """What one study says of each effect, in the order of its table.

    Attributes:
        terms: Their labels.
        low: Of the interval, in logs.
        high: Of the interval.
        named: Whether Holm's p is at most 0.05.
    """

    terms: list[str]
    low: Values
    high: Values
    named: Values


def told(plan: Mapping[str, Any], values: Values) -> Told:
    """Return what the analysis says of `[J, N]` values."""
    table = effects(results([arm["arm"] for arm in plan["arms"]], values), plan, FID, Decisions())
    low, high, p = (table[name].to_numpy() for name in ("low", "high", "p_holm"))
    return Told(list(table["term"]), np.log(low), np.log(high), p <= 0.05)


def signs(plan: Mapping[str, Any]) -> Values:
    """Return `[J, F]` of -1 and 1."""
    return np.array(
        [[1.0 if one == "on" else -1.0 for one in arm["levels"].values()] for arm in plan["arms"]]
    )


def some(names: str, runs: Values, design: str) -> dict[str, Any]:
    """Return the plan of arms `[J, F]` of 0 and 1."""
    whole = {tuple(run): arm for run, arm in zip(product((0, 1), repeat=len(names)),
                                                 four(names)["arms"], strict=True)}  # fmt: skip
    plan = four(names) | {"design": design}
    return plan | {"arms": [whole[tuple(int(one) for one in run)] for run in runs]}


def seven() -> dict[str, Any]:
    """Return the plan of the fraction of sixteen arms in which e = abc, f = bcd, g = acd."""
    x = np.array(list(product((-1, 1), repeat=4)))
    a, b, c, d = x.T
    runs = (np.column_stack([x, a * b * c, b * c * d, a * c * d]) + 1) // 2
    return some("abcdefg", runs, "fractional_factorial")


def missing(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """Trials missing at random; every second study has a at -20 %, the others no effect."""
    designs = {"2^3 x 5": (four("abc"), 5), "2^4 x 3": (four(), 3), "2^(7-3) x 3": (seven(), 3)}
    cells = product(designs.items(), (0.0, 0.1), enumerate(HOLES))
    for (name, (plan, n)), varying, (place, holes) in cells:
        a = signs(plan)[:, :1]
        inside, wrong, power = [], [], []
        for study in range(studies // 2):
            real = REAL * (study % 2)
            logs = rng.normal(0, NOISE, (len(a), n)) + a * (real / 2 + rng.normal(0, varying, n))
            logs.ravel()[rng.choice(logs.size, holes, replace=False)] = np.nan
            found = told(plan, 20 * np.exp(logs))
            at = found.terms.index("a")
            inside.append(found.low[at] <= real <= found.high[at])
            (power if study % 2 else wrong).append(found.named[at] if study % 2
                                                   else found.named.any())  # fmt: skip
        coverage, error = (told.split()[place] for told in VARYING[name])
        title = "Trials missing: guarded least squares"
        row = f"{name}, {holes} missing{', a varies by seed, 0.1' if varying else ''}"
        yield cell(title, row, "coverage of a", inside, coverage if varying else INTERVAL)
        yield cell(title, row, "family-wise error", wrong, error if varying else ERROR)
        before = "" if varying else POWER[name].split()[place]
        yield cell(title, row, "a found at -20 %", power, before)


def forbidden(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """2^4 without the four arms that have a and b; a:c and c:d are 0.9, a with b off 0.8."""
    runs = [run for run in product((0, 1), repeat=4) if not run[0] == run[1] == 1]
    plan = some("abcd", np.array(runs), "full_factorial")
    x = signs(plan)
    real = {"a": REAL, "a:c": float(np.log(0.9)), "c:d": float(np.log(0.9))}
    columns = {term: np.prod([x[:, "abcd".index(one)] for one in term.split(":")], 0)
               for term in real}  # fmt: skip
    mean = sum(size / 2 * columns[term] for term, size in real.items())
    inside: dict[str, list[bool]] = {}
    for _ in range(studies // 2):
        found = told(plan, 20 * np.exp(mean[:, None] + rng.normal(0, NOISE, (len(x), 3))))
        for term, low, high in zip(found.terms, found.low, found.high, strict=True):
            inside.setdefault(term, []).append(low <= real.get(term, 0.0) <= high)
    for term, hits in inside.items():
        title = "2^4 x 3, a and b exclude each other: coverage"
        yield cell(title, "12 arms", term, hits, INTERVAL)


def subsets(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """22 arms of 8 tricks in 3 seeds, noise 0.1; 28 interactions that the regression leaves out."""
    names = "abcdefgh"
    before = {0.0: ("1.5", "98", "98"), 0.02: ("3.2", "96", "93"), 0.05: ("5.7", "94", "42")}
    for spread, (error, coverage, power) in before.items():
        inside, wrong, found_a = [], [], []
        for study in range(studies // 2):
            every = rng.choice(np.arange(1, 2**8), 21, replace=False)
            runs = np.array([[one >> bit & 1 for bit in range(8)] for one in (0, *every)])
            plan = some(names, runs, "random_subsets")
            x = signs(plan)
            pairs = np.array([x[:, i] * x[:, j] for i, j in combinations(range(8), 2)])
            real = np.zeros(8)
            real[0] = REAL * (study % 2)
            mean = x @ real / 2 + rng.normal(0, spread, 28) @ pairs / 2
            found = told(plan, 20 * np.exp(mean[:, None] + rng.normal(0, 0.1, (22, 3))))
            inside.append(np.mean((found.low <= real) & (real <= found.high)))
            (found_a if study % 2 else wrong).append(found.named[0] if study % 2
                                                     else found.named.any())  # fmt: skip
        title, row = "22 random subsets of 8 tricks, 3 seeds", f"interactions of SD {spread:g}"
        yield cell(title, row, "coverage", inside, coverage)
        yield cell(title, row, "a null is named", wrong, error)
        yield cell(title, row, "a found at -20 %", found_a, power)
