"""The variance of an effect with cells missing: guarded by the effect's own, from residuals."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from ablate.analysis import Decisions, effects
from ablate.analysis.blocks import fit_blocks
from ablate.analysis.guard import expected_squares
from ablate.analysis.layout import layout_of
from ablate.analysis.terms import terms_of
from tests.analysis.designs import FD, fraction, noisy, results, study, switches
from tests.analysis.test_effects import AB, ABC, SLOT, W2

FOUR = study(switches("abcd"))
SEVEN = fraction("abcdefg", {"e": "abc", "f": "bcd", "g": "acd"})
PLANS = {"2^3": ABC, "2^4": FOUR, "2^(7-3)": SEVEN, "slot": SLOT}


def found(values, plan=ABC):
    return effects(results(values), plan, FD, Decisions()).set_index("term")


def punched(plan, seeds, holes, seed=0):
    """Return noisy values and, with `holes` of them gone, which cells are left, `[J, N]`."""
    rng = np.random.default_rng(seed)
    values = noisy(plan, seeds, seed=seed)
    arms = list(values)
    for cell in rng.choice(len(arms) * seeds, holes, replace=False):
        values[arms[cell // seeds]][cell % seeds] = None
    return values


def test_worked_example_with_a_trial_missing():
    table = found(W2 | {"a+b": [26, 31, None]}, AB)
    a, b = table.loc["a"], table.loc["b"]
    close = dict(rtol=0, atol=6e-11)
    np.testing.assert_allclose(a["effect_mean"], -0.2752400081, **close)
    np.testing.assert_allclose(a["effect_error"] ** 2, 0.0004608723, **close)
    np.testing.assert_allclose([a["low"], a["high"]], [0.7186181885, 0.8024747227], **close)
    np.testing.assert_allclose(a["p"], 0.0000513805, **close)
    np.testing.assert_allclose(b["effect_mean"], -0.1046084845, **close)
    np.testing.assert_allclose(b["effect_error"] ** 2, 0.0003150665, **close)
    np.testing.assert_allclose(b["p"], 0.0020000466, **close)
    # the contrast's squares sum to 1 here, so that own SD squared is the own variance itself
    np.testing.assert_allclose(table["own_sd"][:2] ** 2, [0.0011851001, 0.0005108872], **close)
    assert set(table["df"]) == {5} and set(table["variance"]) == {"guarded"}


def test_parts_of_the_worked_example():
    layout = layout_of(AB)
    logs = np.log([[40, 30, 36, 26], [44, 34, 39, 31], [42, 33, 40, np.nan]])
    blocks = fit_blocks(pd.DataFrame(logs, columns=layout.levels.index))
    close = dict(rtol=0, atol=6e-11)
    np.testing.assert_allclose(blocks.mse, 0.000810170887, rtol=0, atol=6e-13)
    assert blocks.df == 5
    contrast = terms_of(layout)[0].contrast
    np.testing.assert_allclose(contrast @ blocks.unscaled @ contrast, 0.3888888889, **close)
    np.testing.assert_allclose(expected_squares(contrast, blocks), 1.6666666667, **close)


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("seeds", [3, 5])
def test_nothing_missing_is_the_larger_of_two_plain_variances(name, seeds):
    """To 1e-12: the two-way residual by means, and the effect seed by seed."""
    plan = PLANS[name]
    values = noisy(plan, seeds, seed=seeds)
    table, logs = found(values, plan), np.log([values[arm["arm"]] for arm in plan["arms"]])
    rest = logs - logs.mean(0) - logs.mean(1, keepdims=True) + logs.mean()
    df = (len(logs) - 1) * (seeds - 1)
    mse = (rest**2).sum() / df
    p_varies = []
    for term in terms_of(layout_of(plan)):
        own, squares = term.contrast @ logs, (term.contrast**2).sum()
        error = np.sqrt(max(mse * squares, own.var(ddof=1)) / seeds)
        mean = own.mean()
        half = stats.t.ppf(0.975, df) * error
        expected = [mean, error, df, mean / error, 2 * stats.t.sf(abs(mean) / error, df)]
        expected += [*np.exp([mean - half, mean + half]), own.std(ddof=1)]
        alone = stats.ttest_1samp(own, 0)
        expected += [alone.pvalue, *np.exp(alone.confidence_interval())]
        columns = ["effect_mean", "effect_error", "df", "t", "p", "low", "high", "own_sd", "own_p"]
        columns += ["own_low", "own_high"]
        np.testing.assert_allclose(
            table.loc[term.label, columns].astype(float), expected, rtol=1e-12, atol=1e-12
        )
        unit = own.var(ddof=1) / squares
        others = (df * mse - (seeds - 1) * unit) / (df - (seeds - 1))
        p_varies.append(stats.f.sf(unit / others, seeds - 1, df - (seeds - 1)))
    lowest = min(1, len(p_varies) * min(p_varies))
    np.testing.assert_allclose(table["p_varies"].min(), lowest, rtol=1e-9)
    assert list(table["may_vary"]) == [int(p <= 0.2) for p in p_varies]


def by_ols(values, plan, contrast):
    """The guard with dummies of arms and seeds, by statsmodels and numpy, cell by cell."""
    cells = [
        (place, seed, np.log(value))
        for place, arm in enumerate(plan["arms"])
        for seed, value in enumerate(values[arm["arm"]])
        if value is not None
    ]
    arms = np.array([arm for arm, _, _ in cells])
    seeds = np.array([seed for _, seed, _ in cells])
    design = np.hstack([np.eye(arms.max() + 1)[arms], np.eye(seeds.max() + 1)[seeds][:, 1:]])
    fit = sm.OLS(np.array([value for _, _, value in cells]), design).fit()
    inverse, weights = np.linalg.pinv(design.T @ design), contrast[arms]
    c = np.concatenate([contrast, np.zeros(seeds.max())])
    hat = np.eye(len(cells)) - design @ inverse @ design.T
    own = trace = 0.0
    for seed in range(seeds.max() + 1):
        chosen = weights * (seeds == seed)
        own += (chosen @ fit.resid) ** 2
        trace += chosen @ hat @ chosen  # variance of the above if the error's is 1
    unit = c @ inverse @ c
    return c @ fit.params, unit, fit.ssr / fit.df_resid, own / trace, fit.df_resid


@pytest.mark.parametrize("holes", [0, 1, 3, 6])
@pytest.mark.parametrize("name", PLANS)
def test_holes_by_an_independent_fit(name, holes):
    plan, seeds = PLANS[name], 4
    values = punched(plan, seeds, holes, seed=holes)
    table = found(values, plan)
    assert table["missing"].iloc[0] == holes and set(table["variance"]) == {"guarded"}
    for term in terms_of(layout_of(plan)):
        mean, unit, mse, own, df = by_ols(values, plan, term.contrast)
        error = np.sqrt(unit * max(mse, own))
        own_p = 2 * stats.t.sf(abs(mean) / np.sqrt(unit * own), seeds - 1)
        row = table.loc[term.label]
        np.testing.assert_allclose(
            row[["effect_mean", "effect_error", "p", "own_p"]].astype(float),
            [mean, error, 2 * stats.t.sf(abs(mean) / error, df), own_p],
            rtol=1e-9,
        )


def test_the_own_variance_is_the_errors_where_no_effect_varies():
    """Its expectation with holes, over 300 drawn tables."""
    rng = np.random.default_rng(3)
    plan, gone = AB, [(0, 1), (3, 2)]
    sums = []
    for _ in range(300):
        logs = rng.normal(0, 0.1, (4, 4)) + rng.normal(0, 0.5, 4)
        values = {
            arm["arm"]: list(np.exp(row)) for arm, row in zip(plan["arms"], logs, strict=True)
        }
        for arm, seed in gone:
            values[plan["arms"][arm]["arm"]][seed] = None
        sums.append(found(values, plan)["own_sd"].to_numpy() ** 2)
    np.testing.assert_allclose(np.mean(sums, 0), 0.01, rtol=0.2)


def test_a_seed_of_which_an_effect_has_nothing_changes_no_variance():
    values = noisy(ABC, 4)
    lone = {arm: [*row, None] for arm, row in values.items()}
    lone["b"][4] = 33.0
    columns = ["effect_mean", "effect_error", "df", "p"]
    pd.testing.assert_frame_equal(found(values)[columns], found(lone)[columns], rtol=1e-9)


def test_parts_that_share_no_seed():
    """Two parts that share no seed have no effects; one cell that joins them gives some."""
    values = {
        "reference": [40.0, 41, 43, None, None, None], "c": [38.0, 41.5, 40, None, None, None],
        "a": [None, None, None, 30, 31, 33], "a+c": [None, None, None, 29.0, 33, 31],
    }  # fmt: skip
    plan = study(switches("ac"))
    table = found(values, plan)
    assert table["effect"].isna().all()  # two parts that share no seed
    assert set(table["reason"][table["order"] == 2]) == {
        "the trials that are done leave nothing to measure an error by"
    }
    values["reference"][3] = 44.0
    table = found(values, plan)
    assert table["effect"].notna().all() and table["low"].notna().all()


def test_an_effect_that_residuals_say_nothing_of_has_the_pooled_variance():
    """What is left over lies in the reference and a+b, which an interaction does not tell apart."""
    values = {
        "reference": [40.0, 41, 43, 39], "a": [None, None, 33, None],
        "b": [None, None, None, 37], "a+b": [30.0, 32, None, None],
    }  # fmt: skip
    table = found(values, AB)
    assert table["variance"].to_dict() == {"a": "guarded", "b": "guarded", "a:b": "ols"}
    pair = terms_of(layout_of(AB))[2]
    mean, unit, mse, _, df = by_ols(values, AB, pair.contrast)
    error = np.sqrt(unit * mse)
    found_pair = table.loc["a:b", ["effect_mean", "effect_error", "df"]].astype(float)
    np.testing.assert_allclose(found_pair, [mean, error, df], rtol=1e-9)
    assert df == 1 and np.isnan(table.loc["a:b", ["own_sd", "own_p"]].astype(float)).all()
