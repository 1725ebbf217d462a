"""Every estimator that `ablate.analysis` exports against an independent one, to 1e-9.

Exact p of designs and ranks by brute force; the rest by scipy or statsmodels. The worked examples
beside them are printed to ten digits and stand in the tests of their subjects.
"""

from functools import partial
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as formula
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from ablate.analysis import (
    Decisions,
    compare,
    effects,
    half_normal,
    interactions,
    policies,
    ranks,
    reliability,
    seeds_needed,
    shapley,
    smallest_detectable,
    steps,
)
from tests.analysis.designs import FD, PLAIN, noisy, results, study, switches
from tests.analysis.table import FD as OPTIONS
from tests.analysis.table import table
from tests.analysis.test_compare import W1, W4
from tests.analysis.test_effects import AB, ABC, W2

close = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-13)


def study_of(arms, seeds, failing=0.0, seed=0):
    """Return arm -> values: seeds that differ, arms that differ, noise, failures."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(0, 0.2, seeds) + rng.normal(0, 0.1, (arms, seeds))
    logs += np.linspace(0, 0.3, arms)[:, None]
    rows = [[None if rng.random() < failing else v for v in row] for row in 20 * np.exp(logs)]
    return {f"t{k}" if k else "reference": row for k, row in enumerate(rows)}


STUDIES = {
    "W1": W1,
    "W4": W4,
    "five": study_of(5, 5),
    "ten": study_of(7, 10, seed=1),
    "failures": study_of(6, 12, 0.15, seed=2),
}


def scaled(values, metric=FD):
    """Return arm -> values on the scale of the analysis, NaN where a trial failed."""
    rows = {arm: np.array([np.nan if v is None else v for v in row]) for arm, row in values.items()}
    return {arm: metric.forward(row) for arm, row in rows.items()}


def pairs_of(values, arm, reference="reference"):
    both = np.array([values[arm], values[reference]])
    return both[:, np.isfinite(both).all(0)]


def others(values):
    return [arm for arm in values if arm != "reference"]


def found(values, metric=FD, **decisions):
    options = OPTIONS | {"scale": metric.scale}
    frame = compare(table(values), "fd", **options, decisions=Decisions(**decisions))
    return frame.set_index("arm")


@pytest.mark.parametrize("metric", [FD, PLAIN], ids=lambda metric: metric.scale)
@pytest.mark.parametrize("name", STUDIES)
def test_an_arm_is_compared_by_ttest_rel(name, metric):
    values = scaled(STUDIES[name], metric)
    ours = found(STUDIES[name], metric)
    for arm in others(values):
        one, other = pairs_of(values, arm)
        theirs = stats.ttest_rel(one, other)
        interval = theirs.confidence_interval()
        row = ours.loc[arm]
        close([row["t"], row["p"], row["df"]], [theirs.statistic, theirs.pvalue, theirs.df])
        close(
            row[["effect", "low", "high"]].astype(float),
            [metric.back(x) for x in (np.mean(one - other), interval.low, interval.high)],
        )
        close(row["effect_sd"], stats.tstd(one - other))
        close(row["seed_correlation"], stats.pearsonr(one, other).statistic)


@pytest.mark.parametrize("name", STUDIES)
def test_adjusted_p_are_those_of_multipletests(name):
    ours = found(STUDIES[name]).loc[others(STUDIES[name])]
    for column, method in (("p_holm", "holm"), ("p_bh", "fdr_bh")):
        close(ours[column], multipletests(ours["p"], method=method)[1])


@pytest.mark.parametrize("name", STUDIES)
def test_an_arm_is_described_by_scipy(name):
    ours = found(STUDIES[name])
    for arm, row in STUDIES[name].items():
        done = [value for value in row if value is not None]
        close(ours.loc[arm, "mean"], stats.gmean(done))
        close(ours.loc[arm, "seed_sd"], np.log(stats.gstd(done)) * stats.gmean(done))
        rate = stats.binomtest(len(row) - len(done), len(row)).proportion_ci(method="wilson")
        close(ours.loc[arm, ["failed_low", "failed_high"]].astype(float), rate)


@pytest.mark.parametrize("seeds", [6, 8, 11])
def test_a_single_arm_is_flipped_by_permutation_test(seeds):
    values = study_of(2, seeds, seed=seeds)
    one, other = pairs_of(scaled(values), "t1")
    theirs = stats.permutation_test(
        (one - other,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    close(found(values).loc["t1", "p_flip"], theirs.pvalue)


@pytest.mark.parametrize("margin", [5, 20])
def test_equivalence_is_ttost_paired(margin):
    values = study_of(3, 8)
    ours, logs = found(values, margin=margin), scaled(values)
    for arm in others(values):
        limit = np.log1p(margin / 100)
        close(
            ours.loc[arm, "p_equivalence"],
            ttost_paired(*pairs_of(logs, arm), -limit, limit)[0],
        )


@pytest.mark.parametrize("name", ["W1", "five", "ten"])
def test_the_guarded_variance_is_that_of_a_two_way_fit_or_its_own(name):
    values = scaled(STUDIES[name])
    rows = [(arm, seed, v) for arm, row in values.items() for seed, v in enumerate(row)]
    frame = pd.DataFrame(rows, columns=["arm", "seed", "y"])
    fit = formula.ols("y ~ C(arm) + C(seed)", frame).fit()
    own = {arm: np.var(np.subtract(*pairs_of(values, arm)), ddof=1) for arm in others(values)}
    pooled = max(2 * fit.mse_resid, np.mean(list(own.values())))
    ours = found(STUDIES[name], variance="guarded")
    for arm, variance in own.items():
        n = len(values[arm])
        mean = np.mean(np.subtract(*pairs_of(values, arm)))
        t = mean / np.sqrt(max(pooled, variance) / n)
        close(ours.loc[arm, ["t", "df"]].astype(float), [t, fit.df_resid])
        close(ours.loc[arm, "p"], 2 * stats.t.sf(abs(t), fit.df_resid))


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 7])
@pytest.mark.parametrize("effect", [0.31, 0.6, 1.05, 1.7, 2.6])
def test_seeds_are_those_of_ttest_power(effect, alpha):
    power = partial(TTestPower().power, effect, alpha=alpha)
    seeds = seeds_needed(0.2, 0.2 * effect, alpha=alpha)
    assert seeds == np.ceil(TTestPower().solve_power(effect, alpha=alpha, power=0.8))
    assert power(seeds) >= 0.8 > power(seeds - 1)


@pytest.mark.parametrize("seeds", [3, 4, 5, 8, 10, 20])
def test_the_smallest_effect_has_its_power_by_ttest_power(seeds):
    effect = -np.log(smallest_detectable(0.2, seeds, FD)) / 0.2
    close(TTestPower().power(effect, seeds, 0.05), 0.8)


@pytest.mark.parametrize("name", ["W4", "failures"])
def test_policies_are_ttest_rel_and_signed_ranks(name):
    values = scaled(STUDIES[name])
    ours = policies(results(STUDIES[name]), "reference", FD).set_index(["arm", "policy"])
    for arm in others(values):
        one, other = pairs_of(values, arm)
        both = np.array([values[arm], values["reference"]])
        filled = np.where(np.isfinite(both), both, np.nanmax(both))
        for policy, (x, y) in (("exclude", (one, other)), ("worst", filled)):
            theirs = stats.ttest_rel(x, y)
            interval = theirs.confidence_interval()
            expected = [np.mean(x - y), interval.low, interval.high]
            close(
                np.log(ours.loc[(arm, policy), ["effect", "low", "high"]].astype(float)), expected
            )
            close(ours.loc[(arm, policy), "p"], theirs.pvalue)
        far = np.where(np.isfinite(both), both, 1e6)
        difference = far[0] - far[1]
        ranks_of = np.sign(difference) * stats.rankdata(abs(difference))
        theirs = stats.permutation_test(
            (ranks_of,), np.sum, permutation_type="samples", n_resamples=np.inf
        )
        close(ours.loc[(arm, "censor"), "p"], theirs.pvalue)


def test_reliability_is_mcnemar_and_its_mid_p():
    values = study_of(5, 12, 0.35, seed=4)
    ours = reliability(results(values), "reference").set_index("arm")
    failed = {arm: np.array([v is None for v in row]) for arm, row in values.items()}
    for arm in others(values):
        more = int((failed[arm] & ~failed["reference"]).sum())
        fewer = int((failed["reference"] & ~failed[arm]).sum())
        exact = stats.binomtest(more, more + fewer).pvalue
        close(mcnemar([[0, more], [fewer, 0]], exact=True).pvalue, exact)
        mid = exact - stats.binom.pmf(more, more + fewer, 0.5) if more != fewer else 1.0
        close(ours.loc[arm, ["p_exact", "p"]].astype(float), [exact, mid])
        rate = stats.binomtest(int(failed[arm].sum()), 12).proportion_ci(method="wilson")
        close(ours.loc[arm, ["failed_low", "failed_high"]].astype(float), rate)
    assert ours["p_holm"].isna().all()  # at most 6 seeds in which one of two failed alone


@pytest.mark.parametrize("name", ["ten", "failures"])
def test_ranks_count_the_arms_that_ttest_rel_tells_apart(name):
    values = scaled(STUDIES[name])
    tests = {(a, b): stats.ttest_rel(*pairs_of(values, a, b)) for a, b in combinations(values, 2)}
    sure = multipletests([one.pvalue for one in tests.values()], method="holm")[1] <= 0.05
    better, worse = dict.fromkeys(values, 0), dict.fromkeys(values, 0)
    for ((a, b), one), told in zip(tests.items(), sure, strict=True):
        if told:
            low, high = (a, b) if one.statistic < 0 else (b, a)
            better[high] += 1
            worse[low] += 1
    assert 0 < sum(sure) < len(sure)
    ours = ranks(results(STUDIES[name]), FD, Decisions()).set_index("arm")
    assert ours["rank_low"].to_dict() == {arm: 1 + n for arm, n in better.items()}
    assert ours["rank_high"].to_dict() == {arm: len(values) - n for arm, n in worse.items()}


def by_formula(values, plan, seeds=True):
    """Least squares by statsmodels, factors as -1 and 1: twice a coefficient is an effect."""
    rows = [
        {"y": np.log(value), "seed": seed}
        | {name: 1 if level == "on" else -1 for name, level in arm["levels"].items()}
        for arm in plan["arms"]
        for seed, value in enumerate(values[arm["arm"]])
        if value is not None
    ]
    terms = "*".join(plan["factors"]) + (" + C(seed)" if seeds else "")
    return formula.ols(f"y ~ {terms}", pd.DataFrame(rows)).fit()


FACTORIALS = {"W2": (AB, W2), **{str(seed): (ABC, noisy(ABC, 5, seed=seed)) for seed in range(3)}}


@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.parametrize("name", FACTORIALS)
def test_effects_are_those_of_ols(name, failed):
    plan, values = FACTORIALS[name]
    failures = {"a": 1, "a+b": 0} if failed else {}
    values = {
        arm: [None if failures.get(arm) == seed else v for seed, v in enumerate(row)]
        for arm, row in values.items()
    }
    fit = by_formula(values, plan)
    ours = effects(results(values), plan, FD, Decisions()).set_index("term")
    for term in ours.index:
        row = ours.loc[term]
        # own and pooled variance differ by a factor; `test_guard` has the own one by itself
        squares = 4 / len(plan["arms"])
        factor = row["own_sd"] ** 2 / squares / (fit.ssr / fit.df_resid)
        error = 2 * fit.bse[term] * np.sqrt(max(1.0, factor))
        half = stats.t.ppf(0.975, fit.df_resid) * error
        mean = 2 * fit.params[term]
        close(row[["effect_mean", "effect_error"]].astype(float), [mean, error])
        close(row[["low", "high"]].astype(float), np.exp([mean - half, mean + half]))
        close(row["p"], 2 * stats.t.sf(abs(mean) / error, fit.df_resid))
    close(ours["p_holm"], multipletests(ours["p"], method="holm")[1])


def test_an_effect_seed_by_seed_is_ttest_1samp_and_its_failures_are_guarded():
    values = noisy(ABC, 5)
    seeds = [
        by_formula({arm: [row[s]] for arm, row in values.items()}, ABC, False) for s in range(5)
    ]
    ours = effects(results(values), ABC, FD, Decisions()).set_index("term")
    for term in ours.index:
        own = [2 * fit.params[term] for fit in seeds]
        close(ours.loc[term, "own_sd"], stats.tstd(own))
        close(ours.loc[term, "own_p"], stats.ttest_1samp(own, 0).pvalue)
    for arm in ("a", "a+b", "a+c", "a+b+c", "b"):
        values[arm][2] = None
    ours = effects(results(values), ABC, FD, Decisions()).set_index("term")
    # all in one seed, they are as far from nothing as one draw can be
    close(ours.loc["a", "p_failures"], 2 * stats.norm.sf(1))
    assert stats.fisher_exact([[4, 0], [1, 3]]).pvalue < 2 * stats.norm.sf(1)


def test_a_design_that_ran_once_is_ols_and_halfnorm():
    values = noisy(ABC, 1)
    fit = by_formula(values, ABC, seeds=False)
    ours = half_normal(results(values), ABC, FD).set_index("term")
    close(ours["effect_mean"], [2 * fit.params[term] for term in ours.index])
    close(ours["quantile"], stats.halfnorm.ppf((np.arange(7) + 0.5) / 7))


def test_interactions_of_pairs_are_ttest_1samp():
    plan = study(switches("ab"), design="pairs")
    values = noisy(plan, 6)
    logs = scaled(values)
    own = (logs["a+b"] - logs["a"] - logs["b"] + logs["reference"]) / 2
    theirs = stats.ttest_1samp(own, 0)
    row = interactions(results(values), plan, FD, Decisions()).iloc[0]
    interval = theirs.confidence_interval()
    close(row[["t", "p"]].astype(float), [theirs.statistic, theirs.pvalue])
    close(np.log(row[["low", "high"]].astype(float)), [interval.low, interval.high])


def test_shares_are_the_mean_over_all_orders_and_ttest_1samp():
    values = noisy(ABC, 5)
    logs = scaled(values)
    by_seed = np.zeros((3, 5))
    for order in permutations("abc"):
        arms = ["+".join(sorted(order[:size])) or "reference" for size in range(4)]
        for size, factor in enumerate(order):
            by_seed["abc".index(factor)] += (logs[arms[size + 1]] - logs[arms[size]]) / 6
    theirs = stats.ttest_1samp(by_seed, 0, axis=1)
    interval = theirs.confidence_interval()
    ours = shapley(results(values), ABC | {"design": "shapley"}, FD, Decisions())
    close(ours["effect_mean"], by_seed.mean(1))
    close(ours["p"], theirs.pvalue)
    close(np.log(ours[["low", "high"]].astype(float)).T, [interval.low, interval.high])


def test_steps_of_a_ladder_are_ttest_rel():
    values = {arm: row for arm, row in STUDIES["ten"].items() if arm in ("reference", "t1", "t2")}
    plan = {"arms": [{"arm": arm, "refused": []} for arm in values]}
    ours = steps(results(values), plan, FD, Decisions()).set_index("arm")
    logs = scaled(values)
    for arm, before in (("t1", "reference"), ("t2", "t1")):
        theirs = stats.ttest_rel(logs[arm], logs[before])
        interval = theirs.confidence_interval()
        close(ours.loc[arm, ["t", "p"]].astype(float), [theirs.statistic, theirs.pvalue])
        close(np.log(ours.loc[arm, ["low", "high"]].astype(float)), [interval.low, interval.high])
