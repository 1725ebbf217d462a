"""Designs as rules: which combinations of levels they ask for."""

from itertools import combinations, product

import pytest

from ablate.errors import UserError
from ablate.plan.design import (
    Arm,
    base_of,
    full_factorial,
    ladder,
    leave_one_out,
    listed,
    one_at_a_time,
    pairs,
    random_subsets,
)
from ablate.plan.study import DESIGNS

SWITCH = ["off", "on"]
TWO = {"a": SWITCH, "b": SWITCH}
FOUR = {name: SWITCH for name in "abcd"}
MIXED = {"a": SWITCH, "loss": ["ns", "hinge", "wgan"], "r1.gamma": ["none", "1"]}


def shown(arms):
    return [(arm.name, "/".join(arm.levels.values())) for arm in arms]


def changed(factors, arm):
    return {f for f, levels in factors.items() if arm.levels[f] != levels[0]}


def test_one_at_a_time_changes_each_factor_alone():
    assert shown(one_at_a_time(MIXED)) == [
        ("reference", "off/ns/none"),
        ("with a", "on/ns/none"),
        ("with loss=hinge", "off/hinge/none"),
        ("with loss=wgan", "off/wgan/none"),
        ("with r1.gamma=1", "off/ns/1"),
    ]


def test_leave_one_out_takes_each_trick_from_all():
    assert shown(leave_one_out(MIXED)) == [
        ("reference", "on/ns/none"),
        ("without a", "off/ns/none"),
        ("loss=hinge", "on/hinge/none"),
        ("loss=wgan", "on/wgan/none"),
        ("r1.gamma=1", "on/ns/1"),
    ]


def test_a_ladder_adds_in_the_order_of_the_list():
    assert shown(ladder({"b": SWITCH, "a": SWITCH})) == [
        ("reference", "off/off"),
        ("up to b", "on/off"),
        ("up to a", "on/on"),
    ]


@pytest.mark.parametrize("factors", [FOUR, MIXED])
def test_pairs_hold_all_four_cells_of_every_two_changes(factors):
    arms = [tuple(arm.levels.values()) for arm in pairs(factors)]
    changes = [(f, level) for f, levels in factors.items() for level in levels[1:]]
    cells = set()
    for one, other in combinations(changes, 2):
        if one[0] != other[0]:
            for chosen in ([], [one], [other], [one, other]):
                cells.add(tuple((base_of(factors) | dict(chosen)).values()))
    assert set(arms) == cells  # all that are needed, and nothing else
    assert len(arms) == len(cells)


@pytest.mark.parametrize("factors", [TWO, FOUR, MIXED])
def test_a_full_factorial_is_every_combination_once(factors):
    arms = full_factorial(factors)
    assert {tuple(arm.levels.values()) for arm in arms} == set(product(*factors.values()))
    assert len(arms) == len(list(product(*factors.values())))
    assert len({arm.name for arm in arms}) == len(arms)


def test_random_subsets_are_different_and_more_of_them_keep_the_first():
    few, many = random_subsets(FOUR, 5), random_subsets(FOUR, 15)
    assert many[:6] == few
    assert len({tuple(arm.levels.values()) for arm in many}) == 16
    assert random_subsets(FOUR, 5, draw=1) != few


def test_every_level_of_a_random_subset_is_drawn_about_equally_often():
    many = [random_subsets(MIXED, 6, draw=draw)[1:] for draw in range(300)]
    loss = [arm.levels["loss"] for arms in many for arm in arms]
    for level in MIXED["loss"]:  # the reference, which is never drawn again, has `ns`
        expected = len(loss) * (3 if level == "ns" else 4) / 11
        assert abs(loss.count(level) - expected) < 5 * len(loss) ** 0.5 / 2


def test_listed_arms_have_their_own_names():
    assert listed({"preset": ["none", "wgan", "sngan"]}) == [
        Arm("reference", {"preset": "none"}),
        Arm("wgan", {"preset": "wgan"}),
        Arm("sngan", {"preset": "sngan"}),
    ]


def test_the_reference_comes_first_in_every_design():
    for name, design in DESIGNS.items():
        factors = {"arm": ["reference", "mine"]} if design is listed else FOUR
        extra = {"shapley": {"seeds": [0]}, "random_subsets": {"subsets": 3}}.get(name, {})
        first, *others = design(factors, **extra)
        assert first.name == "reference"
        expected = dict.fromkeys(FOUR, "on") if name == "leave_one_out" else base_of(factors)
        assert first.levels == expected
        assert "reference" not in {arm.name for arm in others}
        assert all(list(arm.levels) == list(factors) for arm in others)


@pytest.mark.parametrize("name", ["ladder", "fractional_factorial", "plackett_burman", "shapley"])
def test_designs_of_two_levels_say_what_to_type(name):
    extra = {"seeds": [0]} if name == "shapley" else {}
    with pytest.raises(UserError, match=r"loss has 3; type 'study.factors=\{loss:\[ns,wgan\]\}'"):
        DESIGNS[name](MIXED, **extra)


def test_what_nobody_could_train_is_refused_before_it_is_listed():
    with pytest.raises(UserError, match=r"has 1,073,741,824 arms; type study.design=fractional"):
        full_factorial({f"t{i}": SWITCH for i in range(30)})
    with pytest.raises(UserError, match=r"type study.subsets=3"):
        random_subsets(TWO, 4)
