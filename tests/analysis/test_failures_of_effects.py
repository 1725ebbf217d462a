"""Failures in the table of effects: what a trick breaks is never praise, and partners are named."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ablate.analysis import Decisions, effects
from ablate.analysis.dead import breaks, dead_arms, partners
from ablate.analysis.layout import layout_of
from tests.analysis.designs import FD, fraction, noisy, results, study, switches

ABC = study(switches("abc"))


def planted(plan, seeds=5, ratio=0.76, sd=0.04, dead=(), seed=0):
    """Return values in which `a` helps and every arm with all tricks of a set in `dead` fails."""
    values = noisy(plan, seeds, sd=sd, seed=seed)
    for arm in plan["arms"]:
        on = {name for name, level in arm["levels"].items() if level == "on"}
        if "a" in on:
            values[arm["arm"]] = [ratio * value for value in values[arm["arm"]]]
        if any(set(one) <= on for one in dead):
            values[arm["arm"]] = [None] * seeds
    return values


def found(values, plan=ABC, **decisions):
    return effects(results(values), plan, FD, Decisions(**decisions)).set_index("term")


def test_a_trick_that_helps_and_always_breaks_with_another_is_a_trade_off():
    table = found(planted(ABC, dead=["ab"]))
    assert table.loc["a", ["failed_with", "failed_without"]].tolist() == [10, 0]
    assert table.loc["c", ["failed_with", "failed_without"]].tolist() == [5, 5]
    assert set(table["missing"]) == {10} and set(table["cells"]) == {30}
    # the five seeds of the worked example, and of three tests that can reach 2 % all three
    np.testing.assert_allclose(table.loc["a", "p_failures"], 0.0009036413, atol=6e-11)
    np.testing.assert_allclose(table.loc["a", "p_failures_holm"], 3 * 0.0009036413, atol=2e-10)
    assert table.loc["a", "verdict"] == "trade-off"
    assert table.loc["a", "reason"] == (
        "better, but always fails together with b; 10 of 20 trials with it failed and 0 of 20 "
        "without"
    )
    assert table.loc["b", "verdict"] == "fails more"
    assert table.loc["b", "reason"].endswith("always fails together with a")
    assert table.loc["c", "verdict"] in ("inconclusive", "better", "worse")


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize(
    "plan",
    [ABC, study(switches("abcd")), fraction("abcdefg", {"e": "abc", "f": "bcd", "g": "acd"})],
)
def test_it_is_never_better(plan, seeds):
    words = {
        found(planted(plan, seeds, 0.6, 0.1, ["ab"], seed), plan).loc["a", "verdict"]
        for seed in range(4)
    }
    assert "better" not in words and "trade-off" in words


def test_what_breaks_with_others_leaves_a_bystander_its_verdict():
    table = found(planted(study(switches("abcd")), 3, 0.6, 0.03, ["bc"]), study(switches("abcd")))
    assert table.loc["a", "verdict"] == "better" and table.loc["b", "verdict"] == "fails more"


def test_levels_the_other_way_round_mirror_everything():
    values = planted(ABC, dead=["ab"])
    turned = study({"a": ["on", "off"], "b": ["off", "on"], "c": ["off", "on"]})
    names = {tuple(arm["levels"].values()): arm["arm"] for arm in ABC["arms"]}
    renamed = {arm["arm"]: values[names[tuple(arm["levels"].values())]] for arm in turned["arms"]}
    one, other = found(values), found(renamed, turned)
    assert other.loc["a", "verdict"] == "trade-off"
    assert other.loc["a", "reason"].startswith("worse, but without it always fails together with b")
    assert other.loc["a", ["failed_with", "failed_without"]].tolist() == [0, 10]
    np.testing.assert_allclose(one["p_failures"].to_numpy(), other["p_failures"].to_numpy())


def test_failures_of_another_trick_are_not_charged():
    plan = study(switches("abc"), [  # random subsets: a and b overlap
        ("off", "off", "off"), ("on", "on", "off"), ("on", "on", "on"), ("off", "on", "on"),
        ("on", "off", "on"), ("off", "off", "on"),
    ])  # fmt: skip
    values = noisy(plan, 5)
    for arm in plan["arms"]:
        if arm["levels"]["b"] == "on" and arm["levels"]["a"] == "on":
            values[arm["arm"]][:4] = [None] * 4
    table = found(values, plan)
    # by hand: least squares of a on 1, b, c; by statsmodels' formula this is a residual
    columns = np.array([[level == "on" for level in arm["levels"].values()] for arm in
                        plan["arms"]]) - 0.5  # fmt: skip
    others = np.column_stack([np.ones(6), columns[:, 1:]])
    own = columns[:, 0] - others @ np.linalg.solve(others.T @ others, others.T @ columns[:, 0])
    chance = {0.0: 1.0}
    for _ in range(4):
        step = {}
        for done, p in chance.items():
            for i in range(6):
                for j in range(i):
                    total = round(done + own[i] + own[j], 9)
                    step[total] = step.get(total, 0) + p / 15
        chance = step
    seen = 4 * (own[1] + own[2])
    p = sum(weight for total, weight in chance.items() if abs(total) >= abs(seen) - 1e-7)
    spread = 5 * np.var([seen / 4] * 4 + [0], ddof=1)
    chance_variance = 4 * 2 * 4 / 30 * (own**2).sum()
    guard = 2 * stats.norm.sf(abs(seen) / spread**0.5) if spread > chance_variance else 0
    np.testing.assert_allclose(table.loc["a", "p_failures"], max(p, guard), rtol=1e-6)


def test_a_trick_that_always_fails_is_a_row():
    values = planted(ABC, 5, dead=["a"])
    table = found(values)
    # five seeds, four failures in each, all with a: 2 x (1 / C(8, 4))^5
    exact = 2 / 70**5
    assert table.loc["a", "p_failures"] == pytest.approx(exact, rel=1e-9)
    row = table.loc["a"]
    assert (row["verdict"], row["reason"]) == (
        "fails more",
        "20 of 20 trials with it failed and 0 of 20 without; always fails",
    )
    assert row[["effect", "low", "p", "p_holm"]].isna().all() and row["seeds"] == 5
    assert list(table.index) == ["b", "c", "b:c", "a"] and set(table["missing"]) == {20}
    # what the others are is what they are without it
    two = study(switches("bc"))
    alone = found({arm["arm"]: values[arm["arm"]] for arm in two["arms"]}, two)
    columns = ["effect_mean", "effect_error", "p", "p_holm", "own_p"]
    pd.testing.assert_frame_equal(table[columns][:3], alone[columns])
    # with a at its first level dead instead, it is the other way round
    turned = {arm: row if "a" in arm else [None] * 5 for arm, row in planted(ABC, 5).items()}
    assert found(turned).loc["a", "verdict"] == "fails less"


def test_a_trick_that_always_fails_and_is_not_told_from_chance():
    plan = study(switches("ab"))
    one = found(planted(plan, 3, dead=["a"]), plan)
    assert one.loc["a", "p_failures"] == pytest.approx(2 / 6**3, rel=1e-9)
    assert one.loc["a", "verdict"] == "fails more"
    both = found(planted(plan, 3, dead=["a", "b"]), plan)
    assert both.loc["a", "p_failures"] == pytest.approx(2 / 2**3, rel=1e-9)  # 3 of 4 arms a seed
    assert set(both["verdict"]) == {"too few seeds"}
    counts = "6 of 6 trials with it failed and 3 of 6 without; always fails"
    assert both.loc["a", "reason"] == (
        f"no trial with it is done: {counts}, too few to tell from chance"
    )
    two = found(planted(plan, 2, dead=["a"]), plan).loc["a"]
    assert (two["verdict"], two["reason"]) == (
        "too few seeds",
        "seeds: 2 of the 3 needed; 4 of 4 trials with it failed and 0 of 4 without",
    )


def test_tricks_that_only_run_together_are_rows_of_failures():
    plan = study(switches("ab"))
    values = planted(plan, 8)
    values["a"] = values["b"] = [None] * 8
    table = found(values, plan)
    assert table["effect"].isna().all() and set(table["verdict"]) == {"too few seeds"}
    assert table.loc["a", "reason"].startswith(
        "the arms that are done do not tell it: 8 of 16 trials with it failed and 8 of 16 without"
    )


def test_a_share_of_two_percent_is_over_dead_tricks_too():
    plan = study(switches("abc"))
    values = planted(plan, 5, dead=["a"])
    values["b"] = [None] * 5
    table = found(values, plan)
    family = table["p_failures"][table["p_failures_holm"].notna()]
    assert "a" in family.index
    np.testing.assert_allclose(table.loc["a", "p_failures_holm"],
                               len(family) * table.loc["a", "p_failures"])  # fmt: skip


def test_under_three_seeds_failures_are_counted_and_not_tested():
    table = found(planted(ABC, 2, dead=["ab"]))
    assert table.loc["a", "failed_with"] == 4 and np.isnan(table.loc["a", "p_failures"])
    assert set(table["verdict"]) == {"too few seeds"}


def test_a_factor_whose_copies_alone_die_is_not_identical():
    plan = study(switches("abc"))
    values = planted(study(switches("ab")))
    both = {arm["arm"]: list(values["+".join(n for n in "ab" if arm["levels"][n] == "on")
            or "reference"]) for arm in plan["arms"]}  # fmt: skip
    assert found(both).loc["c", "verdict"] == "identical"
    for arm in ("a+c", "a+b+c"):
        both[arm] = [None] * 5
    table = found(both)
    assert table.loc["c", "verdict"] == "fails more"
    assert "always fails together with a" in table.loc["c", "reason"]


def test_where_nothing_fails_no_word_is_about_failures():
    for seed in range(5):
        table = found(planted(ABC, seed=seed))
        assert set(table["reason"]) == {""}
        mains = table[table["order"] == 1]
        assert (mains[["p_failures"]] == 1).all(axis=None) and set(table["missing"]) == {0}
        assert mains["p_failures_holm"].isna().all()


def test_looks_share_the_two_percent():
    values = planted(ABC, 5, ratio=1.0, dead=["ab"])
    assert found(values).loc["b", "verdict"] == "fails more"
    many = found(values, looks=tuple(range(3, 13)))  # 0.2 % a look
    assert many.loc["b", "verdict"] == "inconclusive"
    assert many.loc["b", "reason"].startswith("10 of 20 trials with it failed and 0 of 20 without")


def layout_and(dead):
    layout = layout_of(ABC)
    arms = {
        arm: {name for name in "abc" if layout.levels.loc[arm, name] == "on"}
        for arm in layout.levels.index
    }
    return layout, {arm for arm, on in arms.items() if any(set(one) <= on for one in dead)}


@pytest.mark.parametrize(
    ("dead", "told"),
    [
        (["a"], "always fails"),
        (["ab"], "always fails together with b"),
        (["abc"], "always fails together with b and c"),
        (["ab", "ac"], "always fails together with b or together with c"),
        (["b"], "always fails together with b"),
        ([], ""),
        (["bc"], "always fails together with b and c"),
    ],
)
def test_the_smallest_set_of_partners_is_named(dead, told):
    layout, dead = layout_and(dead)
    assert partners(layout, dead, "a", "on") == told


def test_partners_may_be_what_is_away():
    layout = layout_of(ABC)
    dead = {"a", "a+c"}
    assert partners(layout, dead, "a", "on") == "always fails without b"
    assert partners(layout, {"a+b"}, "a", "on") == "always fails together with b and without c"


def test_a_twin_that_dies_as_well_clears_the_trick():
    layout, dead = layout_and(["bc"])
    assert not breaks(layout, dead, "a", "on", "off")
    assert breaks(layout, dead, "b", "on", "off")
    layout, dead = layout_and(["ab"])
    assert breaks(layout, dead, "a", "on", "off")
    assert not breaks(layout, dead, "a", "off", "on")


def test_an_arm_is_dead_from_three_seeds_on():
    frame = results({"reference": [1.0, 2, 3], "a": [None] * 3, "b": [None, None, 1.0]})
    assert dead_arms(frame) == {"a"}
    assert dead_arms(results({"reference": [1.0, 2], "a": [None] * 2})) == set()


def test_tables_do_not_depend_on_the_order_of_rows():
    frame = results(planted(ABC, dead=["ab"]))
    shuffled = frame.sample(frac=1, random_state=0).reset_index(drop=True)
    one, other = (effects(x, ABC, FD, Decisions()) for x in (frame, shuffled))
    pd.testing.assert_frame_equal(one, other)


def test_a_copy_of_an_arm_that_died_is_identical_and_no_traceback():
    values = planted(study(switches("ab")), 4)
    values["a+b"] = [None] * 4
    both = {arm["arm"]: list(values["+".join(n for n in "ab" if arm["levels"][n] == "on")
            or "reference"]) for arm in ABC["arms"]}  # fmt: skip
    table = found(both)
    assert table.loc["c", "verdict"] == "identical"
    assert table.loc["c", ["failed_with", "failed_without"]].tolist() == [4, 4]
    assert table.loc["b", ["failed_with", "failed_without"]].tolist() == [4, 0]
