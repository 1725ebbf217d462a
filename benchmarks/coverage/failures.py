"""What failures do to the answers, and how sure their rates are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from scipy import stats

from ablate.analysis import policies
from ablate.analysis.failures import wilson
from ablate.analysis.reliability import mcnemar_p
from benchmarks.coverage.cells import Cell, cell
from benchmarks.coverage.noise import lognormal, normals
from benchmarks.coverage.studies import FID, REFERENCE, compared, results

# rates at which arm and reference fail, true ratio -> (n = 5, n = 10): better, trade-off, too few
FAILING = {
    (0.1, 0.1, 1.0): (("", "", "5"), ("", "", "")),
    (0.1, 0.1, 0.8): (("", "", "5"), ("", "11.5", "")),
    (0.3, 0.05, 1.0): (("", "", "22"), ("", "", "")),
    (0.3, 0.05, 0.8): (("", "10.5", "22"), ("", "67", "")),
}


def failing(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """One arm, sigma 0.1, rho 0.3: what failures do to the verdict, and each policy beside it."""
    settings = product(FAILING.items(), enumerate((5, 10)))
    for ((mine, other, real), before), (place, n) in settings:
        values = lognormal(0.1)(rng, normals(rng, studies // 2, 2, n)) * np.array([[1], [real]])
        values[rng.random(values.shape) < np.array([[other], [mine]])] = np.nan
        words, sides = [], []
        for one in values:
            words.append(compared(one)["verdict"].iloc[0])
            chosen = ["exclude", "worst", "censor"]
            table = policies(results([REFERENCE, "t1"], one), REFERENCE, FID, chosen)
            fewer = np.where(table["policy"] == "censor", n - 2 * table["seeds_better"],
                             table["effect"] - 1)  # fmt: skip
            sides.append(np.where(table["p"] <= 0.05, np.sign(fewer), 0))
        row = f"arm fails {100 * mine:g} %, reference {100 * other:g} %, ratio {real}, n={n}"
        for word, promise in zip(("better", "trade-off", "too few seeds"), before[place],
                                 strict=True):  # fmt: skip
            yield cell("Failures: the verdict", row, word, np.array(words) == word, promise)
        for i, policy in enumerate(("exclude", "worst", "censor")):
            for side, told in ((-1, "better"), (1, "worse")):
                hits = np.array(sides)[:, i] == side
                yield cell("Failures: p <= 0.05 of one comparison, by policy", row,
                           f"{policy}: {told}", hits)  # fmt: skip


def rates(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """Failure rates, exactly: no study is drawn."""
    grid = np.linspace(0.02, 0.30, 281)
    for n, before in ((3, "94.9"), (5, "95.3"), (10, "95.7"), (20, "95.5")):
        low, high = np.array([wilson(failed, n) for failed in range(n + 1)]).T[:, :, None]
        chance = stats.binom.pmf(np.arange(n + 1)[:, None], n, grid)
        covered = 100 * (chance * ((low <= grid) & (grid <= high))).sum(0)
        title = "Wilson interval of a failure rate of 2 to 30 %: coverage"
        yield Cell(title, "mean over rates", f"n={n}", covered.mean(), 0, before)
        yield Cell(title, "at the worst rate", f"n={n}", covered.min(), 0, "")
    split = np.arange(21)
    rejects = np.array([[k <= d and mcnemar_p(k, d - k)[1] <= 0.05 for k in split] for d in split])
    given = (stats.binom.pmf(split, split[:, None], 0.5) * rejects).sum(1)
    size = [stats.binom.pmf(split, 20, 2 * rate * (1 - rate)) @ given for rate in grid]
    yield Cell("McNemar's mid-p: error of two arms that fail alike", "highest, rates 2 to 30 %",
               "n=20", 100 * max(size), 0, "<=3.4")  # fmt: skip
