"""Failures in the table of Shapley shares."""

from itertools import chain, combinations, product
from math import factorial

import numpy as np
import pytest
from scipy import stats

from ablate.analysis import Decisions, shapley
from ablate.analysis.share_failures import weights
from tests.analysis.designs import FD, noisy, results, study, switches

FOUR = study(switches("abcd"), design="shapley")
ALL = [frozenset(s) for s in chain.from_iterable(combinations("abcd", r) for r in range(5))]


def planted(dead, seeds=3, ratio=0.7, plan=FOUR):
    """Return values in which `a` helps and every arm with all tricks of `dead` fails."""
    values = noisy(plan, seeds, sd=0.03)
    for arm in plan["arms"]:
        on = {name for name, level in arm["levels"].items() if level == "on"}
        values[arm["arm"]] = [v * (ratio if "a" in on else 1) for v in values[arm["arm"]]]
        if set(dead) <= on:
            values[arm["arm"]] = [None] * seeds
    return values


def found(values, plan=FOUR):
    return shapley(results(values), plan, FD, Decisions()).set_index("factor")


def test_the_weights_are_those_of_the_shares():
    worth = {subset: float(np.random.default_rng(n).normal()) for n, subset in enumerate(ALL)}
    for factor in "abcd":
        by_hand = sum(
            factorial(len(s)) * factorial(3 - len(s)) / 24 * (worth[s | {factor}] - worth[s])
            for s in ALL if factor not in s
        )  # fmt: skip
        mine = weights(ALL, factor, "abcd", None) @ [worth[s] for s in ALL]
        assert mine == pytest.approx(by_hand, abs=1e-12)
        some = [tuple("abcd"), tuple("dcba")]
        ran = sorted({frozenset(o[:i]) for o in some for i in range(5)}, key=sorted)
        told = weights(ran, factor, "abcd", some) @ [worth[s] for s in ran]
        gains = [
            worth[frozenset(o[: o.index(factor) + 1])] - worth[frozenset(o[: o.index(factor)])]
            for o in some
        ]
        assert told == pytest.approx(np.mean(gains), abs=1e-12)


def test_everything_on_is_dead_and_that_is_said():
    table = found(planted("ab"))
    assert table.loc["a", ["failed_with", "failed_without"]].tolist() == [12, 0]
    assert table.loc[["a", "b"], "verdict"].tolist() == ["fails more"] * 2
    assert table.loc["a", "reason"].endswith("always fails together with b")
    assert set(table.loc[["c", "d"], "verdict"]) == {"no interval"}
    assert table.loc["c", "reason"].startswith("everything on fails in all of its seeds")


def test_the_test_is_enumeration_with_shapley_weights():
    values = planted("zz", seeds=3)
    for arm in ("a", "a+b", "a+c"):
        values[arm][0] = None
    values["a+d"][1] = values["b"][1] = values["a+b+c"][2] = values["d"][2] = None
    table = found(values)
    names = {arm["arm"]: frozenset(n for n in "abcd" if arm["levels"][n] == "on")
             for arm in FOUR["arms"]}  # fmt: skip
    own = {arm: weights([*names.values()], "a", "abcd", None)[i] for i, arm in enumerate(names)}
    column = np.array([own[arm] for arm in names])
    failed = np.array([[values[arm][seed] is None for arm in names] for seed in range(3)])
    parts = [
        [column[list(at)].sum() for at in combinations(range(16), row.sum())] for row in failed
    ]
    sums = np.add.outer(np.add.outer(*parts[:2]), parts[2]).ravel()
    seen = (failed * column).sum()
    exact = (np.abs(sums) >= abs(seen) - 1e-9).mean()
    per_seed = failed @ column
    own_spread = 3 * per_seed.var(ddof=1)
    chance = sum(m * (16 - m) / 240 * (column**2).sum() for m in failed.sum(1))
    guard = 2 * stats.norm.sf(abs(seen) / own_spread**0.5) if own_spread > chance else 0.0
    assert table.loc["a", "p_failures"] == pytest.approx(max(exact, guard), rel=1e-9)
    assert 0 < guard < exact


def test_a_share_that_pays_in_failures_is_a_trade_off():
    plan = study(switches("abcd"), design="shapley")
    values = planted("zz", seeds=10, ratio=0.6)
    for seed, arm in product(range(10), ("a", "a+c", "a+d")):
        values[arm][seed] = None if seed % 2 else values[arm][seed]
    table = found(values, plan)
    assert table.loc["a", "verdict"] == "trade-off"
    assert "15 of 80 trials with it failed and 0 of 80 without" in table.loc["a", "reason"]


def test_where_nothing_fails_no_word_is_about_failures():
    table = found(planted("zz"))
    assert set(table["reason"]) == {""} and set(table["p_failures"]) == {1.0}
    np.testing.assert_allclose(table["worst_effect"], table["effect"], rtol=1e-12)
