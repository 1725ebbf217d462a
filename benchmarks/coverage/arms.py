"""Arms against a reference: interval, family-wise error, verdict, tuned arms, looks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd

from ablate.analysis import Decisions
from ablate.analysis.adjust import holm
from ablate.analysis.metric import Values
from benchmarks.coverage.cells import ERROR, INTERVAL, WRONG, Cell, cell
from benchmarks.coverage.noise import NOISE, UNEQUAL, lognormal, mix, normals
from benchmarks.coverage.studies import batched, compared


def intervals(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """8 arms at their truths: the interval of each, and who is named after Holm."""
    kept: dict[tuple[str, int], list[tuple[Values, Values]]] = {}
    settings = [(name, noise, rho, 1) for name, noise in NOISE.items() for rho in (0.0, 0.3, 0.7)]
    settings += [(name, noise, 0.3, 2) for name, noise in UNEQUAL.items()]
    for (name, noise, rho, times), n in product(settings, (3, 4, 5, 8, 10, 20)):
        found = batched(noise(rng, normals(rng, times * studies, 8, n, rho)))
        inside = (found["low"] <= 1) & (found["high"] >= 1)
        named = np.array([holm(pd.Series(p)) for p in found["p"]]) <= 0.05
        kept.setdefault((name, n), []).append((inside, named))
        title = "Interval: coverage of nominal 95 %"
        yield cell(title, f"{name}, rho {rho}", f"n={n}", inside.mean(1), INTERVAL)
    for (name, n), parts in kept.items():
        named = np.concatenate([one for _, one in parts])
        title = "Family-wise error: t + Holm, 7 comparisons at their truths, all rho"
        yield cell(title, name, f"n={n}", named.any(1), ERROR)
    for (name, n), parts in kept.items():
        if name.startswith("normal"):
            inside, named = (np.concatenate(both) for both in zip(*parts, strict=True))
            title = "Where noise is added to the values: the arm at 0.6 of the reference, and nulls"
            yield cell(title, f"{name}, coverage at 0.6", f"n={n}", inside[:, 1], INTERVAL)
            yield cell(title, f"{name}, a null is named", f"n={n}", named[:, 2:].any(1), ERROR)


# (sigma, trials) -> what was measured before at n = 3, 5, 8, 10: named, -20 %, -40 %, suspect, few
RULE = {
    (0.1, "clean"): ("4 4 4 5", "10 45 91 98", "33 99 100 100", "0 0 0 0", "0 0 0 0"),
    (0.3, "clean"): ("3 3 4 4", "2 4 10 16", "5 22 63 82", "1 1 1 1", "0 0 0 0"),
    (0.1, "10 % failed"): ("2 4 4 4", "5 25 66 78", "18 73 89 88", "0 0 0 0", "47 5 0 0"),
    (0.3, "10 % failed"): ("2 3 4 3", "1 3 6 9", "3 14 41 57", "1 1 1 1", "47 5 0 0"),
    (0.1, "10 % x5"): ("2 1 1 1", "4 15 16 12", "18 35 18 12", "44 64 81 88", "0 0 0 0"),
    (0.3, "10 % x5"): ("2 1 1 0", "1 1 2 3", "3 8 15 14", "33 49 67 75", "0 0 0 0"),
}

WORSE = "Wrong direction: `worse` for an arm at -20 % or -40 %"


def verdicts(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """The whole rule: 8 arms, two of them at -20 % and -40 %, rho 0.3."""
    truth = np.array([1, 0.8, 0.6, 1, 1, 1, 1, 1])[:, None]
    wrong: list[Values] = []
    for (sigma, trials), before in RULE.items():
        for place, n in enumerate((3, 5, 8, 10)):
            noise = mix(sigma) if trials == "10 % x5" else lognormal(sigma)
            values = truth * noise(rng, normals(rng, studies // 2, 8, n))
            if trials == "10 % failed":
                values[rng.random(values.shape) < 0.1] = np.nan
            words = np.array([compared(one)["verdict"] for one in values])
            sure = np.isin(words, ["better", "worse"])
            rows = {
                "a null arm is named": (sure[:, 2:].any(1), before[0]),
                "better at -20 %": (words[:, 0] == "better", before[1]),
                "better at -40 %": (words[:, 1] == "better", before[2]),
                "suspect": ((words == "suspect").mean(1), before[3]),
                "too few seeds": ((words == "too few seeds").mean(1), before[4]),
                "trade-off at -40 %": (words[:, 1] == "trade-off", ""),
            }
            for row, (hits, told) in rows.items():
                promise = told.split()[place] if told else ""
                yield cell(f"Verdict, sigma {sigma}, {trials}", row, f"n={n}", hits, promise)
            wrong.append((words[:, :2] == "worse").mean(1))
            yield cell(WORSE, f"sigma {sigma}, {trials}", f"n={n}", wrong[-1], WRONG)
    yield cell(WORSE, "all of these", "every n", np.concatenate(wrong), WRONG)


def opinions(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """Who is named where nothing differs, by the second opinion and the guarded variance."""
    every = NOISE | UNEQUAL
    names = ("lognormal 0.1", "t3", "mix", "hetero 0.5", "one arm x4", "reference x4")
    guarded = Decisions(variance="guarded")
    for name, n in product(names, (5, 8, 10)):
        drawn = every[name](rng, normals(rng, studies // 2, 8, n))
        found = [compared(one, guarded) for one in drawn]
        for column, told in (("p_holm", "guarded variance"), ("p_flip", "sign-flip max-t")):
            if column == "p_holm" or n >= 6:
                named = [bool((one[column] <= 0.05).any()) for one in found]
                promise = ERROR if column == "p_flip" else ""
                title = f"Family-wise error of the {told}, 7 null arms, rho 0.3"
                yield cell(title, name, f"n={n}", named, promise)


def curse(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """The best of many equal settings against the reference, on which seeds? sigma 0.1, rho 0.3."""
    for count, (told, tuned, scored, before) in product((8, 32), (
        ("tuned on 3 of the 5", slice(0, 3), slice(0, 5), ("7.5", "11")),
        ("tuned on all 5", slice(0, 5), slice(0, 5), ("10", "18")),
        ("5 fresh seeds", slice(0, 5), slice(5, 10), ("2.5", "2.5")),
    )):  # fmt: skip
        values = lognormal(0.1)(rng, normals(rng, 4 * studies, count + 1, 10))
        best = 1 + np.log(values[:, 1:, tuned]).mean(2).argmin(1)
        both = np.stack([values[:, 0], values[np.arange(len(values)), best]], 1)
        found = batched(both[:, :, scored])
        hits = (found["p"] <= 0.05) & (found["effect"] < 1)
        yield cell("Winner's curse: false `better` of the best of equal settings", told,
                   f"best of {count}", hits[:, 0], before[count == 32])  # fmt: skip


def looks(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """Stopping at the first p that is small enough, and the margin: one comparison."""
    values = lognormal(0.1)(rng, normals(rng, 4 * studies, 2, 10))
    for planned, before in (((3, 5, 8, 10), ("13.5", "3.9")), ((5, 10), ("8.5", "4.4")),
                            (tuple(range(3, 11)), ("16.6", "2.8"))):  # fmt: skip
        p = np.array([batched(values[:, :, :n])["p"][:, 0] for n in planned])
        for told, alpha, promise in zip(("p <= 0.05", "planned: alpha divided"),
                                        (0.05, Decisions(looks=planned).alpha), before,
                                        strict=True):  # fmt: skip
            row = f"looks at {', '.join(map(str, planned))}"
            yield cell("Looking early: false verdicts", row, told, (p <= alpha).any(0), promise)
    for n, before in ((5, "15"), (10, "53"), (20, "93")):
        for real, promise in ((1.0, before), (1.05, "<=5")):
            z = normals(rng, 4 * studies, 2, n, 0.0) * 0.06 / np.sqrt(2)
            values = np.exp(z) * np.array([[1], [real]])
            found = batched(values, Decisions(margin=5))["p_equivalence"][:, 0] <= 0.05
            yield cell("`no difference beyond 5 %`, SD of log differences 0.06",
                       f"true ratio {real}", f"n={n}", found, promise)  # fmt: skip
