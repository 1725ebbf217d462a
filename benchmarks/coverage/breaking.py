"""Tricks that break trials: never called better, and no word where failures are luck."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from typing import Any, NamedTuple

import numpy as np

from ablate.analysis import Decisions, shapley
from ablate.analysis.metric import Values
from benchmarks.coverage.absent import seven, signs
from benchmarks.coverage.cells import BRAKE, ERROR, NEVER, Cell, cell
from benchmarks.coverage.designs import four
from benchmarks.coverage.many import tell
from benchmarks.coverage.rows import tell_arms
from benchmarks.coverage.studies import FID, results

NOISE = 0.1
WORDS = ("better", "worse", "better together", "worse together", "trade-off", "fails more",
         "fails less")  # fmt: skip


class Breaking(NamedTuple):
    """What breaks trials.

    Attributes:
        ratio: What trick a really changes.
        dead: Tricks whose arms never end, where all of them are on.
        failing: Share of the other trials.
        rate: Share of the trials with a, in place of `failing`.
    """

    ratio: float
    dead: str = ""
    failing: float = 0.0
    rate: float = 0.0


CASES = {
    "a with b dead, a at -20 %": Breaking(0.8, "ab"),
    "the same, 10 % of the others failed": Breaking(0.8, "ab", 0.1),
    "a with b dead, a at -40 %": Breaking(0.6, "ab"),
    "the same, 10 % of the others failed, -40 %": Breaking(0.6, "ab", 0.1),
    "a with b and c dead, a at -40 %": Breaking(0.6, "abc"),
    "the same three, 10 % of the others failed": Breaking(0.6, "abc", 0.1),
    "b with c dead, a at -40 %": Breaking(0.6, "bc"),
    "a fails 30 %, others 5 %, a at -20 %": Breaking(0.8, "", 0.05, 0.3),
    "a fails 50 %, others 5 %, a at -20 %": Breaking(0.8, "", 0.05, 0.5),
    "a fails 30 %, others 5 %, no effect": Breaking(1.0, "", 0.05, 0.3),
    "a fails 50 %, others 5 %, no effect": Breaking(1.0, "", 0.05, 0.5),
}
# case, column -> what was measured before in each of `designs`
BEFORE = {
    ("a with b dead, a at -20 %", "of b: fails more"): "0 100 100 100",
    ("the same, 10 % of the others failed", "of b: fails more"): "13 51 70 58",
    ("a fails 30 %, others 5 %, a at -20 %", "better"): "51 x 34 x",
    ("a fails 30 %, others 5 %, a at -20 %", "trade-off"): "21 x 63 x",
    ("a fails 50 %, others 5 %, a at -20 %", "better"): "13 x 3 x",
    ("a fails 50 %, others 5 %, a at -20 %", "trade-off"): "34 x 85 x",
    ("a fails 30 %, others 5 %, no effect", "fails more"): "1 10 15 9",
    ("a fails 50 %, others 5 %, no effect", "fails more"): "21 60 65 59",
}


def designs() -> dict[str, tuple[dict[str, Any], int]]:
    """Return name -> plan and seeds."""
    return {
        "2^3 x 3": (four("abc"), 3),
        "2^3 x 5": (four("abc"), 5),
        "2^4 x 3": (four(), 3),
        "2^(7-3) x 3": (seven(), 3),
    }


def breaking(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """What is said of trick a; and of anything where failures are luck. Noise 0.1."""
    title = "A trick that breaks trials: the verdict of a"
    for (told, case), (at, (name, (plan, n))) in product(
        CASES.items(), enumerate(designs().items())
    ):
        found = tell(plan, _drawn(rng, studies, plan, n, case), words=True)
        assert found.words is not None
        a, b = (found.words[:, found.at(term)] for term in "ab")
        guilty = {"ab": NEVER, "abc": BRAKE}.get(case.dead, "")
        for column, hits in {
            "better": a == "better", "trade-off": a == "trade-off", "fails more": a == "fails more",
            "of b: fails more": b == "fails more",
        }.items():  # fmt: skip
            said = BEFORE.get((told, column), "x x x x").split()[at].replace("x", "")
            promise = guilty if column == "better" and guilty else said
            yield cell(title, f"{told}, {name}", column, hits, promise)
    title = "Failures that are luck, no effects: any term of the table has any word"
    for (name, (plan, n)), failing in product(designs().items(), (0.1, 0.3, 0.5)):
        found = tell(plan, _drawn(rng, studies, plan, n, Breaking(1.0, "", failing)), words=True)
        hits = np.isin(found.words, WORDS).any(1)
        yield cell(title, name, f"{100 * failing:g} % failed", hits, ERROR)
    for name, (plan, n) in designs().items():
        values = _worst_fail(_drawn(rng, studies, plan, n, Breaking(1.0)), 0.3)
        hits = np.isin(tell(plan, values, words=True).words, WORDS).any(1)
        yield cell(title, name, "the worst 30 % failed", hits, ERROR)


def broken_pairs(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """A pair of tricks that fails often together and helps alike: its interaction is none."""
    title = "a and b at -20 % each, no interaction, and arms with both fail"
    for rate, (name, (plan, n)) in product((0.3, 0.5), designs().items()):
        on = signs(plan)[:, :2] > 0
        values = _drawn(rng, studies, plan, n, Breaking(0.8, "", 0.05))
        values *= np.where(on[:, 1], 0.8, 1.0)[:, None]
        values[(rng.random(values.shape) < rate) & on.all(1)[:, None]] = np.nan
        found = tell(plan, values, words=True)
        assert found.words is not None
        pair = next(i for i, term in enumerate(found.terms) if term.startswith("a:b"))
        row = f"{100 * rate:g} % (others 5 %), {name}"
        yield cell(title, row, "a:b has a word", np.isin(found.words[:, pair], WORDS), ERROR)
        for word in ("better", "trade-off", "fails more"):
            yield cell(title, row, f"a {word}", found.words[:, found.at("a")] == word)


def _drawn(
    rng: np.random.Generator, studies: int, plan: dict[str, Any], n: int, case: Breaking
) -> Values:
    """Return `[S, J, N]` values; seeds differ by 0.1, which no answer may depend on."""
    on = signs(plan) > 0
    names = list(plan["factors"])
    logs = rng.normal(0, NOISE, (studies, len(on), n)) + rng.normal(0, 0.1, (studies, 1, n))
    values = 20 * np.exp(logs) * np.where(on[:, 0], case.ratio, 1.0)[:, None]
    rate = np.where(on[:, 0] & bool(case.rate), case.rate, case.failing)[:, None]
    values[rng.random(values.shape) < rate] = np.nan
    if case.dead:
        values[:, on[:, [names.index(x) for x in case.dead]].all(1)] = np.nan
    return values


def _worst_fail(values: Values, share: float) -> Values:
    """Return `values` of which the worst of every study are failures."""
    limit = np.quantile(values, 1 - share, axis=(1, 2), keepdims=True)
    return np.where(values > limit, np.nan, values)


def broken_arms(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """Arms and ladder steps, 8 of them: who is named where failures are luck, and where not."""
    for (kind, ladder), n in product((("arms", False), ("ladder", True)), (5, 8, 10)):
        title = f"Failures of {kind}, no effects: any of 7 has any word"
        for failing in (0.1, 0.3, 0.5):
            values = 20 * np.exp(rng.normal(0, NOISE, (studies, 8, n)))
            values[rng.random(values.shape) < failing] = np.nan
            hits = np.isin(tell_arms(values, ladder).words, WORDS).any(1)
            yield cell(title, f"n={n}", f"{100 * failing:g} % failed", hits, ERROR)
        title = f"Failures of {kind}: the fourth of 8 at -20 %, and fails"
        for told, rate in (("always", 1.0), ("50 %", 0.5), ("30 %", 0.3)):
            values = 20 * np.exp(rng.normal(0, NOISE, (studies, 8, n)))
            values[:, 3:] *= 0.8 if ladder else 1.0
            values[:, 3] *= 1.0 if ladder else 0.8
            failed = rng.random(values.shape) < 0.05
            failed[:, 3] = rng.random((studies, n)) < rate
            words = tell_arms(np.where(failed, np.nan, values), ladder).words[:, 2]
            for word in ("better", "trade-off", "fails more", "too few seeds"):
                promise = NEVER if rate == 1 and word == "better" else ""
                yield cell(title, f"{told} (others 5 %), n={n}", word, words == word, promise)


def broken_shares(rng: np.random.Generator, studies: int) -> Iterator[Cell]:
    """Shapley shares of 4 tricks, all subsets or 4 pairs of orders a seed; a tenth of the studies.

    A study goes through the analysis whole, which takes its time.
    """
    cases = {
        "a with b dead, a at -40 %": Breaking(0.6, "ab"),
        "a with b and c dead, 10 % of the others failed": Breaking(0.6, "abc", 0.1),
        "a fails 30 %, others never, no effect": Breaking(1.0, "", 0.0, 0.3),
        "luck: 10 % failed, no effects": Breaking(1.0, "", 0.1),
    }
    for (told, case), orders in product(cases.items(), (False, True)):
        plan, n = four() | {"design": "shapley"}, 5
        words = np.array([_shares(rng, plan, one, orders) for one in
                          _drawn(rng, max(4, studies // 10), plan, n, case)])  # fmt: skip
        which = "4 pairs of orders a seed" if orders else "all subsets"
        title = f"Failures in Shapley shares, 4 tricks, 5 seeds, {which}"
        promise = NEVER if case.dead else ""
        yield cell(title, told, "a better", words[:, 0] == "better", promise)
        yield cell(title, told, "a fails more", words[:, 0] == "fails more")
        yield cell(title, told, "b fails more", words[:, 1] == "fails more")
        any_word = np.isin(words, WORDS).any(1)
        yield cell(
            title,
            told,
            "any word of any",
            any_word,
            ERROR if case.ratio == 1 and not case.rate else "",
        )


def _shares(
    rng: np.random.Generator, plan: dict[str, Any], values: Values, orders: bool
) -> list[str]:
    """Return the verdict of every share."""
    arms = [arm["arm"] for arm in plan["arms"]]
    final = results(arms, values)
    if orders:
        every = list(permutations("abcd"))
        told = {}
        ran = np.zeros(values.shape, bool)
        subsets = [frozenset() if arm == "reference" else frozenset(arm.split("+")) for arm in arms]
        for seed in range(values.shape[1]):
            some = [every[at] for at in rng.choice(len(every), 4, replace=False)]
            told[str(seed)] = [list(one) for order in some for one in (order, order[::-1])]
            there = {frozenset(one[:i]) for one in told[str(seed)] for i in range(5)}
            ran[:, seed] = [subset in there for subset in subsets]
        plan = plan | {"permutations": told}
        final = final[ran.ravel()]
    return list(shapley(final, plan, FID, Decisions())["verdict"])
