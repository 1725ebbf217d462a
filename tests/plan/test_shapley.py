"""The Shapley design: what its permutations hold, and what they are good for."""

from collections import Counter
from itertools import combinations
from math import comb

import numpy as np
import pytest

from ablate.errors import UserError
from ablate.plan.shapley import orders_of, shapley

NAMES = [f"t{i}" for i in range(7)]
FACTORS = {name: ["off", "on"] for name in NAMES}
SEEDS = [0, 1, 5]


def subset(arm):
    return frozenset(f for f, level in arm.levels.items() if level == "on")


def trained(arms, seed):
    return [subset(arm) for arm in arms if arm.seeds is None or seed in arm.seeds]


def prefixes(orders):
    return {frozenset(order[:n]) for order in orders for n in range(len(order) + 1)}


def test_every_second_permutation_is_the_reverse_of_the_one_before():
    for orders in orders_of(FACTORS, SEEDS, 8).values():
        assert len(orders) == 8
        assert orders[1::2] == [order[::-1] for order in orders[::2]]
        assert all(sorted(order) == NAMES for order in orders)


def test_what_every_permutation_passes_is_trained_once_under_its_seed_and_nothing_else():
    arms, orders = shapley(FACTORS, SEEDS, 6), orders_of(FACTORS, SEEDS, 6)
    assert len({subset(arm) for arm in arms}) == len(arms)
    for seed in SEEDS:
        here = trained(arms, seed)
        assert len(here) == len(set(here))
        assert set(here) == prefixes(orders[seed])
    assert all(arm.seeds is None or len(set(arm.seeds)) == len(arm.seeds) for arm in arms)


def test_permutations_are_fresh_for_every_seed_and_a_further_seed_moves_nobody():
    orders = orders_of(FACTORS, range(20), 4)
    assert len({str(found) for found in orders.values()}) == 20
    more = orders_of(FACTORS, [7, 99], 8)
    assert more[7][:4] == orders[7]
    assert orders_of(FACTORS, [7], 4, draw=1)[7] != orders[7]


def test_every_trick_joins_at_every_place_about_equally_often():
    orders = [order for found in orders_of(FACTORS, range(700), 2).values() for order in found[::2]]
    places = Counter((name, order.index(name)) for order in orders for name in NAMES)
    assert len(places) == 49
    assert all(abs(n - 100) < 5 * (700 * 6 / 49) ** 0.5 for n in places.values())


def test_with_interactions_of_two_one_pair_of_permutations_gives_the_exact_shares():
    rng = np.random.default_rng(0)
    alone = dict(zip(NAMES, rng.normal(size=7), strict=True))
    both = {frozenset(two): rng.normal() for two in combinations(NAMES, 2)}

    def game(tricks):
        return sum(alone[t] for t in tricks) + sum(v for two, v in both.items() if two <= tricks)

    def exact(name):
        rest = [other for other in NAMES if other != name]
        return sum(
            (game(frozenset({name, *others})) - game(frozenset(others))) / comb(6, n) / 7
            for n in range(7)
            for others in combinations(rest, n)
        )

    arms, orders = shapley(FACTORS, SEEDS, 2), orders_of(FACTORS, SEEDS, 2)
    for seed in SEEDS:
        values = {tricks: game(tricks) for tricks in trained(arms, seed)}
        for name in NAMES:
            steps = []
            for order in orders[seed]:
                before = frozenset(order[: order.index(name)])
                steps.append(values[before | {name}] - values[before])
            assert np.mean(steps) == pytest.approx(exact(name), abs=1e-12)


def test_all_subsets_where_that_is_asked_for_or_no_dearer():
    few = {name: ["off", "on"] for name in NAMES[:4]}
    assert orders_of(few, SEEDS) == {}
    assert orders_of(few, SEEDS, 8) == {}  # 16 subsets; the permutations could pass 26
    assert len(orders_of(few, SEEDS, 4)[0]) == 4
    arms = shapley(few, SEEDS, 8)
    assert len({subset(arm) for arm in arms}) == len(arms) == 16
    assert all(arm.seeds is None for arm in arms)


@pytest.mark.parametrize(
    ("permutations", "sentence"),
    [(7, "type study.permutations=8"), (0, "at least 2"), ("x", "at least 2"), (True, "at least")],
)
def test_permutations_come_in_pairs(permutations, sentence):
    with pytest.raises(UserError, match=sentence):
        shapley(FACTORS, SEEDS, permutations)


def test_too_many_subsets_are_refused():
    with pytest.raises(UserError, match=r"1,048,576 arms; .*study.permutations=8"):
        shapley({f"t{i}": ["off", "on"] for i in range(20)}, SEEDS)
