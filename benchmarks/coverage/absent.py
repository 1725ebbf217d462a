"""Designs with trials or arms missing, and arms that are no balanced design."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any

import numpy as np

from ablate.analysis.decisions import ALPHA
from ablate.analysis.effects import MAY_VARY
from ablate.analysis.metric import Values
from benchmarks.coverage.cells import ERROR, INTERVAL, Cell, cell
from benchmarks.coverage.designs import four
from benchmarks.coverage.many import tell

NOISE, REAL = 0.2, float(np.log(0.8))
HOLES = (0, 1, 3, 6)
TOGETHER = 10  # studies of one set of subsets
# design -> what was measured before where a varies by seed, by HOLES: coverage of a, error
VARYING = {
    "2^3 x 5": ("90.8 91.1 91.0 91.7", "4.4 4.3 4.0 4.0"),
    "2^4 x 3": ("85.8 86.1 86.0 87.0", "7.0 6.3 6.6 5.7"),
    "2^(7-3) x 3": ("85.7 85.2 85.8 86.8", "6.1 6.3 6.0 5.7"),
}
POWER = {"2^3 x 5": "66 62 58 50", "2^4 x 3": "66 65 60 53", "2^(7-3) x 3": "62 60 56 47"}


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
        real = REAL * (np.arange(studies) % 2)[:, None]
        logs = rng.normal(0, NOISE, (studies, len(a), n))
        logs += a * (real[:, None] / 2 + rng.normal(0, varying, (studies, 1, n)))
        order = rng.random((studies, len(a) * n)).argsort(1)
        np.put_along_axis(logs.reshape(studies, -1), order[:, :holes], np.nan, 1)
        found = tell(plan, 20 * np.exp(logs))
        at, mains = found.at("a"), len(plan["factors"])
        truth = np.where(np.arange(len(found.terms)) == at, real, 0.0)
        inside = (found.low <= truth) & (truth <= found.high)
        by_own = (found.own_low <= truth) & (truth <= found.own_high)
        maybe = found.p_varies <= MAY_VARY
        named = found.p_holm <= ALPHA
        coverage, error = (told.split()[place] for told in VARYING[name])
        title = (
            f"Trials missing: guarded least squares{', a varies by seed (SD 0.1)' * bool(varying)}"
        )
        row = f"{name}, {holes} missing"
        yield cell(title, row, "coverage of a", inside[:, at], coverage if varying else INTERVAL)
        rest = [place for place in range(mains) if place != at] if varying else range(mains)
        told = "of the other main effects" if varying else "of all main effects"
        yield cell(title, row, told, inside[:, list(rest)].mean(1), INTERVAL)
        if varying:
            yield cell(title, row, "of a, the wider one where it may vary",
                       np.where(maybe, inside | by_own, inside)[:, at])  # fmt: skip
            yield cell(title, row, "marked: may vary", maybe[:, at])
        yield cell(title, row, "family-wise error", named[::2].any(1), error if varying else ERROR)
        before = "" if varying else POWER[name].split()[place]
        yield cell(title, row, "a found at -20 %", named[1::2, at], before)


def forbidden(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """2^4 without the four arms that have a and b; a:c and c:d are 0.9, a with b off 0.8."""
    runs = [run for run in product((0, 1), repeat=4) if not run[0] == run[1] == 1]
    plan = some("abcd", np.array(runs), "full_factorial")
    x = signs(plan)
    real = {"a": REAL, "a:c": float(np.log(0.9)), "c:d": float(np.log(0.9))}
    columns = {term: np.prod([x[:, "abcd".index(one)] for one in term.split(":")], 0)
               for term in real}  # fmt: skip
    mean = sum(size / 2 * columns[term] for term, size in real.items())
    found = tell(plan, 20 * np.exp(mean[:, None] + rng.normal(0, NOISE, (studies, len(x), 3))))
    truth = np.array([real.get(term, 0.0) for term in found.terms])
    inside = (found.low <= truth) & (truth <= found.high)
    for place, term in enumerate(found.terms):
        title = "2^4 x 3, a and b exclude each other: coverage"
        yield cell(title, "12 arms", term, inside[:, place], INTERVAL)


def subsets(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """22 arms of 8 tricks in 3 seeds, noise 0.1; 28 interactions that the regression leaves out.

    Ten studies share their arms.
    """
    before = {0.0: ("1.5", "98", "98"), 0.02: ("3.2", "96", "93"), 0.05: ("5.7", "94", "42")}
    for spread, (error, coverage, power) in before.items():
        inside, wrong, found_a = [], [], []
        for _ in range(-(-studies // TOGETHER)):
            every = rng.choice(np.arange(1, 2**8), 21, replace=False)
            runs = np.array([[one >> bit & 1 for bit in range(8)] for one in (0, *every)])
            plan = some("abcdefgh", runs, "random_subsets")
            x = signs(plan)
            pairs = np.array([x[:, i] * x[:, j] for i, j in combinations(range(8), 2)])
            real = np.zeros((TOGETHER, 8))
            real[1::2, 0] = REAL
            mean = real @ x.T / 2 + rng.normal(0, spread, (TOGETHER, 28)) @ pairs / 2
            noise = rng.normal(0, 0.1, (TOGETHER, 22, 3))
            found = tell(plan, 20 * np.exp(mean[:, :, None] + noise), checked=not inside)
            inside += list(((found.low <= real) & (real <= found.high)).mean(1))
            named = found.p_holm <= ALPHA
            wrong += list(named[::2].any(1))
            found_a += list(named[1::2, 0])
        title, row = "22 random subsets of 8 tricks, 3 seeds", f"interactions of SD {spread:g}"
        yield cell(title, row, "coverage", inside, coverage)
        yield cell(title, row, "a null is named", wrong, error)
        yield cell(title, row, "a found at -20 %", found_a, power)


def burman(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """Twelve runs of Plackett and Burman, 5 tricks in 3 seeds; whole, and with an arm that died."""
    row = [one == "+" for one in "++-+++---+-"]
    runs = np.array([[row[(place - shift) % 11] for place in range(5)] for shift in range(11)])
    plan = some("abcde", np.vstack([np.zeros(5, bool), runs]), "plackett_burman")
    x = signs(plan)
    pairs = np.array([x[:, i] * x[:, j] for i, j in combinations(range(5), 2)])
    real = REAL * np.outer(np.arange(studies) % 2, np.eye(5)[0])
    for spread, (told, lost) in product((0.0, 0.02, 0.05), (("whole", 0), ("an arm died", 1))):
        mean = real @ x.T / 2 + rng.normal(0, spread, (studies, len(pairs))) @ pairs / 2
        values = 20 * np.exp(mean[:, :, None] + rng.normal(0, 0.1, (studies, len(x), 3)))
        values[:, len(x) - lost :] = np.nan
        found = tell(plan, values)
        named = found.p_holm <= ALPHA
        title = "12 runs of Plackett and Burman, 5 tricks, 3 seeds"
        line = f"{told}, interactions of SD {spread:g}"
        inside = ((found.low <= real) & (real <= found.high)).mean(1)
        yield cell(title, line, "coverage", inside)
        yield cell(title, line, "a null is named", named[::2].any(1))
        yield cell(title, line, "a found at -20 %", named[1::2, 0])
