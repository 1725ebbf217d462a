"""Factorial designs and Shapley shares: known effects and interactions, found again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from ablate.analysis import Decisions, effects, shapley
from benchmarks.coverage.cells import ERROR, INTERVAL, Cell, cell
from benchmarks.coverage.noise import Noise, heavy, hetero, lognormal, mix, normals
from benchmarks.coverage.studies import FID, REFERENCE, results


def four(names: str = "abcd") -> dict[str, Any]:
    """Return the plan of a full factorial."""
    arms = [
        {
            "arm": "+".join(n for n, on in zip(names, run, strict=True) if on) or REFERENCE,
            "refused": [],
            "levels": {n: "on" if on else "off" for n, on in zip(names, run, strict=True)},
        }
        for run in product((0, 1), repeat=len(names))
    ]
    factors = {name: ["off", "on"] for name in names}
    return {"design": "full_factorial", "factors": factors, "arms": arms}


class Design(NamedTuple):
    """What disturbs a factorial, and what was measured before.

    Attributes:
        noise: Of every arm.
        varying: SD over seeds of half the effect of trick a.
        factor: Of the noise where trick a is on.
        failing: Share of trials.
        before: For n = 3 and 5: coverage of a, family-wise error, power at -20 %.
    """

    noise: Noise
    varying: float = 0.0
    factor: float = 1.0
    failing: float = 0.0
    before: tuple[str, str] = ("", "")


DESIGNS = {
    "lognormal 0.2": Design(lognormal(0.2), before=("96 3.3 83", "96 3.5 98")),
    "t3, scale 0.2": Design(heavy(0.2)),
    "mix": Design(mix(0.2)),
    "hetero 0.5": Design(hetero(0.5, 0.2)),
    "10 % failed": Design(lognormal(0.2), failing=0.1),
    "a triples it, 0.2 to 0.6": Design(lognormal(0.2), factor=3),
    "a varies by seed, 0.05": Design(lognormal(0.2), 0.05, before=("89 5.0 56", "90 4.4 78")),
    "a varies by seed, 0.1": Design(lognormal(0.2), 0.1, before=("85 7.7 30", "89 4.8 39")),
    "a triples it, 0.1 to 0.3": Design(lognormal(0.1), factor=3, before=("90 5.7 48", "92 4.3 68")),
}


def factorial(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """2^4 by guarded least squares; every second study has effects and an interaction."""
    plan = four()
    arms = [arm["arm"] for arm in plan["arms"]]
    sign = np.array(
        [[1 if arm["levels"][n] == "on" else -1 for n in "abcd"] for arm in plan["arms"]]
    )
    terms = [*"abcd", *(f"{x}:{y}" for x, y in ("ab", "ac", "ad", "bc", "bd", "cd"))]
    columns = np.prod([[sign[:, "abcd".index(x)] for x in (t[0], t[-1])] for t in terms[4:]], 1)
    columns = np.vstack([sign.T, columns])  # [10, 16]
    studies //= 2
    for (name, design), n in product(DESIGNS.items(), (3, 5)):
        inside, named = np.full((studies, 10), np.nan), np.full((studies, 10), np.nan)
        logs = np.log(design.noise(rng, normals(rng, studies, 16, n)))
        logs = np.where(sign[:, :1] > 0, design.factor, 1.0) * logs
        logs += rng.normal(0, 1, (studies, 1, n)) * design.varying * sign[:, :1]
        values = 20 * np.exp(logs)
        values[rng.random(values.shape) < design.failing] = np.nan
        for study in range(studies):
            real = np.zeros(10)
            real[[0, 1, 4]] = (study % 2) * np.log([0.8, 1.1, 0.95])
            raised = values[study] * np.exp(real / 2 @ columns)[:, None]
            table = effects(results(arms, raised), plan, FID, Decisions()).set_index("term")
            low, high, p = (table[c].reindex(terms).to_numpy() for c in ("low", "high", "p_holm"))
            known = np.isfinite(low)
            inside[study, known] = ((low <= np.exp(real)) & (np.exp(real) <= high))[known]
            named[study, known] = (p <= 0.05)[known]
        title = "2^4 factorial, guarded least squares"
        coverage, error, power = design.before[n == 5].split() or ("", ERROR, "")
        for column, hits, promise in (
            ("coverage of a", inside[:, 0], coverage or INTERVAL),
            ("of b, c, d", inside[:, 1:4].mean(1), INTERVAL),
            ("of interactions", inside[:, 4:].mean(1), INTERVAL),
            ("family-wise error", (named[::2] > 0).any(1), error),
            ("a found at -20 %", named[1::2, 0], power),
        ):
            yield cell(title, f"{name}, n={n}", column, hits, promise)


def shares(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """A game with interactions of two and three; fresh antithetic orders a seed, or all subsets."""
    for (k, drawn), n in product(((4, 0), (4, 8), (6, 8)), (3, 5, 10)):
        names = "abcdef"[:k]
        plan = four(names) | {"design": "shapley"}
        arms = [arm["arm"] for arm in plan["arms"]]
        on = np.array([[arm["levels"][x] == "on" for x in names] for arm in plan["arms"]])
        place = {frozenset(np.array([*names])[row]): i for i, row in enumerate(on)}
        covered = []
        for noise in lognormal(0.1)(rng, normals(rng, studies // 2, len(arms), n)):
            main, two = rng.normal(0, 0.2, k), np.triu(rng.normal(0, 0.1, (k, k)), 1)
            three = rng.normal(0, 0.1)
            worth = on @ main + np.einsum("ai,ij,aj->a", on, two, on) + three * on[:, :3].all(1)
            truth = main + (two + two.T).sum(1) / 2 + np.where(np.arange(k) < 3, three / 3, 0)
            final = results(arms, 20 * np.exp(worth)[:, None] * noise)
            if drawn:
                some = [
                    [list(rng.permutation([*names])) for _ in range(drawn // 2)] for _ in range(n)
                ]
                orders = {str(s): [o for x in some[s] for o in (x, x[::-1])] for s in range(n)}
                ran = np.zeros((len(arms), n), bool)
                for s, size in product(range(n), range(k + 1)):
                    ran[[place[frozenset(o[:size])] for o in orders[str(s)]], s] = True
                final = final[ran.ravel()]
                plan["permutations"] = orders
            table = shapley(final, plan, FID, Decisions())
            inside = (np.log(table["low"]) <= truth) & (truth <= np.log(table["high"]))
            covered.append(inside.mean())
        told = f"{k} tricks, {drawn} fresh orders a seed" if drawn else f"{k} tricks, all subsets"
        yield cell("Shapley shares: coverage of nominal 95 %", told, f"n={n}", covered, INTERVAL)
