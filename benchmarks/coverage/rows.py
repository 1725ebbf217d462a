"""Thousands of tables of arms at once: paired t, Holm and verdict over whole arrays.

As in `benchmarks.coverage.many`, the formulas are written a second time and the first studies of
every set go through `ablate.analysis.against` too, which must say the same.

Legend: S studies, A arms, N seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from ablate.analysis import Decisions
from ablate.analysis.against import against
from ablate.analysis.failure_test import FAMILY, FEWEST_SEEDS, UNTOLD, FailureTest, mcnemar_test
from ablate.analysis.metric import Values
from ablate.analysis.paired import FEWEST_PAIRS, Paired
from ablate.analysis.verdict import Evidence, verdict
from benchmarks.coverage.many import CHECKED, holm, tarone
from benchmarks.coverage.studies import FID, NOTHING, results


class Rows(NamedTuple):
    """What is said of every arm but the first, `[S, A - 1]`; NaN where nothing is.

    Attributes:
        mean: Of paired differences, in logs.
        half: Half width of its interval.
        p: Of each alone.
        p_holm: Of all together.
        words: Verdicts.
    """

    mean: Values
    half: Values
    p: Values
    p_holm: Values
    words: npt.NDArray[np.str_]


def tell_arms(values: Values, ladder: bool = False, words: bool = True) -> Rows:
    """Return what is said of arms `[S, A, N]`, NaN failed, each held against the first.

    Args:
        values: Of every study.
        ladder: Each is held against the one before instead.
        words: Whether verdicts are wanted.
    """
    other = values[:, :-1] if ladder else np.repeat(values[:, :1], values.shape[1] - 1, 1)
    found = _estimates(np.log(values[:, 1:]) - np.log(other))
    if words:
        found.words[:] = _words(values[:, 1:], other, found)
    _check(values[:CHECKED], ladder, words, found)
    return found


def t_over(differences: Values) -> Rows:
    """Return the answer of Student's t over the last axis of `[S, A, N]`, which has no holes."""
    return _estimates(differences)


def _estimates(d: Values) -> Rows:
    there = np.isfinite(d)
    n = there.sum(2)
    kept = np.where(there, d, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = kept.sum(2) / n
        squares = (np.where(there, d - mean[:, :, None], 0.0) ** 2).sum(2)
        error = np.sqrt(squares / (n - 1) / n)
        error = np.where(n >= FEWEST_PAIRS, error, np.nan)
        p = 2 * special.stdtr(n - 1, -np.abs(mean / error))
    half = special.stdtrit(np.maximum(n - 1, 1), 0.975) * error
    return Rows(mean, half, p, holm(p), np.full(p.shape, "", dtype="U16"))


@cache
def _mcnemar(only_arm: int, only_other: int, seeds: int) -> FailureTest:
    return mcnemar_test(only_arm, only_other) if seeds >= FEWEST_SEEDS else UNTOLD


def _words(mine: Values, other: Values, found: Rows) -> Sequence[Sequence[str]]:
    broken, reference = np.isnan(mine), np.isnan(other)
    seeds = mine.shape[2]
    only = (broken & ~reference).sum(2), (reference & ~broken).sum(2)
    worst = np.fmax(np.nanmax(np.where(broken, -np.inf, mine), 2),
                    np.nanmax(np.where(reference, -np.inf, other), 2))[:, :, None]  # fmt: skip
    with np.errstate(invalid="ignore"):
        turned = (np.log(np.where(broken, worst, mine))
                  - np.log(np.where(reference, worst, other))).mean(2)  # fmt: skip
    pairs = (~broken & ~reference).sum(2)
    said = []
    for s in range(len(mine)):
        tests = [_mcnemar(int(a), int(b), seeds) for a, b in zip(only[0][s], only[1][s],
                                                                 strict=True)]  # fmt: skip
        failures = tarone(tests)
        said.append([
            verdict(Evidence(
                paired=Paired(int(pairs[s, a]), float(found.mean[s, a]),
                              0.1 if found.half[s, a] > 0 else 0.0),
                p_adjusted=float(found.p_holm[s, a]),
                suspects=(),
                more_failures=int(only[0][s, a] - only[1][s, a]),
                worst=float(turned[s, a]),
                failing=_failing(tests[a], failures[a]),
            ), FID)[0]
            for a in range(mine.shape[1])
        ])  # fmt: skip
    return said


def _failing(test: FailureTest, adjusted: float) -> str:
    if not adjusted <= FAMILY:
        return ""
    return "fails more" if test.excess > 0 else "fails less"


def _check(values: Values, ladder: bool, words: bool, found: Rows) -> None:
    """Refuse to go on where the analysis itself says something else."""
    arms = [f"t{place}" for place in range(values.shape[1])]
    others = arms[:-1] if ladder else arms[:1] * (len(arms) - 1)
    for study, one in enumerate(values):
        table = against(results(arms, one), dict(zip(arms[1:], others, strict=True)), FID,
                        Decisions(), NOTHING)  # fmt: skip
        for name in ("p", "p_holm"):
            theirs = table[name].to_numpy(float)
            np.testing.assert_allclose(getattr(found, name)[study], theirs, rtol=1e-7, atol=1e-12)
        if words:
            assert list(found.words[study]) == list(table["verdict"]), study
