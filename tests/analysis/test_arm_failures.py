"""Failures of arms and of ladder steps: told from chance, or said to be too few for that."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from ablate.analysis import Decisions, steps
from ablate.analysis.compare import compare
from ablate.analysis.failure_test import mcnemar_test
from ablate.analysis.verdict import MORE_FAILURES
from tests.analysis.designs import FD, results
from tests.analysis.table import FD as NAMED
from tests.analysis.table import table

GOOD = [20.0, 22.0, 19.0, 25.0, 21.0, 23.0, 20.5, 24.0]


def by_arm(values, **more):
    return compare(table(values), "fd", **NAMED, **more).set_index("arm")


def test_eight_of_eight_against_one_of_eight_fails_more():
    found = by_arm({
        "reference": [None, *GOOD[1:]],
        "breaks": [None] * 8,
        "fine": [v * 1.01 + 0.1 * i for i, v in enumerate(GOOD)],
    })  # fmt: skip
    row = found.loc["breaks"]
    assert (row["verdict"], row["reason"]) == (
        "fails more", "failed in 8 of 8 seeds (reference 1)"
    )  # fmt: skip
    assert row["p_failures"] == row["p_failures_holm"] == 0.015625
    assert np.isnan(found.loc["fine", "p_failures_holm"])


def test_the_reference_that_breaks_makes_its_arms_fail_less():
    row = by_arm({"reference": [None] * 8, "stable": GOOD}).loc["stable"]
    assert row["verdict"] == "fails less" and row["reason"].endswith("0 of 8 seeds (reference 8)")


def test_under_seven_seeds_it_is_too_few_to_tell():
    row = by_arm({"reference": GOOD[:5], "breaks": [None] * 5}).loc["breaks"]
    assert row["verdict"] == "too few seeds"
    assert row["reason"].endswith(
        "failed in 5 of 5 seeds (reference 0), too few to tell from chance"
    )
    assert row["p_failures"] == pytest.approx(stats.binomtest(5, 5).pvalue)


def test_inconclusive_comes_with_its_counts():
    values = [v * (1.02 if i % 2 else 0.98) for i, v in enumerate(GOOD)]
    row = by_arm({"reference": GOOD, "a": [None, *values[1:]]}).loc["a"]
    assert (row["verdict"], row["reason"]) == (
        "inconclusive", "failed in 1 of 8 seeds (reference 0), too few to tell from chance"
    )  # fmt: skip
    assert by_arm({"reference": GOOD, "a": values}).loc["a", "reason"] == ""


def test_failures_come_before_no_difference():
    rng = np.random.default_rng(0)
    reference = list(20 * np.exp(rng.normal(0, 0.1, 20)))
    same = [v * (1.001 if i % 2 else 0.999) for i, v in enumerate(reference)]
    declared = {"decisions": Decisions(margin=5)}
    row = by_arm({"reference": reference, "a": same}, **declared).loc["a"]
    assert row["verdict"] == "no difference beyond 5 %"
    row = by_arm({"reference": reference, "a": [None] * 9 + same[9:]}, **declared).loc["a"]
    assert row["verdict"] == "fails more" and "9 of 20 seeds" in row["reason"]


def test_the_same_values_where_both_finish_and_many_failures_is_no_suspicion():
    values = [20.0 + i for i in range(12)]
    row = by_arm({"reference": values, "a": [None] * 8 + values[8:]}).loc["a"]
    assert row["verdict"] == "fails more"


def test_a_suspect_trial_comes_first():
    values = [10, 11.2, 11.8, 9.0, 10.4, 60] + [10.0 + 0.1 * i for i in range(7)]
    broken = [10, 11, 12, 9.5, 10, 11] + [None] * 7
    row = by_arm({"reference": values, "a": broken}).loc["a"]
    assert row["verdict"] == "suspect" and row["p_failures_holm"] == 2 / 2**7


def test_two_arms_that_break_ask_for_more_seeds_each():
    broken = {"a": [None] * 7 + [20.0], "b": [None] * 7 + [21.0]}
    assert set(by_arm({"reference": GOOD} | broken).loc[["a", "b"], "verdict"]) == {"too few seeds"}
    whole = {"a": [None] * 8, "b": [None] * 8}  # K = 2: 0.0078 <= 0.01
    found = by_arm({"reference": GOOD} | whole)
    assert set(found.loc[["a", "b"], "verdict"]) == {"fails more"}
    np.testing.assert_allclose(found.loc["a", "p_failures_holm"], 2 * 2 / 2**8)


def test_steps_of_a_ladder_are_held_against_the_rung_before():
    rungs = ["reference", "a", "a+b", "a+b+c"]
    plan = {"arms": [{"arm": arm, "refused": []} for arm in rungs]}
    values = {"reference": GOOD, "a": [v * 0.8 + 0.1 * i for i, v in enumerate(GOOD)],
              "a+b": [None] * 8, "a+b+c": [None] * 7 + [20.0]}  # fmt: skip
    found = steps(results(values), plan, FD, Decisions()).set_index("arm")
    assert found.loc["a+b", ["verdict", "reason"]].tolist() == [
        "fails more", "failed in 8 of 8 seeds (a 0)"
    ]  # fmt: skip
    assert found.loc["a+b+c", "verdict"] == "too few seeds"
    assert found.loc["a", "verdict"] == "better"


UNPAIRED = {"decisions": Decisions(unpaired=True)}


@pytest.mark.parametrize(("mine", "theirs"), [(8, 0), (5, 2), (3, 3), (0, 6), (8, 1)])
def test_unpaired_failures_are_fishers_exact_test(mine, theirs):
    """Of two arms with as many seeds, where every order of the outcomes gives one p."""
    values = {"reference": [None] * theirs + GOOD[theirs:], "a": [None] * mine + GOOD[mine:]}
    row = by_arm(values, **UNPAIRED).loc["a"]
    scipys = stats.fisher_exact([[mine, 8 - mine], [theirs, 8 - theirs]]).pvalue
    assert row["p_failures"] == pytest.approx(scipys, rel=1e-9)


def test_unpaired_arms_of_other_sizes_are_enumeration():
    broken, own = [True, True, True, False], [False] * 8 + [True]
    values = {"reference": [*GOOD, None], "a": [None, None, None, 20.0]}
    row = by_arm(values, **UNPAIRED).loc["a"]
    column = np.repeat([0.5, -0.5], [len(broken), len(own)])
    sums = np.array([column[list(at)].sum() for at in combinations(range(13), 4)])
    away = np.abs(sums - 4 * column.mean())
    seen = abs(column[[*broken, *own]].sum() - 4 * column.mean())
    assert row["p_failures"] == pytest.approx((away >= seen - 1e-9).mean(), rel=1e-9)
    assert row["reason"].endswith("failed in 3 of 4 seeds (reference 1 of 9)")


def test_unpaired_failures_are_named_and_under_three_seeds_they_are_not():
    row = by_arm({"reference": GOOD, "a": [None] * 8}, **UNPAIRED).loc["a"]
    assert (row["verdict"], row["reason"]) == ("fails more", "failed in 8 of 8 seeds (reference 0)")
    row = by_arm({"reference": [None] * 8, "a": GOOD}, **UNPAIRED).loc["a"]
    assert row["verdict"] == "fails less"
    row = by_arm({"reference": GOOD, "a": [None] * 2}, **UNPAIRED).loc["a"]
    assert row["verdict"] == "too few seeds" and np.isnan(row["p_failures"])
    described = by_arm({"reference": GOOD, "a": [None] * 8}, **UNPAIRED).loc["reference"]
    assert np.isnan(described["p_failures"]) and described["reason"] == ""


def test_the_brake_of_arms_is_never_laxer_than_that_of_effects():
    """What mid-p at 5 % brakes, two more failed seeds brake, too: W4 of the first rules stays."""
    slowed = [
        (more, fewer)
        for more, fewer in product(range(31), repeat=2)
        if more > fewer and mcnemar_test(more, fewer).mid <= 0.05
    ]
    assert min(more - fewer for more, fewer in slowed) == 5 > MORE_FAILURES
