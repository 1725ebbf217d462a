from itertools import chain, combinations, permutations

import numpy as np
import pytest
from scipy import stats

from ablate.analysis import Decisions, shapley
from ablate.analysis.shapley import of_seed
from ablate.errors import UserError
from tests.analysis.designs import FD, PLAIN, noisy, results, study, switches

W3 = {
    "reference": 40, "a": 34, "b": 38, "c": 41, "a+b": 30, "a+c": 33, "b+c": 37, "a+b+c": 25
}  # fmt: skip
ABC = study(switches("abc"), design="shapley")
SUBSETS = [frozenset(s) for s in chain.from_iterable(combinations("abcd", r) for r in range(5))]


def found(values, plan, metric=PLAIN, **decisions):
    table = shapley(results(values, metric), plan, metric, Decisions(**decisions))
    return table.set_index("factor")


def orders(count, seed, names="abcd"):
    """Return antithetic pairs: an order and its reverse."""
    rng = np.random.default_rng(seed)
    drawn = [list(rng.permutation(list(names))) for _ in range(count // 2)]
    return [order for one in drawn for order in (one, one[::-1])]


def prefixes(drawn):
    """Return the subsets that have to be trained for these orders."""
    return {frozenset(order[:i]) for order in drawn for i in range(len(order) + 1)}


def game(seed, largest=4):
    """Return subset -> value, of interactions of at most `largest` players."""
    rng = np.random.default_rng(seed)
    terms = {subset: rng.normal() for subset in SUBSETS if len(subset) <= largest}
    return {s: sum(term for part, term in terms.items() if part <= s) for s in SUBSETS}


def test_worked_example_w3():
    table = found({arm: [v, v + 1, v + 2.5] for arm, v in W3.items()}, ABC)
    np.testing.assert_allclose(table["effect"], [-26 / 3, -14 / 3, -5 / 3], rtol=1e-9)
    assert set(table["scheme"]) == {"exact"} and set(table["seeds"]) == {3}


def test_shares_add_up_to_all_less_nothing_on_the_declared_scale():
    values = noisy(ABC, 4)
    table = found(values, ABC, FD)
    ratio = np.exp(np.mean(np.log(np.array(values["a+b+c"]) / values["reference"])))
    np.testing.assert_allclose(table["effect"].prod(), ratio)


@pytest.mark.parametrize("seed", range(3))
def test_orders_add_up_too_and_all_of_them_are_the_exact_answer(seed):
    worth = game(seed)
    exact = of_seed(worth, list("abcd"), None)
    pairs = orders(4, seed)
    drawn = of_seed({s: worth[s] for s in prefixes(pairs)}, list("abcd"), pairs)
    total = worth[frozenset("abcd")] - worth[frozenset()]
    np.testing.assert_allclose([exact.shares.sum(), drawn.shares.sum()], total)
    assert (exact.orders, drawn.orders) == (24, 4)
    every = np.zeros(4)
    for order in permutations("abcd"):
        for i, player in enumerate(order):
            gain = worth[frozenset(order[: i + 1])] - worth[frozenset(order[:i])]
            every["abcd".index(player)] += gain / 24
    np.testing.assert_allclose(exact.shares, every)


def test_antithetic_pairs_are_exact_where_tricks_meet_in_twos():
    worth = game(1, largest=2)
    exact = of_seed(worth, list("abcd"), None).shares
    pair = orders(2, 0)
    needed = prefixes(pair)
    drawn = of_seed({s: worth[s] for s in needed}, list("abcd"), pair)
    np.testing.assert_allclose(drawn.shares, exact)
    alone = of_seed({s: worth[s] for s in needed}, list("abcd"), pair[:1])
    assert not np.allclose(alone.shares, exact)


def test_a_failed_subset_takes_its_orders_and_their_reverses_along():
    worth = game(2)
    del worth[frozenset("ab")]
    left = of_seed(worth, list("abcd"), None)
    kept = [o for o in permutations("abcd") if {"a", "b"} not in (set(o[:2]), set(o[2:]))]
    assert left.orders == len(kept) == 16
    np.testing.assert_allclose(left.shares.sum(), worth[frozenset("abcd")] - worth[frozenset()])
    del worth[frozenset()]
    assert of_seed(worth, list("abcd"), None).orders == 0


def test_a_seed_without_its_full_set_is_left_out_and_counted():
    values = {arm: [v, v + 1, v + 2.5, v + 1] for arm, v in W3.items()}
    values["a+b+c"][3] = None
    table = found(values, ABC)
    assert set(table["seeds"]) == {3} and set(table["seeds_left_out"]) == {1}


def test_orders_of_the_plan_are_used_seed_by_seed():
    drawn = {str(seed): orders(2, seed, "abc") for seed in range(4)}
    values = noisy(ABC, 4)
    for seed in range(4):
        needed = prefixes(drawn[str(seed)])
        for arm in ABC["arms"]:
            on = frozenset(n for n, level in arm["levels"].items() if level == "on")
            if on not in needed:
                values[arm["arm"]][seed] = np.nan  # has not run
    table = found(values, ABC | {"permutations": drawn}, FD)
    assert set(table["scheme"]) == {"permutations"} and set(table["permutations"]) == {2}
    assert table["low"].notna().all()
    ratio = np.exp(np.mean(np.log(np.array(values["a+b+c"]) / values["reference"])))
    np.testing.assert_allclose(table["effect"].prod(), ratio)


def test_the_same_orders_in_every_seed_get_no_interval():
    same = {str(seed): orders(2, 0, "abc") for seed in range(4)}
    values = noisy(ABC, 4)
    values["a" if same["0"][0][0] != "a" and same["0"][1][0] != "a" else "b"] = [np.nan] * 4
    table = found(values, ABC | {"permutations": same}, FD)
    assert set(table["verdict"]) == {"no interval"} and table[["low", "p"]].isna().all(axis=None)
    assert "never averages out" in table["reason"].iloc[0]


def test_an_interval_is_students_over_seeds():
    values = noisy(ABC, 5, sd=0.05)
    table = found(values, ABC, FD)
    by_seed = []
    for seed in range(5):
        worth = {
            frozenset(n for n, level in arm["levels"].items() if level == "on"): np.log(
                values[arm["arm"]][seed]
            )
            for arm in ABC["arms"]
        }
        by_seed.append(of_seed(worth, list("abc"), None).shares)
    theirs = stats.ttest_1samp(np.array(by_seed), 0)
    np.testing.assert_allclose(table["p"], theirs.pvalue)
    np.testing.assert_allclose(
        np.log(table["high"].astype(float)), theirs.confidence_interval().high
    )


def test_slots_with_several_levels_have_no_shares():
    slot = study({"loss": ["ns", "hinge", "ls"]}, design="shapley")
    with pytest.raises(UserError, match="loss has 3 levels; plan it as a full_factorial"):
        found({"reference": [20.0]}, slot)
