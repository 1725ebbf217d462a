"""Power that is promised by `ablate plan`, and what is found by the verdicts of a table."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import log

import numpy as np

from ablate.analysis.decisions import ALPHA
from ablate.analysis.layout import layout_of
from ablate.analysis.share_failures import weights
from ablate.analysis.terms import terms_of
from ablate.plan.power import Question
from benchmarks.coverage.absent import seven, signs
from benchmarks.coverage.cells import Cell, cell
from benchmarks.coverage.designs import four
from benchmarks.coverage.many import tell
from benchmarks.coverage.rows import t_over
from benchmarks.coverage.tuned import by_repeat

SD = 0.1  # of paired differences
RATIOS = (0.95, 0.9, 0.8)


def promised(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """One real change among nulls, named after Holm; in brackets what was said."""
    yield from _arms(rng, studies)
    yield from _effects(rng, studies)
    yield from _shares(rng, studies)
    yield from _repeats(rng, studies)


def _cells(title: str, row: str, ratio: float, hits: object, said: float) -> Iterator[Cell]:
    yield cell(title, row, f"-{100 * (1 - ratio):.0f} %", hits, f"{100 * said:.1f}")


def _arms(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    for (m, n), ratio in product(((1, 5), (4, 10), (7, 5), (7, 10), (7, 15), (15, 10)), RATIOS):
        logs = rng.normal(0, SD / np.sqrt(2), (studies, m + 1, n))
        logs[:, 1] += log(ratio)
        named = t_over(logs[:, 1:] - logs[:, :1]).p_holm[:, 0] <= ALPHA
        said = Question("", m).power(-log(ratio), SD, n, ALPHA)
        yield from _cells("Power found (promised), arms, SD of differences 0.1",
                          f"{m} arms, {n} seeds", ratio, named, said)  # fmt: skip
    logs = rng.normal(0, SD / np.sqrt(2), (studies, 8, 10))
    logs[:, 1:] += log(0.9)
    named = t_over(logs[:, 1:] - logs[:, :1]).p_holm[:, 0] <= ALPHA
    said = Question("", 7).power(-log(0.9), SD, 10, ALPHA)
    row = f"7 arms, 10 seeds, all real (said of one: {100 * said:.1f})"
    yield cell("Power found (promised), arms, SD of differences 0.1", row, "-10 %", named)


def _effects(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    designs = {
        "2^3 x 3": (four("abc"), 3), "2^3 x 5": (four("abc"), 5), "2^4 x 3": (four(), 3),
        "2^4 x 5": (four(), 5), "2^(7-3) x 3": (seven(), 3),
    }  # fmt: skip
    for (name, (plan, n)), sd, ratio in product(designs.items(), (0.1, 0.2 * np.sqrt(2)), RATIOS):
        a, terms = signs(plan)[:, :1], terms_of(layout_of(plan))
        logs = rng.normal(0, sd / np.sqrt(2), (studies, len(a), n)) + a * log(ratio) / 2
        found = tell(plan, 20 * np.exp(logs))
        size = float(np.square(terms[0].contrast).sum())
        question = Question("", len(terms), float(np.sqrt(size / 2)), len(a))
        said = question.power(-log(ratio), sd, n, ALPHA)
        named = found.p_holm[:, found.at("a")] <= ALPHA
        yield from _cells("Power found (promised), effects", f"{name}, SD of differences {sd:.2g}",
                          ratio, named, said)  # fmt: skip


def _shares(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """Exact shares of 4 tricks, of which a alone has one."""
    subsets = [frozenset(x for x, on in zip("abcd", run, strict=True) if on)
               for run in product((0, 1), repeat=4)]  # fmt: skip
    column = np.array([weights(subsets, factor, "abcd", None) for factor in "abcd"])
    on = np.array(["a" in subset for subset in subsets])
    for n, ratio in product((3, 5, 10), RATIOS):
        logs = rng.normal(0, SD / np.sqrt(2), (studies, 16, n)) + on[:, None] * log(ratio)
        named = t_over(np.einsum("fj,sjn->sfn", column, logs)).p_holm[:, 0] <= ALPHA
        size = float(np.square(column[0]).sum())
        said = Question("", 4, float(np.sqrt(size / 2))).power(-log(ratio), SD, n, ALPHA)
        title = "Power found (promised), Shapley shares of 4 tricks, SD of differences 0.1"
        yield from _cells(title, f"{n} seeds", ratio, named, said)


def _repeats(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """Seven searched arms and the reference, noise 0.1, 5 seeds a repeat."""
    for k, tau in product((3, 5, 10), (0.05, 0.1, 0.3)):
        logs = rng.normal(0, tau, (studies, 8, k, 1)) + rng.normal(0, 0.1, (studies, 8, k, 5))
        logs[:, 1] += log(0.8)
        named = t_over(by_repeat(logs[:, 1:] - logs[:, :1])).p_holm[:, 0] <= ALPHA
        sd = float(np.sqrt(2 * (tau**2 + 0.1**2 / 5)))
        said = Question("", 7).power(-log(0.8), sd, k, ALPHA)
        yield cell("Power found (promised), t over repeats, seven searched arms, -20 %",
                   f"k={k}", f"spread {tau:g}", named, f"{100 * said:.1f}")  # fmt: skip
