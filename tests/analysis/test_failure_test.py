"""The exact test of failures within seeds, against worked examples and against enumeration."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from ablate.analysis.adjust import holm
from ablate.analysis.failure_rows import residual
from ablate.analysis.failure_test import DRAWS, Stratum, mcnemar_test, permutation_test, tarone_holm


def balanced(arms, with_it, failures):
    """Return seeds in which `with_it[s]` of `failures[s]` are on the half that has the trick."""
    column = np.repeat([0.5, -0.5], arms // 2)
    strata = []
    for mine, all_of_them in zip(with_it, failures, strict=True):
        failed = np.zeros(arms, bool)
        failed[:mine] = True
        failed[arms // 2 : arms // 2 + all_of_them - mine] = True
        strata.append(Stratum(column, failed))
    return strata


def enumerated(strata):
    """Return p, mid-p and the smallest p by putting the failures of each seed everywhere."""
    seen = sum(one.column[one.failed].sum() for one in strata)
    expected = sum(one.column.mean() * one.failed.sum() for one in strata)
    parts = [
        [one.column[list(chosen)].sum()
         for chosen in combinations(range(len(one.column)), one.failed.sum())]
        for one in strata
    ]  # fmt: skip
    away = np.abs(np.array([sum(chosen) for chosen in product(*parts)]) - expected)
    p = (away >= abs(seen - expected) - 1e-9).mean()
    same = (np.abs(away - abs(seen - expected)) <= 1e-9).mean()
    return p, p - same / 2, (away >= away.max() - 1e-9).mean()


@pytest.mark.parametrize(
    ("strata", "exact", "mid"),
    [
        (balanced(8, (2, 2, 2), (2, 2, 2)), 0.0196793003, 0.0098396501),
        (balanced(8, [2] * 5, [2] * 5), 0.0009036413, 0.0004518207),
        (balanced(16, (2, 2, 2), (2, 2, 2)), 0.0254074074, 0.0127037037),
        (balanced(16, (1, 0, 3), (1, 0, 3)), 0.1, 0.05),
    ],
)
def test_worked_examples_of_balanced_designs(strata, exact, mid):
    found = permutation_test(strata)
    np.testing.assert_allclose([found.exact, found.mid], [exact, mid], rtol=0, atol=6e-11)


def test_the_guard_asks_how_failures_spread_over_seeds():
    found = permutation_test(balanced(16, (8, 0, 0), (8, 0, 0)))
    np.testing.assert_allclose([found.exact, found.p], [0.0001554002, 0.3173105079], atol=6e-11)
    even = permutation_test(balanced(8, (2, 2, 2), (2, 2, 2)))
    assert even.p == even.exact


def test_the_guard_by_hand():
    # T_s = 0.5, 0, 1.5: V_o = 3 x 0.58333; V_h = 0.25 + 0.65 (16 arms, 1 and 3 failures)
    found = permutation_test(balanced(16, (1, 0, 3), (1, 0, 3)))
    assert found.p == pytest.approx(2 * stats.norm.sf(2 / np.sqrt(1.75)), rel=1e-12)


def test_worked_example_of_an_unbalanced_design():
    signs = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1], [1, 1]]) / 2
    column = residual(signs, 0)
    np.testing.assert_allclose(column, [-1 / 2, 1 / 2, -2 / 3, 1 / 3, 1 / 3], atol=1e-12)
    failed = np.array([[0, 1, 0, 1, 1], [0, 1, 0, 0, 1]], bool)
    found = permutation_test([Stratum(column, one) for one in failed])
    assert found.exact == pytest.approx(4 / 100, rel=1e-12)
    assert found.excess == pytest.approx(2, rel=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_any_column_is_enumeration(seed):
    rng = np.random.default_rng(seed)
    few = [0.5, -0.5, 0.25] if seed % 2 else [-1 / 12, 1 / 12, 1 / 4, -1 / 4, 1 / 3]
    strata = [
        Stratum(
            rng.choice(few, size) if seed % 3 else rng.normal(size=size),
            rng.permutation(np.arange(size) < rng.integers(0, 3)),
        )
        for size in rng.integers(4, 8, size=3)
    ]
    found = permutation_test(strata)
    np.testing.assert_allclose([found.exact, found.mid, found.smallest], enumerated(strata),
                               rtol=1e-9)  # fmt: skip


def test_one_seed_is_fishers_exact_test():
    for mine, other in ((0, 3), (4, 1), (5, 2), (3, 3)):
        found = permutation_test(balanced(16, [mine], [mine + other]))
        theirs = stats.fisher_exact([[mine, 8 - mine], [other, 8 - other]]).pvalue
        assert found.exact == pytest.approx(theirs, rel=1e-9)


def test_many_balanced_seeds_are_convolved_hypergeometrics():
    with_it, failures = (5, 3, 9, 0, 12), (7, 9, 12, 2, 20)
    chance = np.ones(1)
    for count in failures:
        chance = np.convolve(chance, stats.hypergeom.pmf(np.arange(65), 128, 64, count))
    mean = sum(failures) / 2
    away = np.abs(np.arange(len(chance)) - mean)
    p = chance[away >= abs(sum(with_it) - mean)].sum()
    assert permutation_test(balanced(128, with_it, failures)).exact == pytest.approx(p, rel=1e-9)


def test_what_cannot_be_enumerated_is_drawn_and_the_same_every_time():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(3, 22))
    strata = [Stratum(one, one >= np.sort(one)[17]) for one in columns]
    found = permutation_test(strata, 5)
    assert found == permutation_test(strata, 5)
    assert found.exact == found.smallest == 1 / (DRAWS + 1)
    strata = [Stratum(one, np.isin(np.arange(22), [1, 4, 5, 9, 17])) for one in columns]
    found = permutation_test(strata, 5)
    excess = sum(one.column[one.failed].sum() - 5 * one.column.mean() for one in strata)
    spread = sum(5 * 17 / 22 * one.column.var(ddof=1) for one in strata)
    assert found.exact == pytest.approx(2 * stats.norm.sf(abs(excess) / spread**0.5), abs=0.02)


def test_swapping_failures_for_successes_changes_no_exact_p():
    strata = balanced(8, (3, 2, 1), (3, 4, 1))
    other = [Stratum(one.column, ~one.failed) for one in strata]
    one, two = permutation_test(strata), permutation_test(other)
    np.testing.assert_allclose(one[:4], two[:4], rtol=1e-12)
    assert one.excess == -two.excess


def test_nothing_failed_says_nothing():
    found = permutation_test(balanced(8, (0, 0, 0), (0, 0, 0)))
    assert found.p == found.exact == found.smallest == 1 and found.excess == 0


@pytest.mark.parametrize(("more", "fewer"), [(7, 0), (8, 1), (3, 3), (0, 5), (0, 0), (12, 4)])
def test_arms_are_mcnemars_exact_test(more, fewer):
    found = mcnemar_test(more, fewer)
    theirs = mcnemar([[0, more], [fewer, 0]], exact=True).pvalue
    assert found.exact == found.p == pytest.approx(theirs, rel=1e-9)
    assert found.smallest == min(1, 2 * 0.5 ** (more + fewer))


def test_eight_of_eight_against_one_of_eight():
    assert mcnemar_test(7, 0).p == 0.015625
    p, smallest = pd.Series([0.015625, 0.5]), pd.Series([0.015625, 0.125])
    found = tarone_holm(p, smallest)
    assert found[0] == 0.015625 and np.isnan(found[1])
    both = tarone_holm(pd.Series([0.015625] * 2), pd.Series([0.015625] * 2))
    assert both.isna().all()  # K = 2 asks for 0.01


def test_tarone_is_the_smallest_k_that_holds_its_own():
    rng = np.random.default_rng(1)
    for _ in range(50):
        smallest = pd.Series(10 ** -rng.uniform(1, 5, rng.integers(1, 9)))
        p = (smallest * rng.uniform(1, 30, len(smallest))).clip(upper=1)
        k = 1
        while (smallest <= 0.02 / k).sum() > k:
            k += 1
        family = smallest <= 0.02 / k
        pd.testing.assert_series_equal(tarone_holm(p, smallest), holm(p.where(family)))
        assert tarone_holm(p, smallest).notna().sum() <= k
