"""Do the intervals hold what they promise? Simulated studies through the public functions.

    python -m benchmarks.coverage [--studies 100] [--only paired factorial ...] [--seed 0]

Prints, for each cell, what was measured with its standard error, and what is expected: measured
before, with thousands of studies a cell. A cell that is more than three standard errors on the
wrong side of it is marked `!`. The default takes about a minute of one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ablate.analysis import Decisions, Metric, effects, shapley
from ablate.analysis.against import against

FID = Metric("fid", "ratio", higher_is_better=False)
REFERENCE = "reference"
ARMS = [REFERENCE, *(f"t{k}" for k in range(1, 8))]


class Cell(NamedTuple):
    """One number of a study: hits out of tries.

    Attributes:
        name: What is counted.
        expected: In percent, as measured before.
        wrong: -1 if less is worse, 1 if more is.
        hits: Over all studies.
        tries: Over all studies.
    """

    name: str
    expected: str
    wrong: int
    hits: int
    tries: int


def results(arms: list[str], values: np.ndarray) -> pd.DataFrame:
    """Return `[A, N]` values as `final_values` would; NaN failed."""
    seeds = values.shape[1]
    failed = ~np.isfinite(values).ravel()
    return pd.DataFrame(
        {
            "arm": np.repeat(arms, seeds),
            "seed": np.tile(np.arange(seeds), len(arms)),
            "value": values.ravel(),
            "failed": failed,
            "mark": "",
            "status": np.where(failed, "diverged", "done"),
            "trial": [f"{arm}/{seed}" for arm in arms for seed in range(seeds)],
            "generator": "raw",
            "protocol": "simulated",
            "resample_sd": 0.0,
            "images_shown": 1.0,
            "wall_seconds": 1.0,
            "device_seconds": 1.0,
            "peak_memory_bytes": 1.0,
        }
    )


def noise(rng: np.random.Generator, arms: int, seeds: int, sigma: float, rho: float) -> np.ndarray:
    """Return `[A, N]` logs with SD sigma, correlation rho between arms of one seed."""
    common = rng.normal(0, sigma * np.sqrt(rho), seeds)
    return common + rng.normal(0, sigma * np.sqrt(1 - rho), (arms, seeds))


def compared(values: np.ndarray, decisions: Decisions | None = None) -> pd.DataFrame:
    table = against(
        results(ARMS, values), dict.fromkeys(ARMS, REFERENCE), FID, decisions or Decisions()
    )
    return table[table["arm"] != REFERENCE]


def paired(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """8 arms, lognormal 0.1, rho 0.3, two arms at -20 % and -40 %; 5 seeds."""
    truth = np.log([1, 0.8, 0.6, 1, 1, 1, 1, 1])[:, None]
    covered = false = wrong = found = 0
    for _ in range(studies):
        table = compared(20 * np.exp(truth + noise(rng, 8, 5, 0.1, 0.3)))
        real = np.exp(truth[1:, 0])
        covered += int(((table["low"] <= real) & (real <= table["high"])).sum())
        sure = table["verdict"].isin(["better", "worse"]).to_numpy()
        false += int(sure[2:].any())
        wrong += int((table["verdict"].to_numpy()[:2] == "worse").any())
        found += int(table["verdict"].iloc[0] == "better")
    yield Cell("paired t, n = 5: coverage of 95 %", "94.7-98.2", -1, covered, 7 * studies)
    yield Cell("  a null arm is named, verdict rule", "4", 1, false, studies)
    yield Cell("  better at -20 %", "45", -1, found, studies)
    yield Cell("  wrong direction", "< 0.05", 1, wrong, studies)


def holm(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """8 arms, sigma 0.15, nothing differs: who is named, by which test; 10 seeds."""
    named = dict.fromkeys(("p_holm", "p_flip", "guarded"), 0)
    for _ in range(studies):
        values = 20 * np.exp(noise(rng, 8, 10, 0.15, 0.3))
        table, guard = compared(values), compared(values, Decisions(variance="guarded"))
        for name in ("p_holm", "p_flip"):
            named[name] += int((table[name] <= 0.05).any())
        named["guarded"] += int((guard["p_holm"] <= 0.05).any())
    yield Cell("family-wise error, n = 10: t + Holm", "<= 5.3", 1, named["p_holm"], studies)
    yield Cell("  sign-flip max-t", "<= 5.4", 1, named["p_flip"], studies)
    yield Cell("  guarded variance + Holm", "3", 1, named["guarded"], studies)


def failing(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """8 arms, sigma 0.1, rho 0.3, 10 % marked failures, an arm at -20 %; 8 seeds."""
    truth = np.log([1, 0.8, 1, 1, 1, 1, 1, 1])[:, None]
    false = found = 0
    for _ in range(studies):
        values = 20 * np.exp(truth + noise(rng, 8, 8, 0.1, 0.3))
        values[rng.random(values.shape) < 0.1] = np.nan
        verdicts = compared(values)["verdict"].to_numpy()
        false += int(np.isin(verdicts[1:], ["better", "worse"]).any())
        found += int(verdicts[0] == "better")
    yield Cell("10 % failures, n = 8: a null arm is named", "4", 1, false, studies)
    yield Cell("  better at -20 %", "66", -1, found, studies)


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


def factorial(varying: float, expected: tuple[str, str, str]) -> Callable[..., Iterator[Cell]]:
    """2^4 x 3, sigma 0.2: trick a at -20 % (or 0), its half-effect varies by seed with an SD."""

    def cells(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
        plan = four()
        arms = [arm["arm"] for arm in plan["arms"]]
        sign = np.array([1 if arm["levels"]["a"] == "on" else -1 for arm in plan["arms"]])
        covered = named = found = 0
        for study in range(studies):
            real = np.log(0.8) if study % 2 else 0.0  # power, then error
            half = real / 2 + rng.normal(0, varying, 3) if varying else np.full(3, real / 2)
            logs = noise(rng, 16, 3, 0.2, 0.3) + sign[:, None] * half
            table = effects(results(arms, 20 * np.exp(logs)), plan, FID, Decisions())
            low, high = np.log(table["low"].iloc[0]), np.log(table["high"].iloc[0])
            covered += int(low <= real <= high)
            if study % 2:
                found += int(table["p_holm"].iloc[0] <= 0.05)
            else:
                named += int((table["p_holm"] <= 0.05).any())
        label = f"SD {varying:g} by seed" if varying else "no seed x trick"
        yield Cell(f"2^4 x 3 guarded, {label}: coverage", expected[0], -1, covered, studies)
        yield Cell("  family-wise error, 10 terms", expected[1], 1, named, (studies + 1) // 2)
        yield Cell("  found at -20 %", expected[2], -1, found, studies // 2)

    return cells


def shares(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """A game of 6 with interactions of two and three; 8 orders drawn afresh a seed; 5 seeds."""
    names = list("abcdef")
    plan = four("abcdef") | {"design": "shapley"}
    arms = [arm["arm"] for arm in plan["arms"]]
    on = np.array([[arm["levels"][n] == "on" for n in names] for arm in plan["arms"]])
    subset = {frozenset(np.array(names)[row]): i for i, row in enumerate(on)}
    covered = tries = 0
    for _ in range(studies):
        main, two = rng.normal(0, 0.2, 6), np.triu(rng.normal(0, 0.1, (6, 6)), 1)
        three = rng.normal(0, 0.1)
        worth = on @ main + np.einsum("ai,ij,aj->a", on, two, on) + three * on[:, :3].all(1)
        truth = main + (two + two.T).sum(1) / 2 + np.where(np.arange(6) < 3, three / 3, 0)
        values = 20 * np.exp(worth[:, None] + noise(rng, 64, 5, 0.1, 0.3))
        ran, orders = np.zeros(values.shape, bool), {}
        for seed in range(5):
            drawn = [list(rng.permutation(names)) for _ in range(4)]
            orders[str(seed)] = [order for one in drawn for order in (one, one[::-1])]
            for order in orders[str(seed)]:
                for size in range(7):
                    ran[subset[frozenset(order[:size])], seed] = True
        final = results(arms, values)[ran.ravel()]
        table = shapley(final, plan | {"permutations": orders}, FID, Decisions())
        inside = (np.log(table["low"]) <= truth) & (truth <= np.log(table["high"]))
        covered, tries = covered + int(inside.sum()), tries + 6
    yield Cell("Shapley, 8 fresh orders a seed, n = 5: coverage", "95", -1, covered, tries)


BENCHES = {
    "paired": paired,
    "holm": holm,
    "failing": failing,
    "factorial": factorial(0.0, ("96", "3.3", "83")),
    "varying": factorial(0.05, ("89", "5.0", "56")),
    "shapley": shares,
}


def line(cell: Cell) -> str:
    rate = cell.hits / cell.tries
    error = np.sqrt(max(rate * (1 - rate), 1 / cell.tries) / cell.tries)
    expected = float(cell.expected.strip("<= ").split("-")[0])
    off = cell.wrong * (100 * rate - expected) > 300 * error
    return (
        f"{cell.name:52}{100 * rate:7.1f} +- {100 * error:<6.1f}{cell.expected:>10}"
        f"{' !' if off else ''}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=100)
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=list(BENCHES))
    parser.add_argument("--seed", type=int, default=0)
    parsed = parser.parse_args()
    print(f"{f'{parsed.studies} studies a cell, percent':52}{'measured':>12}{'expected':>14}")
    for place, name in enumerate(BENCHES):
        if name in parsed.only:
            for cell in BENCHES[name](np.random.default_rng([parsed.seed, place]), parsed.studies):
                print(line(cell), flush=True)


if __name__ == "__main__":
    main()
