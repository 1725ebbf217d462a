import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from ablate.analysis.adjust import benjamini_hochberg, holm
from ablate.analysis.bands import bands, intervals
from ablate.analysis.failures import bound, wilson
from ablate.analysis.metric import Metric, metric_of
from ablate.analysis.paired import paired_t
from ablate.analysis.power import (
    power,
    sd_upper_limit,
    seeds_needed,
    smallest_detectable,
    smallest_effect,
)
from ablate.analysis.ranks import pairwise_t
from ablate.errors import UserError

FD = Metric("fd", "ratio", higher_is_better=False)


@pytest.mark.parametrize(
    ("failed", "trials", "interval"),
    [
        (1, 5, [0.03622411, 0.62446537]),
        (0, 3, [0, 0.56149703]),
        (3, 10, [0.10779127, 0.60322185]),
    ],
)
def test_wilson_worked_example_w5(failed, trials, interval):
    np.testing.assert_allclose(wilson(failed, trials), interval, rtol=0, atol=6e-9)


@pytest.mark.parametrize(
    ("trials", "most"),
    [(3, 0.6315968501), (5, 0.4507197283), (10, 0.2588655509), (15, 0.1810362725),
     (20, 0.1391083407), (48, 0.0605034093)],
)  # fmt: skip
def test_none_failed_has_the_exact_one_sided_bound(trials, most):
    np.testing.assert_allclose(bound(0, trials), most, rtol=0, atol=6e-11)
    theirs = stats.binomtest(0, trials, alternative="less").proportion_ci(0.95)
    np.testing.assert_allclose(bound(0, trials), theirs.high, rtol=1e-9)
    other = stats.binomtest(trials, trials, alternative="greater").proportion_ci(0.95)
    np.testing.assert_allclose(bound(trials, trials), other.low, rtol=1e-9)
    assert np.isnan(bound(1, trials)) and np.isnan(bound(0, 0))


@pytest.mark.parametrize(
    ("sd", "change", "seeds"), [(0.12, 0.1, 14), (0.2, 0.1, 34), (0.12, 0.2, 6)]
)
def test_seeds_worked_example_w5(sd, change, seeds):
    assert seeds_needed(sd, change) == seeds


def test_power_worked_example_w5():
    np.testing.assert_allclose(power(14, 0.1 / 0.12), 0.821565, atol=1e-6)
    np.testing.assert_allclose(power(13, 0.1 / 0.12), 0.787514, atol=1e-6)


@pytest.mark.parametrize(
    ("effect", "seeds"), [(0.3, 90), (0.5, 34), (0.75, 16), (1, 10), (1.5, 6), (2, 5), (3, 4)]
)
def test_seeds_for_an_effect(effect, seeds):
    assert seeds_needed(1.0, effect) == seeds
    assert power(seeds, effect) >= 0.8 > power(seeds - 1, effect)


@pytest.mark.parametrize(
    ("seeds", "effect"),
    [(3, 3.264), (4, 2.128), (5, 1.682), (8, 1.156), (10, 0.996), (20, 0.660)],
)
def test_smallest_effect(seeds, effect):
    np.testing.assert_allclose(smallest_effect(seeds), effect, atol=6e-4)


def test_smallest_ratio():
    found = [smallest_detectable(0.118, seeds, FD) for seeds in (3, 4, 5, 8, 10, 20)]
    np.testing.assert_allclose(found, [0.68, 0.78, 0.82, 0.87, 0.89, 0.92], atol=5.1e-3)
    assert np.isnan(smallest_detectable(0.118, 2, FD))


def test_upper_limit_of_a_pilot():
    found = [sd_upper_limit(1.0, seeds) for seeds in (3, 4, 5, 8, 10)]
    np.testing.assert_allclose(found, [2.12, 1.73, 1.56, 1.35, 1.29], atol=6e-3)


def test_seeds_that_nobody_has():
    assert np.isnan(seeds_needed(0.0, 0.1)) and np.isnan(seeds_needed(0.1, float("nan")))
    assert seeds_needed(10.0, 1e-4) == np.inf


def test_paired_t_is_scipys():
    rng = np.random.default_rng(0)
    values, reference = rng.normal(size=(2, 7))
    ours, theirs = paired_t(values, reference), stats.ttest_rel(values, reference)
    interval = theirs.confidence_interval()
    np.testing.assert_allclose(
        [ours.t, ours.p, ours.low, ours.high],
        [theirs.statistic, theirs.pvalue, interval.low, interval.high],
    )


def test_rounding_is_not_spread():
    reference = np.log(np.array([20.0, 22.0, 19.0, 25.0]))
    shifted = paired_t(np.log(1.1 * np.exp(reference)), reference)
    assert shifted.sd == 0 and shifted.mean > 0 and np.isnan(shifted.p)
    assert paired_t(np.log(np.exp(reference)), reference).mean == 0


def test_the_catalog_or_the_arguments_declare_a_metric():
    found = metric_of("mine", "difference", higher_is_better=True)
    assert (found.scale, found.higher_is_better) == ("difference", True)
    with pytest.raises(UserError, match="not in the catalog"):
        metric_of("mine", "difference")


def test_bands_are_over_seeds_and_thin_long_curves():
    images = np.arange(1, 1001)
    curves = pd.concat(
        pd.DataFrame(
            {
                "arm": "a",
                "trial": str(k),
                "signal": "s",
                "images": images,
                "value": k + 0.0 * images,
            }
        )
        for k in (1, 2, 6)
    )
    found = bands(curves, points=50)
    assert len(found) == 50 and found["images"].max() == 1000
    assert (found[["mean", "low", "high", "seeds"]] == [3, 1, 6, 3]).all(axis=None)
    curves.loc[curves["trial"] == "6", "value"] = np.inf
    assert set(bands(curves)["seeds"]) == {2}


def test_seeds_that_were_looked_at_elsewhere_are_averaged_and_never_interpolated():
    parts = [
        pd.DataFrame({"arm": "a", "trial": str(k), "signal": "s", "images": at, "value": value})
        for k, at, value in ((1, [10, 20, 30, 40], [1.0, 3, 5, 7]), (2, [20, 40], [4.0, 8]))
    ]
    found = bands(pd.concat(parts))
    assert found["images"].tolist() == [20, 40] and found["seeds"].tolist() == [2, 2]
    assert found["mean"].tolist() == [3.0, 7.0]  # (1 + 3) / 2 and 4; (5 + 7) / 2 and 8
    alone = bands(parts[0])
    assert alone["mean"].tolist() == [1.0, 3.0, 5.0, 7.0]


@pytest.mark.parametrize("seeds", [2, 3, 7])
def test_the_interval_of_a_curve_is_that_of_scipy(seeds):
    values = np.random.default_rng(seeds).normal(5, 1, seeds)
    curves = pd.DataFrame({"arm": "a", "trial": range(seeds), "signal": "s", "images": 1})
    found = intervals(bands(curves.assign(value=values)))
    told = found[["low", "high"]].to_numpy()[0]
    if seeds < 3:
        assert np.isnan(told).all() and np.isfinite(found["mean"]).all()
    else:
        expected = stats.t.interval(0.95, seeds - 1, values.mean(), stats.sem(values))
        np.testing.assert_allclose(told, expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_many_pairs_at_once_are_what_they_are_one_by_one(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(3, 0.2, (6, 7))
    values[rng.random(values.shape) < 0.25] = np.nan
    values[:, 5] = values[:, 4] + 1.5  # always the same difference: no test
    first, second = np.triu_indices(7, 1)
    mean, p = pairwise_t(values, first, second)
    for i, j, one_mean, one_p in zip(first, second, mean, p, strict=True):
        pairs = values[np.isfinite(values[:, [i, j]]).all(1)]
        expected = paired_t(pairs[:, i], pairs[:, j])
        np.testing.assert_allclose([one_p], [expected.p], rtol=1e-9)
        if expected.pairs >= 3:
            np.testing.assert_allclose(one_mean, expected.mean, rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_adjusted_p_is_that_of_statsmodels(seed):
    p = pd.Series(np.random.default_rng(seed).uniform(0, 0.2, 9).round(2), index=list("abcdefghi"))
    p["c"] = np.nan
    tested = p.dropna()
    for ours, method in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
        np.testing.assert_allclose(ours(p).dropna(), multipletests(tested, method=method)[1])
        assert np.isnan(ours(p)["c"]) and list(ours(p).index) == list(p.index)
        assert ours(p[:0]).empty and ours(p[["c"]]).isna().all()
